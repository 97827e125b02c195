"""Check whether a loaded model's attention can be captured exactly, by running a few tokens through it.

A family uses the seam only if its calls arrive there and its output equals that of its own eager attention. An argument
that the seam does not know then shows as a difference, instead of leading to wrong maps.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from playground.attention import IMPLEMENTATION, AttentionCall, handling, z
from playground.errors import UserError

Attention = Literal["interface", "eager"]

TOLERANCE = {torch.float32: 1e-3}
"""Largest difference, relative to the largest output, at which two outputs count as equal."""
TOLERANCE_HALF = 0.1
"""The same in half precision."""
ROW_SUM_TOLERANCE = 1e-2
CHOOSING = ({"index_topk": 2}, {"topk_blocks": 1, "block_size": 2})
"""What indexers call the number of keys, or of blocks of keys, that a query sees (DeepSeek-V3.2, MiniMax-M3); few."""


def choose_attention(module: nn.Module, ids: Tensor, *, encoder_decoder: bool, family: str) -> Attention:
    """Choose how to capture this model's attention, and set the model to it.

    ids: [1, token], a few tokens. Raises UserError for a family whose attention cannot be captured, and for NaN output.
    """
    with _choosing_few(module):
        return _choose(module, _probe_arguments(ids, encoder_decoder=encoder_decoder), family)


def _choose(module: nn.Module, arguments: dict[str, Any], family: str) -> Attention:
    output, calls = _run_counting(module, arguments)
    if output.isnan().any():
        raise UserError(
            "This {family} model computes what is not a number in {dtype}: its weights are damaged, or the "
            "dtype is too narrow; choose float32.",
            family=family,
            dtype=str(output.dtype).removeprefix("torch."),
        )
    has_interface = module.config._attn_implementation == IMPLEMENTATION  # type: ignore[union-attr]
    if has_interface:
        _set_implementation(module, "eager")
    maps = _reported_maps(module, arguments)
    _refuse_mixed_heads(maps, family)
    reported = sum(map(len, maps)) if has_interface else 0
    if has_interface and calls and calls >= reported and outputs_agree(output, _run_counting(module, arguments)[0]):
        _set_implementation(module, IMPLEMENTATION)
        return "interface"
    if not _returns_patterns(module, arguments):
        if 0 < calls < reported:
            raise UserError(
                "In the family {family} only {calls} of {reported} attention layers go through transformers' attention "
                "interface, and the others return no weight for each pair of tokens. Choose a model of another family.",
                family=family,
                calls=calls,
                reported=reported,
            )
        raise UserError(
            "The family {family} has no attention that can be shown exactly: its layers neither go through "
            "transformers' attention interface nor return a weight for each pair of tokens. Choose a model of another "
            "family.",
            family=family,
        )
    return "eager"


@contextmanager
def _choosing_few(module: nn.Module) -> Iterator[None]:
    """Let layers that choose some keys for each query choose few, so that a short text shows whether it is followed."""
    before = [(part, few, {name: getattr(part, name) for name in few}) for part, few in _choosing(module)]
    try:
        for part, few, _stated in before:
            vars(part).update(few)
        yield
    finally:
        for part, _few, stated in before:
            vars(part).update(stated)


def _choosing(module: nn.Module) -> list[tuple[nn.Module, dict[str, int]]]:
    """The parts that choose keys, with the fewest that they can."""
    found = [
        (part, few) for part in module.modules() for few in CHOOSING if all(type(vars(part).get(n)) is int for n in few)
    ]
    # A pool of keys is chosen whole.
    return [
        (part, {n: max(value, vars(part).get("index_kpool", 0)) for n, value in few.items()}) for part, few in found
    ]


def _probe_arguments(ids: Tensor, *, encoder_decoder: bool) -> dict[str, Any]:
    """The module's arguments; the target is shorter than the source, so that the three kinds of map differ in shape."""
    target = {"decoder_input_ids": ids[:, : max(ids.shape[1] - 1, 1)]} if encoder_decoder else {}
    return {"input_ids": ids, **target}


@torch.inference_mode()
def _run_counting(module: nn.Module, arguments: dict[str, Any]) -> tuple[Tensor, int]:
    """The model's logits or last hidden state, and the number of attention calls at the seam."""
    calls = 0

    def count(call: AttentionCall) -> Tensor:
        nonlocal calls
        calls += 1
        return z(call)

    with handling(count):
        result = module(**arguments)
    logits = getattr(result, "logits", None)
    return (result.last_hidden_state if logits is None else logits), calls


def outputs_agree(output: Tensor, expected: Tensor) -> bool:
    """Whether two outputs are equal up to rounding; tokens that a model forbids (minus infinity) are ignored."""
    finite = expected.isfinite()
    if not finite.any():
        return False
    allowed = TOLERANCE.get(output.dtype, TOLERANCE_HALF) * expected[finite].abs().max().item()
    return bool((output - expected)[finite].abs().max().item() <= allowed)


def _set_implementation(module: nn.Module, implementation: str) -> None:
    module.set_attn_implementation(implementation)  # type: ignore[operator]


MAPS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")
"""What transformers calls the maps of a stack, or of a kind of attention."""


@torch.inference_mode()
def _reported_maps(module: nn.Module, arguments: dict[str, Any]) -> list[list[Tensor]]:
    """The weights that each kind of attention returns when it is asked to; empty where the model cannot be asked."""
    try:
        result = module(**arguments, output_attentions=True)
    except Exception:
        return []
    return [[maps for maps in getattr(result, name, None) or () if isinstance(maps, Tensor)] for name in MAPS]


def _refuse_mixed_heads(reported: list[list[Tensor]], family: str) -> None:
    """Raise UserError for a stack whose layers have different numbers of heads (Laguna, Inkling).

    Every picture of all heads is a grid: heads that only some layers have would be left out of it.
    """
    for maps in reported:
        counts = sorted({layer.shape[1] for layer in maps if layer.dim() == 4})
        if len(counts) > 1:
            raise UserError(
                "The layers of this {family} model have different numbers of heads ({counts}), and all heads are drawn "
                "and compared as a grid of equal rows. Choose a model whose layers have as many heads each.",
                family=family,
                counts=", ".join(map(str, counts)),
            )


@torch.inference_mode()
def _returns_patterns(module: nn.Module, arguments: dict[str, Any]) -> bool:
    """Whether `output_attentions` returns a full map per layer: [1, head, query, key], rows summing to one."""
    try:
        result = module(**arguments, output_attentions=True)
    except Exception:
        return False
    source = arguments["input_ids"].shape[1]
    if "decoder_input_ids" not in arguments:
        return _are_patterns(getattr(result, "attentions", None), source, source)
    target = arguments["decoder_input_ids"].shape[1]
    return (
        _are_patterns(result.encoder_attentions, source, source)
        and _are_patterns(result.decoder_attentions, target, target)
        and _are_patterns(result.cross_attentions, target, source)
    )


def _are_patterns(maps: Any, queries: int, keys: int) -> bool:
    """Whether `maps` is a non-empty sequence of maps of this shape whose rows sum to one."""
    if not isinstance(maps, tuple | list) or not maps:
        return False
    if not all(
        isinstance(layer, Tensor) and layer.dim() == 4 and layer.shape[-2:] == (queries, keys) for layer in maps
    ):
        return False
    return all((layer.float().sum(-1) - 1).abs().max().item() < ROW_SUM_TOLERANCE for layer in maps)
