"""The Train page: configure a run, start it, follow it, compare it with others.

config_form.py   preset and fields of a new run
start.py         its cost, and the Start button
lr_finder.py     learning-rate range test
run.py          the run that is followed: controls, curves, attention over training
summary.py       state, progress and last values
curves.py        charts of the metrics
export.py        checkpoints, fork, downloads
runs.py          the table of all runs
labels.py        labels and help of fields, measures and presets
"""
