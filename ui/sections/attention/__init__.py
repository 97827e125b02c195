"""Sections of the page Attention.

examples.py  example texts
heatmaps.py  the attention view of one trace, or of two side by side
bertviz.py   BertViz's head, model and neuron views
export.py    data, HTML and Python for download
"""
