"""A text coloured by what a model thinks of each token."""

import math

import numpy as np

from playground.lens.generate.surprisal import TextSurprisal
from playground.text import _
from playground.viewer.token_view.items import TokenItem


def surprisal_items(scores: TextSurprisal, measure: str, *, in_bits: bool = False) -> list[TokenItem]:
    """The tokens with their colour: full strength at the largest value, for probabilities at 1."""
    values: np.ndarray = getattr(scores, measure)
    finite = values[np.isfinite(values)]
    most = 1.0 if measure == "probability" or not finite.size else max(float(finite.max()), 1e-9)
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=min(1.0, float(values[position]) / most) if scores.predicted[position] else None,
            lines=_token_lines(scores, position, in_bits=in_bits),
        )
        for position, token in enumerate(scores.tokens)
    ]


def _token_lines(scores: TextSurprisal, position: int, *, in_bits: bool) -> tuple[str, ...]:
    if not scores.predicted[position]:
        return (_("not predicted"),)
    template = _("{name} {value:.4f} bits") if in_bits else _("{name} {value:.4f} nats")
    scale = 1 / math.log(2) if in_bits else 1.0
    return (
        _("probability {value:.6g}").format(value=float(scores.probability[position])),
        template.format(name=_("surprisal"), value=float(scores.surprisal[position]) * scale),
        template.format(name=_("entropy"), value=float(scores.entropy[position]) * scale),
        _("rank {rank:,}").format(rank=int(scores.rank[position]) + 1),
    )
