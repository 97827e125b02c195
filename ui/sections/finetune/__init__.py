"""The Fine-tune page: fine-tune a model, and see what it did.

subject.py     which model before, and which after
before_after.py what fine-tuning did, one effect at a time
held_out.py    held-out measures beside the baselines
held_out_text.py held-out measures of a model that writes, before and after
spread_charts.py a measure before and after, and its difference's resamples
weights.py     how far each weight moved, and how low-rank the change is
low_rank.py    W, B, A and alpha / r of one matrix
as_trained.py  the texts that heads, states and samples read
heads.py       the heads that changed most, each with its difference map
states.py      the state of a text through the layers
forgetting.py  bits per byte on general text
samples.py     what both write with the same seed
draft.py       the settings of a new fine-tuning, in the address
data.py        what it learns from: built in, typed or uploaded, with its columns
new_run.py     the form, what it costs, and Start
series.py      several runs from one click: over labels, over ranks
series_runs.py starts, follows and cancels these runs
files.py       what a run leaves: adapter, model, doors
labels.py      labels and help of methods, data and effects
"""
