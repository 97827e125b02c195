"""One way to build and call models of any family.

adapter.py         the protocol: arguments of a pass, logits, special tokens, the next token
own.py             our own transformer, built and called
transformers.py    calls every family in transformers
pretrained.py      builds every family in transformers
attention_seam.py  whether a family's attention can be captured exactly, and how
"""
