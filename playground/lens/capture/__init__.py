"""One pass through a model, with everything kept that the other packages ask about.

tokens.py           text to ids and readable labels
alphabet.py         the characters that a vocabulary's pieces are written in
python_tokenizer.py pieces, special and closing tokens of tokenizers written in Python
text_tokens.py      the tokens of a text, each with the bytes and characters that it stands for
typed_bytes.py      which bytes of the typed text each token covers
words.py            words that tokens spell, and attention between them
forward.py          the arguments of a pass, and the pass itself
recorder.py         an attention handler that keeps every call
reference.py        head outputs computed by something else than the lens, to hold its own against
site.py             one attention layer of a pass: exact patterns by head and row
blocks.py           which blocks attend, by their numbers in the model, and what the others do
attending.py        which blocks attend, known without a text
attended.py         what a picture of attention needs to know
mixing.py           what mixes tokens in a block without attention
overview.py         all heads as thumbnails
visibility.py       which keys a query sees, described from the mask
later_keys.py       whether a decoder's tokens see those behind them
verification.py     each step that is shown, computed again: by how much it differs
hooks.py            record or edit what modules receive and return, in one context
probe.py            a few tokens through a model, every module watched
anatomy.py          a model's blocks, projections and writers, found by a probe
shared_blocks.py    the parts of a model whose layers are one block that runs several times
writers.py          which modules of a block write into the stream, and what their outputs are multiplied by
activations.py      z, layer outputs, residual stream and logits of a pass
inputs.py           how a token's embedding becomes the first block's input
norm_step.py        how a norm computed its output
residual_stream.py  what the stream before a layer is the sum of
"""
