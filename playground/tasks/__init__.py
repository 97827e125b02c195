"""What a transformer can be trained on: one file per task, each says what counts as right.

text.py         language modelling on plain text of your own: predict the next token
copying.py      random blocks that repeat: what makes an induction head
vocabulary.py   how text becomes tokens: byte-level BPE or single characters, trained on the spot
"""
