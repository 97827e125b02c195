"""What fine-tuning did to a model: pure functions of two loaded models of one architecture, before and after.

model_pair.py      two models that can be compared: one architecture, one vocabulary
weight_drift.py    how far each weight moved, and how low-rank the change is
drift_table.py     the drift of weights by layer and part
head_drift.py      the heads whose attention changed most over a set of texts, with intervals
stream_drift.py    the state of a text after each layer, before and after
forgetting.py      bits per byte on general text, before and after, with an interval
general_texts.py   passages of this project's own about everything, which no task here trains on
sample_pairs.py    what both write after the same prompts with the same seed
held_out_scores.py held-out measures beside the baselines, with intervals and paired differences
held_out_text.py   held-out bits per byte, perplexity and BLEU of models that write, before and after
label_curve.py     accuracy over the number of labels: pre-trained and from scratch
low_rank_change.py LoRA's B, A and alpha / r, and entries of their product
rank_sweep.py      accuracy and drift over the rank of LoRA
series_results.py  the points of both, read from the folders of a series' runs
findings.py        what the pictures show, in a sentence each
"""
