"""One way to build and call any model.

adapter.py         the protocol: arguments of a pass, logits, start and end ids, the next token
own.py             our own transformer
transformers.py    every family that transformers knows
attention_seam.py  whether a family's attention can be seen exactly, and how
"""
