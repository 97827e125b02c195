"""Which tokens a classifier's answer comes from: integrated gradients of a label's logit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from playground.errors import UserError
from playground.lens.attribute.integrated_gradients import (
    Baseline,
    TokenAttribution,
    attribute_embeddings,
)
from playground.lens.capture.tokens import Token
from playground.lens.generate.classification import tensors_of
from playground.lens.generate.encoded_rows import encode_row
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

    label: its number; of a span 0 for the start and 1 for the end. position: which token's label, where tokens are
    labelled. Raises UserError for a model without a head, and for a label or a token that is not there.
    """
    head = model.head
    if head is None:
        raise UserError("{name} has no classifier, so that there is no label to explain.", name=model.name)
    row = encode_row(model, text, pair, truncate=truncate)
    head.check_label(label, position, len(row.ids))
    ids, segments = tensors_of(model, [row])

    def run(rows: int) -> Tensor:
        logits = head.answer(ids.expand(rows, -1), segments.expand(rows, -1))
        return logits[:, label] if position is None else logits[:, position, label]

    result = attribute_embeddings(model, ids, run, steps=steps, baseline=baseline, on_progress=on_progress)
    return LabelAttribution(tokens=tuple(row.tokens(model)), label=head.labels[label], position=position, result=result)
