"""The neurons that add most at a token, as bars with the tokens that they promote."""

from typing import TYPE_CHECKING

import torch

from playground.lens.capture.tokens import label
from playground.lens.inspect.steps.logit_slopes import logit_slopes
from playground.lens.inspect.steps.neuron_step import neuron_label
from playground.lens.inspect.steps.neurons import feed_forward_of, output_row, promoted_tokens, rank_neurons
from playground.text import _
from playground.viewer.token_view.items import TokenItem

if TYPE_CHECKING:
    from playground.lens.trace import Trace

MOST_COUNT = 200
PROMOTED = 8
NAMED = 4
"""Promoted tokens that stand in the row itself."""


def neuron_items(traced: "Trace", layer: int, position: int, count: int) -> list[TokenItem]:
    """A bar for each neuron: |activation| · share · length of its output row. Its tokens are in the tooltip."""
    token = traced.whole_token(position)
    feed_forward = feed_forward_of(token, layer)
    ranked = rank_neurons(feed_forward)
    names = ranked.names[:count]
    rows = torch.stack([output_row(feed_forward.body, name) for name in names])
    slopes = logit_slopes(token, layer)
    promoted = None if slopes is None else promoted_tokens(slopes, rows, PROMOTED)
    most = max(float(ranked.added[0]), 1e-12)
    items = []
    for index, name in enumerate(names):
        lines = [_("activation {value:.4f}").format(value=float(ranked.activations[index]))]
        text = neuron_label(name, is_mixture=feed_forward.body.experts > 1)
        if promoted is not None:
            text += "  " + _joined(traced, promoted.promoted[index][:NAMED].tolist())
            raised, lowered = (_joined(traced, ids[index].tolist()) for ids in (promoted.promoted, promoted.suppressed))
            lines += [_("promotes {tokens}").format(tokens=raised), _("suppresses {tokens}").format(tokens=lowered)]
        items.append(
            TokenItem(
                text=text,
                value=float(ranked.added[index]) / most,
                number=f"{ranked.added[index]:.3f}",
                lines=tuple(lines),
                plain=True,
            )
        )
    return items


def _joined(traced: "Trace", ids: list[int]) -> str:
    return " ".join(f"“{token.text}”" for token in label(traced.model.tokenizer, ids))
