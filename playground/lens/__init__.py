"""The lens: run a text through a model and look at what it computes.

trace.py       Trace, the public answers about one text in one model
capture/       one pass with every attention call and activation kept
generate/      predictions, sampling, beam search, surprisal
inspect/       attention maps and every number behind them
intervene/     ablation and activation patching
attribute/     which component, token or layer a prediction comes from
comparison.py  two traces: words aligned, heads that differ most
several_texts.py  head scores over a list of texts
finding.py     a sentence that says what a picture shows
tolerances.py  how far two computations of the same numbers may differ
"""

from playground.lens.trace import Trace, trace

__all__ = ["Trace", "trace"]
