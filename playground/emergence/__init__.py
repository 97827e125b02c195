"""Abilities that seem to appear all at once: the same checkpoints under measures that are steep and under others.

records.py     what was measured of a checkpoint, and tables of such rows as CSV
measures.py    every measure by name: its range, and whether more of it is better
answers.py     all measures of answers at once (addition, translation)
induction.py   what one sees of induction heads, and the head scores behind it
grokking.py    what one sees of grokking, and the progress measures of Nanda et al. 2023;  fourier.py  their arithmetic
studies.py     which runs are compared: sizes, seeds, steps
checkpoints.py the snapshots of a run, measured
shipped.py     the tables that come with the app
making.py      training all runs of a study and writing its table, resumable
"""
