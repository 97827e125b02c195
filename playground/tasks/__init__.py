"""What a transformer can be trained on: one file per task, each says what counts as right.

task.py            the interface of a task: batches, a probe, samples, measures
registry.py        the tasks by name, their configs as dictionaries
text.py            language modelling on plain text; sample text from a model
held_out.py        a model's held-out text, read again from its sources
sources.py         where text comes from: typed in, files, Python's documentation
line_wrapping.py   whether lines are joined: prose that was wrapped, and what only looks so
hub_text.py        data sets of the Hugging Face hub
induction.py       nothing but random blocks that repeat: what makes an induction head
rewriting.py       copy, reverse or sort digits: the smallest task for cross-attention
addition.py        addition of numbers with several digits
modular.py         addition modulo p: memorised first, generalised later (grokking)
tales/             synthetic stories with known entropy
translation.py     sentences of the stories' world into French and Chinese
translated_lines.py a loaded translator on the held-out sentences
alignment.py       cross-attention compared with gold alignments
masked.py          masked words and next sentences, as BERT learns
sentence_pairs.py  pairs of sentences for it
sentences.py       where sentences end, and how they are encoded
finetune/          what a model can be fine-tuned on, with its own tokenizer
classification.py  kinds of sentences, languages, a table of your own
labelled_text.py   texts and their labels
vocabulary.py      byte-level BPE, words or single characters, trained on the spot
"""
