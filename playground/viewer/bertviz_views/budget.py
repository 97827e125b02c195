"""How much of a text BertViz may draw while the browser stays responsive.

BertViz makes one SVG element per pair of tokens in every head on show. Measured on two cores without a GPU, Chromium
paints 55,000 to 85,000 of them a second, and 15,000 to 60,000 beside eight other processes; 590,000 (12 x 12 heads
at 64 tokens) take 7 s at best, 150,000 take 2 to 3 s, and mostly below 5 s on busy cores. A number takes at most
7 bytes, so a document with its libraries stays below 5 MB.
"""

from dataclasses import dataclass
from typing import Literal

from playground.text import _

View = Literal["head", "model", "neuron"]

SHAPES = 150_000
"""The most SVG elements of one figure."""
NUMBERS = 600_000
"""The most numbers in one document."""
BYTES_PER_NUMBER = 7
LIBRARY_BYTES = 450_000


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one document may hold."""

    view: View
    layers: int
    """How many of `all_layers` are shown at a time."""
    all_layers: int
    tokens: int
    """How many of `all_tokens` are shown: the first ones."""
    all_tokens: int
    shapes: int
    """SVG elements of one figure."""
    bytes: int
    """Upper bound of the document's size."""

    @property
    def is_complete(self) -> bool:
        """Whether all layers and tokens are shown."""
        return self.layers == self.all_layers and self.tokens == self.all_tokens

    @property
    def sentence(self) -> str:
        """What is left out and why, for the user; empty if nothing is."""
        if self.is_complete:
            return ""
        template = _("BertViz draws every pair of tokens; so that the browser can follow, this view holds {what}.")
        layers = _("{shown} of {all} layers at a time").format(shown=self.layers, all=self.all_layers)
        tokens = _("the first {shown} of {all} tokens").format(shown=self.tokens, all=self.all_tokens)
        if self.layers == self.all_layers:
            return template.format(what=tokens)
        if self.tokens == self.all_tokens:
            return template.format(what=layers)
        return template.format(what=_("{layers} and {tokens}").format(layers=layers, tokens=tokens))


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """Numbers and SVG elements of one layer at a number of tokens."""

    view: View
    heads: int
    maps: int
    causal: bool
    width: int

    def numbers(self, tokens: int) -> int:
        return self.heads * (self.maps * self._pairs(tokens) + 2 * tokens * self.width)

    def shapes(self, tokens: int) -> int:
        """SVG elements of one layer; in the neuron view, which draws a single head, of that head."""
        if self.view == "neuron":
            return 6 * tokens**2 + 3 * tokens * self.width
        return self.heads * self._pairs(tokens)

    def _pairs(self, tokens: int) -> int:
        half = self.causal and self.view == "model"
        return tokens * (tokens + 1) // 2 if half else tokens**2


def within_budget(
    view: View, layers: int, heads: int, tokens: int, *, maps: int = 1, causal: bool = False, width: int = 0
) -> Budget:
    """How many tokens and layers one document may hold: all tokens if one layer of them fits.

    maps: copies of a head's map in the document (2 for a sentence pair, 3 for encoder, decoder and cross).
    causal: whether later keys are masked. width: of a query or key vector, for the neuron view.
    """
    cost = _Cost(view=view, heads=heads, maps=maps, causal=causal, width=width)
    fits = (n for n in range(tokens, 1, -1) if cost.shapes(n) <= SHAPES and cost.numbers(n) <= NUMBERS)
    shown = next(fits, min(tokens, 1))
    room = NUMBERS // max(1, cost.numbers(shown))
    if view == "model":
        room = min(room, SHAPES // max(1, cost.shapes(shown)))
    kept = min(layers, max(1, room))
    return Budget(
        view=view,
        layers=kept,
        all_layers=layers,
        tokens=shown,
        all_tokens=tokens,
        shapes=cost.shapes(shown) * (kept if view == "model" else 1),
        bytes=LIBRARY_BYTES + BYTES_PER_NUMBER * cost.numbers(shown) * kept,
    )
