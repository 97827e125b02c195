"""What a model can be fine-tuned on, encoded with its own tokenizer.

registry.py   the tasks by name
labels.py     classification of texts
rows.py       texts and labels in two parts, without leaks
tables.py     two columns of a person's table
corpora.py    public-domain books, declarations in twenty languages: archives on this machine
sentiment.py  opinions in templated sentences with a known ceiling
reader.py     how the base reads a text
"""
