"""The tokens that a new model reads first: long enough to show what its windows leave out."""

import pytest
from transformers import AutoConfig

from playground.models.adapters.probe_text import MOST, _length

LAYERS = {"num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"]}


@pytest.mark.parametrize(
    ("family", "settings", "length"),
    [
        ("gpt2", {}, 0),
        ("mistral", {"sliding_window": 24}, 48),
        ("mistral", {"sliding_window": MOST}, 0),
        ("mistral", {"sliding_window": 24, "max_position_embeddings": 32}, 32),
        ("gpt_neo", {"window_size": 200}, MOST),
        # Asked for by name, a window in which the layers differ raises an error.
        ("neomme", {**LAYERS, "per_layer_config": {0: {"sliding_window": 16}, 1: {"sliding_window": None}}}, 32),
    ],
)
def test_a_probe_reaches_behind_every_window(family, settings, length):
    assert _length(AutoConfig.for_model(family, **settings)) == length
