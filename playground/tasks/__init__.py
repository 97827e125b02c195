"""What a transformer can be trained on: one file per task, each says what counts as right.

task.py            what every task hands over: batches, a probe, samples; and text sampled from a model
registry.py        the tasks by name; what a task saved in a run's folder, read back
text.py            language modelling on plain text, with random blocks that repeat: predict the next token
sources.py         where text comes from: typed in, files, Python's documentation
hub_text.py        data sets of the Hugging Face hub
induction.py       nothing but random blocks that repeat: what makes an induction head
rewriting.py       copy, reverse or sort digits: the smallest task for cross-attention
addition.py        addition of numbers with several digits
modular.py         addition modulo p: memorised first, generalised later (grokking)
tales/             synthetic stories with known entropy
translation.py     sentences of the stories' world into French and Chinese
alignment.py       cross-attention compared with gold alignments
masked.py          masked words and next sentences, as BERT learns
pairs.py           pairs of sentences for it
sentences.py       where sentences end, and how they are encoded
classification.py  kinds of sentences, languages, a table of your own
labelled_text.py   texts and their labels
vocabulary.py      byte-level BPE, words or single characters, trained on the spot
"""
