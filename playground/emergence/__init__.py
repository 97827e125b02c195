"""Emergent abilities: the same checkpoints under discontinuous and continuous metrics (Schaeffer et al. 2023).

studies.py         the runs that are compared: sizes, seeds, steps
metrics.py         every metric by name, and which study takes it
answer_metrics.py  metrics of whole answers: addition, translation
induction.py       induction heads: behaviour and head scores (Olsson et al. 2022)
grokking.py        grokking: behaviour and progress measures (Nanda et al. 2023)
checkpoints.py     load the checkpoints of a run and measure them
tracker.py         measure the checkpoints of a live run as they arrive
builder.py         train all runs of a study and write its table, resumable
tables.py          measured checkpoints as CSV; the tables in assets/emergence
steepness.py       how sudden a curve is, and when it is half done
"""
