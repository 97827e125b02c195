"""What a model can be fine-tuned on, encoded with its own tokenizer.

registry.py   the tasks by name
labels.py     classification of texts
passages.py   the next token of a text
prompts.py    answers to prompts, the prompt masked out of the loss
next_token.py the task of both: rows of which some positions count
pairs.py      an encoder-decoder on pairs, with BLEU
encoded_rows.py what the tasks share: rows encoded for one base
rows.py       texts and labels in two parts, without leaks
tables.py     two columns of a person's table
corpora.py    public-domain books, declarations in twenty languages: archives on this machine
sentiment.py  opinions in templated sentences with a known ceiling
reader.py     how the base reads a text
"""
