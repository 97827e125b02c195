"""What a transformer can be trained on: one file per task, each says what counts as right.

task.py         what every task hands over: Batch, Probe, samples
registry.py     the tasks by name
text.py         language modelling on plain text of your own: predict the next token
copying.py      random blocks that repeat: what makes an induction head
vocabulary.py   how text becomes tokens: byte-level BPE, words or single characters, trained on the spot
"""
