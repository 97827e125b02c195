"""How a loaded model's attention is seen, found out by running a few tokens through it.

A family is trusted to the seam only if its calls arrive there and the output equals that of the family's own eager
attention: a keyword that the seam does not know would show as a difference, not as a wrong picture.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from playground.attention import IMPLEMENTATION, AttentionCall, handling, z
from playground.errors import UserError

Attention = Literal["interface", "eager"]

TOLERANCE = {torch.float32: 1e-3}
"""Largest difference allowed, relative to the largest output; half precision rounds much coarser."""
TOLERANCE_HALF = 0.1
ROW_SUM_TOLERANCE = 1e-2


def choose_attention(module: nn.Module, ids: Tensor, *, encoder_decoder: bool, family: str) -> Attention:
    """Find the way to see this model's attention, and leave the model set to it.

    ids: [1, token], a few tokens. Raises UserError for a family whose attention cannot be shown.
    """
    given = inputs(ids, encoder_decoder=encoder_decoder)
    output, calls = _run_counting(module, given)
    if output.isnan().any():
        raise UserError(
            "This {family} model computes what is not a number in {dtype}: its weights are damaged, or the "
            "dtype is too narrow; choose float32.",
            family=family,
            dtype=str(output.dtype).removeprefix("torch."),
        )
    if module.config._attn_implementation == IMPLEMENTATION:  # type: ignore[union-attr]
        _set_implementation(module, "eager")
        if calls and _agree(output, _run_counting(module, given)[0]):
            _set_implementation(module, IMPLEMENTATION)
            return "interface"
    if not _returns_patterns(module, given):
        raise UserError(
            "The family {family} has no attention that can be shown exactly: its layers neither go through "
            "transformers' attention interface nor return their patterns. Choose a model of another family.",
            family=family,
        )
    return "eager"


def inputs(ids: Tensor, *, encoder_decoder: bool) -> dict[str, Any]:
    """Keyword arguments of the probing run; the target is shorter, so that the three maps differ in shape."""
    target = {"decoder_input_ids": ids[:, : max(ids.shape[1] - 1, 1)]} if encoder_decoder else {}
    return {"input_ids": ids, **target}


@torch.inference_mode()
def _run_counting(module: nn.Module, given: dict[str, Any]) -> tuple[Tensor, int]:
    """The model's main output, and how many attention calls arrived at the seam."""
    calls = 0

    def count(call: AttentionCall) -> Tensor:
        nonlocal calls
        calls += 1
        return z(call)

    with handling(count):
        result = module(**given)
    logits = getattr(result, "logits", None)
    return (result.last_hidden_state if logits is None else logits), calls


def _agree(seen: Tensor, expected: Tensor) -> bool:
    """Whether two outputs are equal up to rounding, words that a model forbids (minus infinity) left out."""
    counted = expected.isfinite()
    if not counted.any():
        return False
    largest = TOLERANCE.get(seen.dtype, TOLERANCE_HALF) * expected[counted].abs().max().item()
    return bool((seen - expected)[counted].abs().max().item() <= largest)


def _set_implementation(module: nn.Module, implementation: str) -> None:
    module.set_attn_implementation(implementation)  # type: ignore[operator]


@torch.inference_mode()
def _returns_patterns(module: nn.Module, given: dict[str, Any]) -> bool:
    """Whether asking for attentions gives a full map per layer: [1, head, query, key], rows summing to one."""
    try:
        result = module(**given, output_attentions=True)
    except Exception:
        return False
    source, target = given["input_ids"].shape[1], given.get("decoder_input_ids", given["input_ids"]).shape[1]
    if "decoder_input_ids" not in given:
        return _are_patterns(getattr(result, "attentions", None), source, source)
    return (
        _are_patterns(result.encoder_attentions, source, source)
        and _are_patterns(result.decoder_attentions, target, target)
        and _are_patterns(result.cross_attentions, target, source)
    )


def _are_patterns(maps: Any, queries: int, keys: int) -> bool:
    """Whether it is a non-empty sequence of maps of the expected shape whose rows sum to one."""
    if not isinstance(maps, tuple | list) or not maps:
        return False
    if not all(isinstance(one, Tensor) and one.dim() == 4 and one.shape[-2:] == (queries, keys) for one in maps):
        return False
    return all((one.float().sum(-1) - 1).abs().max().item() < ROW_SUM_TOLERANCE for one in maps)
