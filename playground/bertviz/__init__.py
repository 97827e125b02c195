"""BertViz's functions with BertViz's arguments: a notebook of its keeps all but the line that imports.

from playground.bertviz import head_view, model_view     # from bertviz import head_view, model_view
from playground.bertviz.neuron_view import show          # from bertviz.neuron_view import show

attention_views.py  head_view and model_view, drawn by our viewer
given_maps.py       attention tensors and tokens that somebody else has computed
neuron_view.py      BertViz's own drawing of queries and keys, without a network

What is shown needs no server and no network, stands in a frame of its own, and is at most a few megabytes for any text.
"""

from playground.bertviz.attention_views import head_view, model_view
from playground.bertviz.neuron_view import show as neuron_view

__all__ = ["head_view", "model_view", "neuron_view"]
