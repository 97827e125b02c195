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
"""

from playground.lens.trace import Trace, trace

__all__ = ["Trace", "trace"]
