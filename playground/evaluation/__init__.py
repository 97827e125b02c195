"""Measures as pure functions of texts, labels, scores and probabilities; needs no torch.

Texts:
lines.py          hypotheses and their references, line by line
ngrams.py         n-grams that match, clipped to the count of the references
shared_ngrams.py  n-grams that many lines share with their references, counted at once
bleu.py           BLEU, counted here; sacrebleu's tokenizers and signature
chrf.py           precision and recall of character n-grams
ter.py            translation edit rate
block_shifts.py   the shifts and edits that it counts
line_scores.py    all of these for hypotheses and references, and two systems side by side
rouge.py          ROUGE-1, ROUGE-2, ROUGE-L, ROUGE-Lsum
word_stem.py      stems of English words, for ROUGE
lcs.py            the longest common subsequence
edit_alignment.py the edits between two texts one by one, word error rate
edit_distance.py  Levenshtein distance between an answer and its reference
answers.py        exact match, token accuracy, probability of the reference answer, expected exact match p^L
perplexity.py     perplexity and bits per byte from surprisals

Classifiers:
confusion.py      the confusion matrix, precision, recall, F1 and their averages
f1.py             macro-averaged F1 of class numbers, as training reports it
thresholds.py     ROC and precision-recall curves
calibration.py    whether predicted probabilities are true
label_spreads.py  scores of a confusion matrix with their intervals
label_report.py   everything about a table of labels
slices.py         the scores of each value of a column
baselines.py      the most frequent label; TF-IDF with logistic regression
duplicates.py     texts that stand in both parts

All:
resampling.py     bootstrap intervals, and the paired bootstrap of two systems
wilson.py         the interval of a share, where all or none may be right
text_table.py     a table of an uploaded file
json_tables.py    its entries where it is JSON
"""
