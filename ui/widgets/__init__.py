"""Reusable groups of widgets; each returns a typed value.

model.py      which model, on which device; fetched first where it is not on this machine
texts.py      what the model reads
examples.py   texts to begin with
reading.py    run the texts through the model, with progress where the picture will stand
picture.py    the attention view of a reading, its options and its badge
compare.py    two readings side by side and their difference
bertviz.py    BertViz's own views of a reading
export.py     the numbers, a stand-alone page and a snippet to take home
"""
