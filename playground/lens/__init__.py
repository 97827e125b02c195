"""Run a text through a model and ask: what passed the seam, who looks where, what comes next.

tokens.py     text to ids and to labels a person can read, in any script
capture.py    one forward pass, every attention call kept
site.py       one attention layer of a captured pass: exact patterns, by head and by row
trace.py      Trace: the public answers (attention, overview, head scores, next tokens)
rows.py       blocks of rows from the logsumexp, without a softmax
overview.py   all heads at thumbnail size without forming the maps
facts.py      head scores: previous-token, induction, entropy, …
view.py       what a picture shows: special tokens hidden, sink set aside, heads averaged
steps.py      every number from a query and its keys to the weighted sum

inside.py     one layer from the embedding to the residual stream (head_inside.py: its numbers; sources.py: which
              piece of which matrix made them; rotation.py: by which angles positions turned them)
code_lines.py the lines of our own transformer that compute each step
free_attention.py  attention without a model, for vectors that anybody may change; one_head.py: many heads or one
positions.py  sines, learned vectors, rotations, biases by distance, ALiBi

predictions.py     the next token over the whole vocabulary, and what sampling cuts away
continuation.py    a model reading on with its cache; generation.py: writing token by token; branches.py: a tree
beams.py           beam search with every beam kept
fill.py            masked words; surprise.py: how a model takes a text
logit_lens.py      what it would say if it stopped after each layer
"""

from playground.lens.trace import Trace, trace

__all__ = ["Trace", "trace"]
