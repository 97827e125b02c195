"""Fill in masked words: what an encoder with a head for words expects at the masks of a text. Devlin et al. 2019."""

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
from playground.lens.capture.tokens import Token, label
from playground.lens.generate.generation import Alternative
from playground.lens.generate.predictions import Distribution, distribution, refuse_not_a_number, require_output_head

if TYPE_CHECKING:
    from playground.models import LoadedModel

MASKS = ("<|mask|>", "[MASK]", "<mask>")
"""How vocabularies spell the mask; any of them may be typed for any model."""
ROWS = 16
"""How many masked copies of a text are read at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Blank:
    """A masked place: its token (the mask, or the word that was masked), what could stand there, from the top."""

    position: int
    token: Token
    distribution: Distribution
    alternatives: tuple[Alternative, ...]


def fill(
    model: "LoadedModel",
    text: str,
    *,
    positions: Sequence[int] = (),
    pair: str | None = None,
    k: int = 10,
) -> tuple[Blank, ...]:
    """What the model expects at each mask of a text, and at these positions of it, which are masked all at once.

    Raises UserError for a model that fills in no words, a text without a mask, or a position that is not there.
    """
    mask = mask_id(model)
    tokens, arguments, name = _read(model, spell_masks(model, text), pair)
    if any(not 0 <= position < len(tokens) for position in positions):
        raise UserError(
            "There is no such token to mask; choose positions from 0 to {n_tokens}.", n_tokens=len(tokens) - 1
        )
    blanks = sorted({*positions, *(place for place, token in enumerate(tokens) if token.id == mask)})
    if not blanks:
        raise UserError(
            "Nothing is masked; write {text} for a word, or choose one.", text=label(model.tokenizer, [mask])[0].text
        )
    ids = arguments[name].clone()
    ids[0, blanks] = mask
    with torch.inference_mode():
        logits = _logits(model, {**arguments, name: ids})[0]
    return tuple(_blank(model, tokens[place], place, logits[place], k) for place in blanks)


def each_masked(
    model: "LoadedModel", text: str, pair: str | None = None
) -> tuple[list[Token], Iterator[tuple[int, Float[Tensor, "vocabulary"]]]]:
    """Each token that is not special masked alone: the tokens, and their places with the logits there.

    Salazar et al. 2020, section 2: the pseudo-log-likelihood's terms.
    """
    mask = mask_id(model)
    tokens, arguments, name = _read(model, text, pair)
    places = [place for place, token in enumerate(tokens) if not token.special]
    return tokens, _masked_alone(model, arguments, name, places, mask)


@torch.inference_mode()
def _masked_alone(
    model: "LoadedModel", arguments: dict[str, Any], name: str, places: list[int], mask: int
) -> Iterator[tuple[int, Float[Tensor, "vocabulary"]]]:
    for begin in range(0, len(places), ROWS):
        chosen = torch.tensor(places[begin : begin + ROWS], device=model.device)
        given = {
            key: value.expand(len(chosen), -1) if isinstance(value, Tensor) else value
            for key, value in arguments.items()
        }
        given[name] = _with_mask(given[name], chosen, mask)
        logits = _logits(model, given)
        for row, place in enumerate(chosen.tolist()):
            yield place, logits[row, place]


def _with_mask(ids: Int[Tensor, "row token"], places: Int[Tensor, "row"], mask: int) -> Int[Tensor, "row token"]:
    """Each row with the mask at its own place."""
    return ids.scatter(1, places[:, None], mask)


def mask_id(model: "LoadedModel") -> int:
    """The mask's token id. Raises UserError for a model that fills in no words."""
    require_output_head(model)
    if model.kind != "encoder":
        raise UserError(
            "{name} is a {kind}: it writes what comes next, and fills in no masked words.",
            name=model.name,
            kind=model.kind,
        )
    tokenizer = model.tokenizer
    if isinstance(tokenizer, Tokenizer):
        found = next((tokenizer.token_to_id(mask) for mask in MASKS if tokenizer.token_to_id(mask) is not None), None)
    else:
        found = tokenizer.mask_token_id
    if found is None:
        raise UserError("The vocabulary of {name} has no mask, so that it can fill in no words.", name=model.name)
    return int(found)


def spell_masks(model: "LoadedModel", text: str) -> str:
    """The text with every known spelling of the mask in the model's own."""
    mask, tokenizer = mask_id(model), model.tokenizer
    spelled = str(tokenizer.id_to_token(mask) if isinstance(tokenizer, Tokenizer) else tokenizer.mask_token)
    return re.sub("|".join(map(re.escape, MASKS)), lambda _: spelled, text)


def _read(model: "LoadedModel", text: str, pair: str | None) -> tuple[list[Token], dict[str, Any], str]:
    """The tokens of a text, the arguments of a pass, and which of them holds the ids."""
    result = run_pass(model, text, None, pair=pair, truncate=False, on_layer=None)
    if not result.source:
        raise UserError("The text has no tokens; type a few words.")
    return list(result.source), result.arguments, "ids" if model.family == "playground" else "input_ids"


def _logits(model: "LoadedModel", arguments: dict[str, Any]) -> Float[Tensor, "row token vocabulary"]:
    output = model.module(**arguments)
    logits: Tensor = output if isinstance(output, Tensor) else output.logits
    refuse_not_a_number(logits)
    return logits.float()


def _blank(model: "LoadedModel", token: Token, position: int, logits: Float[Tensor, "vocabulary"], k: int) -> Blank:
    found = distribution(logits)
    alternatives = tuple(
        Alternative(
            token=label(model.tokenizer, [id])[0],
            probability=float(found.model[id]),
            sampled=float(found.sampled[id]),
            rank=rank,
        )
        for rank, id in enumerate(found.top(k))
    )
    return Blank(position=position, token=token, distribution=found, alternatives=alternatives)
