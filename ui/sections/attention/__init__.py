"""Sections of the page Attention.

examples.py       example texts
heatmaps.py       the attention view of one trace
scores.py         the scores of all heads, and what the selected one shows
badge.py          whether the weights on show are the model's own
head_doors.py     where one goes on from the selected head
comparison.py     two traces side by side, and the heads that differ most
several_texts.py  a head's scores over a list of texts
bertviz.py        BertViz's head, model and neuron views
export.py         data, HTML and Python for download
"""
