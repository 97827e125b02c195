"""One way to build and call models of any family.

adapter.py          the protocol: arguments of a pass, logits, special tokens, the next token
adapter_parts.py    what an adapter changes besides matrices: embeddings, biases, tokens
own.py              our own transformer, built and called
transformers.py     calls every family in transformers
from_folder.py      a module of transformers from a folder, its weights read into memory
directions.py       families whose way of reading their name does not tell
probe_text.py       what a new model reads first, to find out how its attention is seen
pretrained.py       builds every family in transformers
own_head.py         the classifier of our own encoders
pretrained_head.py  heads of transformers' families: texts, tokens, spans of answers
finetuned.py        a fine-tuned model: its base with the weights that were trained
peft_adapter.py     a folder that peft wrote: its base with LoRA merged
hub_model.py        a model of transformers behind the calls that a task makes of ours
low_rank.py         W + scale · B A, in the layout of its layer
weight_checks.py    weights are numbers, and no token lies behind the embedding
attention_seam.py   whether a family's attention can be captured exactly, and how
"""
