"""The Train page: configure a run, start it, follow it, compare it with others.

new_run.py       cards of the presets, the chosen one's cost, Start
pictures.py      what a preset will show, small
config_form.py   preset and fields of a new run
architecture.py  the drawing of the model that the fields ask for
lr_finder.py     learning-rate range test
run.py           the run that is followed: controls, curves, attention over training
summary.py       state, progress and last values
curves.py        charts of the metrics
film.py          attention over training, its events, the checkpoint at its step
checkpoint.py    a checkpoint on the pages that look at a model
fork.py          a fork in a dialog, with the run's own settings
export.py        checkpoints, downloads
runs.py          the table of all runs
labels.py        labels and help of fields and measures
preset_texts.py  what the cards of the presets say
"""
