"""What a transformer can be trained on: one file per task, each says what counts as right.

task.py         what every task hands over: Batch, Probe, samples
registry.py     the tasks by name
text.py         language modelling on plain text of your own: predict the next token
sources.py      where text comes from: typed in, files, Python's documentation;  hub_text.py  the hub's data sets
copying.py      random blocks that repeat: what makes an induction head
induction.py    nothing but such blocks
rewriting.py    copy, reverse or sort digits: the smallest task for cross-attention
modular.py      addition modulo p: learnt by heart first, understood later
tales.py        endless stories of a small world, with a known floor under the loss
                tales_words.py  its words;  tales_world.py  their frequencies;  tales_chances.py  what may come next;
                tales_stories.py  how it is told
translation.py  the world's sentences into French and Chinese;  alignment.py  cross-attention against gold
                tales_scenes.py  what a sentence says;  tales_languages.py  how each language says it
masked.py       masked words and next sentences, as BERT learns;  sentences.py  where they end;  pairs.py  its rows
classification.py  kinds of sentences, languages, a table of your own;  labelled_text.py  texts and their labels
saved.py        what a task saved in a run's folder, read back
vocabulary.py   how text becomes tokens: byte-level BPE, words or single characters, trained on the spot
"""
