"""Sections of the page Emergence.

answer_metrics.py     addition, translation: the same checkpoints under a metric of one's choice
progress_measures.py  induction heads, grokking: behaviour above, progress measures below
live.py               train one of a study's runs and measure its checkpoints as they arrive
study.py              curves, tables, provenance and downloads of a study
labels.py             names and descriptions of the metrics and runs
"""
