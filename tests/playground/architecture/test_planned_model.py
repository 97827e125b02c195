"""What the fields say is what the model has that is built from them."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.architecture import architecture_of, planned_architecture
from playground.training.sizes import parameters_by_part
from playground.transformer import Transformer, TransformerConfig
from tests.helpers.families import as_loaded

SMALL = {"vocabulary": 40, "context": 16, "width": 24, "layers": 2, "n_heads": 4, "hidden": 20}
SHAPES = {
    "plain": {},
    "grouped": {"key_value_heads": 2, "positions": "learned", "norm": "layer", "tied": False, "bias": True},
    "attention only": {"feed_forward": "none", "layers": 3},
    "relu": {"feed_forward": "relu", "positions": "none"},
    "post-norm": {"norm_position": "post", "norm": "layer", "feed_forward": "gelu", "positions": "sinusoidal"},
    "encoder": {"kind": "encoder", "segments": 2, "classes": 3, "embedding_norm": True},
    "post-norm encoder": {"kind": "encoder", "norm_position": "post", "positions": "learned", "bias": True},
    "encoder-decoder": {"kind": "encoder-decoder", "positions": "learned", "bias": True, "feed_forward": "gelu"},
    "no norms": {"norm": "none"},
    "no residual connections": {"residual": False},
    "neither": {"norm": "none", "residual": False, "layers": 3, "kind": "encoder-decoder"},
    "post-norm without residual connections": {"residual": False, "norm_position": "post", "embedding_norm": True},
    "post-norm encoder-decoder": {"kind": "encoder-decoder", "norm_position": "post", "tied": False},
}


@pytest.mark.parametrize("changes", SHAPES.values(), ids=SHAPES)
def test_the_planned_architecture_is_the_built_ones(changes):
    config = TransformerConfig(**{**SMALL, **changes})
    module = Transformer(config).eval().requires_grad_(False)
    for parameter in module.parameters():
        parameter.normal_(mean=0.0 if parameter.ndim > 1 else 1.0, std=0.3)
    built = architecture_of(as_loaded(module, config.kind, "playground"))
    planned = planned_architecture(config, built.name)
    assert dataclasses.asdict(planned) == dataclasses.asdict(built)


@settings(max_examples=40)
@given(
    st.fixed_dictionaries(
        {
            "vocabulary": st.integers(1, 500),
            "layers": st.integers(1, 40),
            "hidden": st.integers(1, 99),
            "key_value_heads": st.sampled_from([1, 2, 4]),
            "kind": st.sampled_from(["decoder", "encoder", "encoder-decoder"]),
            "feed_forward": st.sampled_from(["swiglu", "gelu", "relu", "none"]),
            "norm": st.sampled_from(["rms", "layer", "none"]),
            "residual": st.booleans(),
            "positions": st.sampled_from(["rotary", "learned", "sinusoidal", "none"]),
            "tied": st.booleans(),
            "bias": st.booleans(),
            "embedding_norm": st.booleans(),
            "norm_position": st.sampled_from(["pre", "post"]),
        }
    )
)
def test_its_parameters_are_those_that_torch_counts(fields):
    config = TransformerConfig(**{**SMALL, **fields})
    assert planned_architecture(config).parameters == sum(parameters_by_part(config).values())


def test_a_shape_too_large_for_any_machine_is_drawn_at_once():
    config = TransformerConfig(vocabulary=1_000_000, width=65_536, layers=1_000, n_heads=64)
    per_layer = 4 * 65_536**2 + 3 * 4 * 65_536**2 + 2 * 65_536
    assert planned_architecture(config).parameters == 1_000 * per_layer + 1_000_000 * 65_536 + 65_536
