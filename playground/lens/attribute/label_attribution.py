"""Which tokens a classifier's answer comes from: integrated gradients of a label's logit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from playground.lens.attribute.integrated_gradients import (
    Baseline,
    TokenAttribution,
    attribute_embeddings,
)
from playground.lens.capture.tokens import Token
from playground.lens.generate.classification import ask_label
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelAttribution:
    """Each token's attribution of a label's logit."""

    tokens: tuple[Token, ...]
    label: str
    position: int | None
    """The token that is labelled; None where the whole text is."""
    result: TokenAttribution


def attribute_label(
    model: "LoadedModel",
    text: str,
    pair: str | None = None,
    *,
    label: int,
    position: int | None = None,
    baseline: Baseline = "filler",
    steps: int = 512,
    truncate: bool = False,
    on_progress: OnProgress = no_progress,
) -> LabelAttribution:
    """Attribute the logit of a label to the tokens of a text, as `integrated_gradients` does for a predicted token.

    label, position, and what is refused: see `ask_label`.
    """
    asked = ask_label(model, text, pair, label=label, position=position, truncate=truncate)

    def run(copies: int) -> Tensor:
        return asked.answer(copies)[:, label]

    result = attribute_embeddings(model, asked.ids, run, steps=steps, baseline=baseline, on_progress=on_progress)
    tokens = tuple(asked.row.tokens(model))
    return LabelAttribution(tokens=tokens, label=asked.label, position=position, result=result)
