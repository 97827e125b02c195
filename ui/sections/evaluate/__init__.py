"""The page Evaluate: each measure as it is counted, on the reader's own lines.

examples.py         lines and tables that show what a measure misses
line_source.py      hypotheses and references: pasted, from a table, from a translator
text_doors.py       from a line to the pages that look at its text
table_source.py     a pasted or uploaded table, and which column is what
numbers.py          scores with their intervals, files of results
bleu.py             BLEU, chrF and TER
edit_lines.py       edits drawn, for TER and the word error rate
ter.py              TER's shifts and edits
systems.py          two systems on the same lines
rouge.py            ROUGE and the longest common subsequence
word_errors.py      exact match, edits, word error rate
classification.py   accuracy to F1, the confusion matrix, slices
labels_source.py    true and predicted labels of a table, or a loaded classifier's answers
scores.py           ROC and precision-recall curves, calibration, the threshold
checks.py           baselines, texts in both parts
perplexity_text.py  the text: typed, a file, a sample
perplexity.py       perplexity and bits per byte of up to four models
windows.py          what the stride does
"""
