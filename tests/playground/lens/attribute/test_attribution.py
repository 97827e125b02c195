"""A logit is the sum of its parts, whatever stands between them: multipliers, norms of any make, parallel layers."""

from typing import Any

import pytest
import torch
import transformers
from torch import nn

from playground import attention
from playground.errors import UserError
from playground.lens import trace
from playground.lens.attribute.attribution import attribute_logit, freeze_norm
from playground.lens.capture.activations import capture, encode_text
from playground.models import LoadedModel
from tests.helpers.families import as_loaded

SMALL: dict[str, Any] = {
    **{"vocab_size": 80, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3},
    **{"num_attention_heads": 4, "num_key_value_heads": 2},
    **{"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2},
}
FAMILIES: dict[str, dict[str, Any]] = {
    "granite": {"embedding_multiplier": 12.0, "residual_multiplier": 0.22, "attention_multiplier": 0.02}
    | {"logits_scaling": 8.0},
    "granitemoe": {"residual_multiplier": 0.3, "logits_scaling": 4.0, "num_local_experts": 4, "num_experts_per_tok": 2},
    "cohere": {"logit_scale": 0.0625},
    "cohere2": {"logit_scale": 0.25},
    "olmo": {},
    "nemotron": {},
    "phi": {},
    "stablelm": {"use_parallel_residual": True},
    "starcoder2": {},
    "gemma": {"head_dim": 8},
    "helium": {"head_dim": 8},
    "glm": {"head_dim": 8},
    "smollm3": {},
    "bitnet": {},
    "olmo2": {},
    "gemma3_text": {"head_dim": 8},
}
NORMED = {"bitnet", "olmo2", "gemma3_text"}
"""A norm stands before the output projection or behind it."""
HYBRID = {"lfm2": {"num_hidden_layers": 4, "layer_types": ["conv", "full_attention", "conv", "full_attention"]}}
TEXT = "the cat sat on the mat"


def small(family: str) -> LoadedModel:
    attention.register_with_transformers()
    config = transformers.AutoConfig.for_model(
        family, **{**SMALL, **FAMILIES.get(family, {}), **HYBRID.get(family, {})}
    )
    torch.manual_seed(1)
    module = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention.IMPLEMENTATION)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3) if parameter.ndim > 1 else None
    return as_loaded(module.eval().requires_grad_(False), "decoder", family)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_parts_add_up_to_the_models_logit(family):
    model = small(family)
    clean = capture(model, encode_text(model, TEXT))
    for position, token, against in ((-1, 5, None), (3, 7, 11)):
        attribution = attribute_logit(model, clean, position=position, token=token, against=against)
        logits = clean.predicted()[position]
        expected = float(logits[token] - (0 if against is None else logits[against]))
        assert attribution.total == pytest.approx(expected)
        assert attribution.sum == pytest.approx(expected, abs=1e-4 * max(1, float(logits.abs().max())))


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - NORMED))
def test_the_stream_inside_is_the_models(family):
    """After the attention of block 1, and where it is a sum, the stream before block 2."""
    model = small(family)
    traced = trace(model, TEXT)
    parts = capture(model, encode_text(model, TEXT)).parts
    middles = []
    block = parts.block("decoder", 1)
    with torch.inference_mode():
        handle = block.module.register_forward_hook(lambda _module, _inputs, output: middles.append(output))
        model.module(torch.tensor([traced.ids]))
        handle.remove()
    left = middles[0] if isinstance(middles[0], torch.Tensor) else middles[0][0]
    split = traced.stream_parts(2, 4)
    assert split is not None
    torch.testing.assert_close(torch.from_numpy(split.vectors.sum(0)), left[0, 4], rtol=1e-4, atol=1e-4)
    head = traced.inside(1).head(0, 4)
    assert head.is_additive
    assert head.difference < 1e-4
    assert head.after == pytest.approx(head.residual + head.factor * head.attention_output, abs=1e-5)


def test_blocks_without_attention_are_parts_of_stream_and_logit():
    """Blocks 0 and 2 of four are convolutions: each is one named part, and all parts together are stream and logit."""
    model = small("lfm2")
    traced = trace(model, TEXT)
    with torch.inference_mode():
        output = model.module(torch.tensor([traced.ids]), output_hidden_states=True)
    clean = capture(model, encode_text(model, TEXT))
    assert [block.mixer_name for block in clean.parts.stack] == ["Lfm2ShortConv", "", "Lfm2ShortConv", ""]
    for number, state in enumerate(output.hidden_states[:-1]):
        torch.testing.assert_close(clean.residual["decoder", number], state[0])
    for block in (0, 1, 2, 3):
        written = clean.middle("decoder", block) + clean.feed_forward["decoder", block]
        torch.testing.assert_close(written, clean.after["decoder", block], rtol=1e-4, atol=1e-4)
    attribution = attribute_logit(model, clean, position=-1, token=5)
    assert attribution.sum == pytest.approx(float(output.logits[0, -1, 5]), abs=1e-3)
    assert (attribution.layers, attribution.blocks) == ((1, 3), (0, 1, 2, 3))
    assert [value != 0 for value in attribution.mixers] == [True, False, True, False]
    split = traced.stream_parts(3, 4)
    assert split is not None
    assert split.names == (
        *("x", "mixer_0", "feed_forward_0", "attention_1", "feed_forward_1"),
        *("mixer_2", "feed_forward_2"),
    )
    torch.testing.assert_close(torch.from_numpy(split.vectors.sum(0)), clean.residual["decoder", 3][4])
    assert len(traced.logit_lens(k=1).probability) == 5
    with pytest.raises(UserError, match="Block 2 does not attend"):
        clean.parts.attention("decoder", 2)


REFUSED = {"diffllama": "several times in a pass"}


@pytest.mark.parametrize(("family", "reason"), REFUSED.items())
def test_what_cannot_be_split_is_refused_with_its_reason(family, reason):
    model = small(family)
    with pytest.raises(UserError, match=reason):
        capture(model, encode_text(model, TEXT))


def test_a_norm_between_heads_and_projection_is_no_step_inside():
    model = small("bitnet")
    with pytest.raises(UserError, match="changes what its heads mixed before projecting"):
        trace(model, TEXT).inside(1)


class LessOne(nn.Module):
    """A layer norm that stores its weight less one (Nemotron)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width))
        self.bias = nn.Parameter(torch.randn(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:], self.weight + 1, self.bias, 1e-5)


class Plain(nn.Module):
    """A layer norm without parameters (OLMo)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:], eps=1e-5)


@pytest.mark.parametrize("width", [8, 9])
@pytest.mark.parametrize("make", [nn.LayerNorm, nn.RMSNorm, LessOne, lambda _width: Plain()])
def test_any_norm_is_frozen_by_what_it_does(make, width):
    torch.manual_seed(0)
    norm = make(width)
    residual, unembedded = torch.randn(width), torch.randn(width)
    frozen = freeze_norm(norm, residual)
    logit = residual @ frozen.direction(unembedded) + (torch.as_tensor(frozen.bias) * unembedded).sum()
    assert float(logit) == pytest.approx(float(norm(residual[None])[0] @ unembedded), abs=1e-4)


def test_what_is_no_norm_has_no_scale():
    with pytest.raises(UserError, match="neither a layer norm nor an RMS norm"):
        freeze_norm(nn.Tanh(), torch.randn(8))
