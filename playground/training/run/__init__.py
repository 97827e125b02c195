"""A run on disk, one module for each artefact in its folder.

folder.py       train into a folder: make it, or open it and resume
limits.py       what a run may use while it trains
session.py      one session: steps, what is saved on the way, commands between steps
paths.py        names of the files, small files written whole
status.py       status.json and the sentences in it
control.py      control.jsonl and rates.jsonl: commands, changes of the learning rate
metrics.py      metrics.jsonl: record and read
samples.py      samples.jsonl: append and read
milestones.py   what a run has learnt so far, and when: events and sentences
film.py         folder film: frames of the probe's attention, taken, written and read
checkpoints.py  folder snapshots: weights and training state, written and restored
runs.py         the runs below a folder: list, read, rename, delete
comparable_runs.py which runs' losses can stand on one axis
lineage.py      fork a run; the runs that a fork descends from
archive.py      a run as a .zip
export.py       a checkpoint as a model folder
hub_classifiers.py classifiers of ours, within the model or beside it
hub_encoders.py encoders and encoder-decoders in transformers' format
hub_format.py   a checkpoint in transformers' format
hub_weights.py  our weights under the names of its families
card.py         the card of an exported model, with the scores of its heads
"""
