"""Metrics as pure functions of tokens, classes and probabilities; needs no torch.

answers.py        exact match, token accuracy, probability of the reference answer, expected exact match p^L
edit_distance.py  Levenshtein distance between an answer and its reference
f1.py             macro-averaged F1 of a classifier
"""
