"""Fill-mask: what an encoder with a masked-LM head predicts at masked positions. Devlin et al. 2019."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.forward import run_pass
from playground.lens.capture.tokens import EmptyTextError, Token
from playground.lens.generate.generation import Alternative, alternatives_of, token_of
from playground.lens.generate.predictions import (
    Distribution,
    distribution,
    require_finite_logits,
    require_output_head,
)
from playground.special_tokens import MASK

if TYPE_CHECKING:
    from playground.models import LoadedModel

MASKS = (MASK, "[MASK]", "<mask>")
"""Spellings of the mask token; any of them may be typed for any model."""
BATCH = 16
"""Number of masked copies of a text in one pass."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskedPosition:
    """The prediction at a masked position."""

    position: int
    token: Token
    """What stood there: the mask, or the token that was masked."""
    distribution: Distribution
    alternatives: tuple[Alternative, ...]
    """Most probable first."""


def fill_masks(
    model: "LoadedModel",
    text: str,
    *,
    positions: Sequence[int] = (),
    pair: str | None = None,
    k: int = 10,
) -> tuple[MaskedPosition, ...]:
    """Predict every mask of a text, and these positions of it, all masked at once.

    Raises UserError for a model without a masked-LM head, a text without a mask, or a position out of range.
    """
    mask = mask_id(model)
    tokens, arguments = _tokens_and_arguments(model, spell_masks(model, text), pair)
    if any(not 0 <= position < len(tokens) for position in positions):
        raise UserError("There is no such token to mask; choose positions from 0 to {last}.", last=len(tokens) - 1)
    masked = sorted({*positions, *(position for position, token in enumerate(tokens) if token.id == mask)})
    if not masked:
        raise UserError("Nothing is masked; write {mask} for a word, or choose one.", mask=token_of(model, mask).text)
    ids = arguments[model.adapter.ids_name].clone()
    ids[0, masked] = mask
    with torch.inference_mode():
        logits = _mask_logits(model, {**arguments, model.adapter.ids_name: ids})[0]
    return tuple(_masked_position(model, tokens[position], position, logits[position], k) for position in masked)


def each_masked(
    model: "LoadedModel", text: str, pair: str | None = None
) -> tuple[list[Token], Iterator[tuple[int, Float[Tensor, "vocabulary"]]]]:
    """Mask each non-special token alone: the tokens, and an iterator over positions with their logits.

    The terms of the pseudo-log-likelihood (Salazar et al. 2020, section 2).
    """
    mask = mask_id(model)
    tokens, arguments = _tokens_and_arguments(model, text, pair)
    positions = [position for position, token in enumerate(tokens) if not token.special]
    return tokens, _masked_alone(model, arguments, positions, mask)


@torch.inference_mode()
def _masked_alone(
    model: "LoadedModel", arguments: dict[str, Any], positions: list[int], mask: int
) -> Iterator[tuple[int, Float[Tensor, "vocabulary"]]]:
    name = model.adapter.ids_name
    for start in range(0, len(positions), BATCH):
        chosen = torch.tensor(positions[start : start + BATCH], device=model.device)
        batch = {
            key: value.expand(len(chosen), -1) if isinstance(value, Tensor) else value
            for key, value in arguments.items()
        }
        batch[name] = _mask_diagonal(batch[name], chosen, mask)
        logits = _mask_logits(model, batch)
        for row, position in enumerate(chosen.tolist()):
            yield position, logits[row, position]


def _mask_diagonal(ids: Int[Tensor, "row token"], positions: Int[Tensor, "row"], mask: int) -> Int[Tensor, "row token"]:
    """Each row with the mask at its own position."""
    return ids.scatter(1, positions[:, None], mask)


def mask_id(model: "LoadedModel") -> int:
    """The mask's token id. Raises UserError for a model that predicts no masked tokens."""
    require_output_head(model)
    if model.kind != "encoder":
        raise UserError(
            "{name} is a {kind}: it predicts the next token, not masked ones.", name=model.name, kind=model.kind
        )
    mask = model.adapter.mask_id(MASKS)
    if mask is None:
        raise UserError("The vocabulary of {name} has no mask token, so it cannot fill masks.", name=model.name)
    return mask


def spell_masks(model: "LoadedModel", text: str) -> str:
    """The text with every known spelling of the mask replaced by the model's own."""
    mask, tokenizer = mask_id(model), model.tokenizer
    spelling = str(tokenizer.id_to_token(mask) if isinstance(tokenizer, Tokenizer) else tokenizer.mask_token)
    return re.sub("|".join(map(re.escape, MASKS)), lambda _match: spelling, text)


def _tokens_and_arguments(model: "LoadedModel", text: str, pair: str | None) -> tuple[list[Token], dict[str, Any]]:
    """The tokens of a text, and the arguments of a pass over them."""
    result = run_pass(model, text, None, pair=pair, truncate=False, on_layer=None)
    if not result.source:
        raise EmptyTextError()
    # The pass of a trace asks for the last position's logits only, where the family can (XLM).
    return list(result.source), {name: value for name, value in result.arguments.items() if name != "logits_to_keep"}


def _mask_logits(model: "LoadedModel", arguments: dict[str, Any]) -> Float[Tensor, "row token vocabulary"]:
    logits = model.adapter.logits(model.module(**arguments))
    assert logits is not None
    require_finite_logits(logits)
    return logits.float()


def _masked_position(
    model: "LoadedModel", token: Token, position: int, logits: Float[Tensor, "vocabulary"], k: int
) -> MaskedPosition:
    predicted = distribution(logits)
    alternatives = alternatives_of(model, predicted, predicted.top(k))
    return MaskedPosition(position=position, token=token, distribution=predicted, alternatives=alternatives)
