"""How much of a text BertViz may draw before the browser stops answering.

BertViz makes one SVG element per pair of tokens in every head that it shows. Measured on two cores without a GPU,
Chromium paints 55,000 to 85,000 of them a second, and 15,000 to 60,000 where eight other processes want the same
cores; 590,000, which is 12 x 12 heads at 64 tokens, take 7 s at best. 150,000 take 2 to 3 s, below 5 s with most
kinds of company. A number takes at most 7 bytes: with the libraries a document stays below 5 MB.
"""

from dataclasses import dataclass
from typing import Literal

from playground.text import _

View = Literal["head", "model", "neuron"]

SHAPES = 150_000
"""SVG elements of one picture."""
NUMBERS = 600_000
"""Numbers in one document."""
BYTES_PER_NUMBER = 7
LIBRARY_BYTES = 450_000


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one document may hold: layers of all_layers, the first tokens of all_tokens; the SVG elements that
    one picture of it takes, and at most so many bytes."""

    view: View
    layers: int
    all_layers: int
    tokens: int
    all_tokens: int
    shapes: int
    bytes: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left out."""
        return self.layers == self.all_layers and self.tokens == self.all_tokens

    @property
    def sentence(self) -> str:
        """What is left out and why, for the user; empty where nothing is."""
        if self.is_complete:
            return ""
        why = _("BertViz draws every pair of tokens; so that the browser can follow, this view holds {what}.")
        layers = _("{shown} of {all} layers at a time").format(shown=self.layers, all=self.all_layers)
        tokens = _("the first {shown} of {all} tokens").format(shown=self.tokens, all=self.all_tokens)
        if self.layers == self.all_layers:
            return why.format(what=tokens)
        if self.tokens == self.all_tokens:
            return why.format(what=layers)
        return why.format(what=_("{layers} and {tokens}").format(layers=layers, tokens=tokens))


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """The price of one layer at a number of tokens."""

    view: View
    heads: int
    maps: int
    causal: bool
    width: int

    def numbers(self, tokens: int) -> int:
        return self.heads * (self.maps * self._pairs(tokens) + 2 * tokens * self.width)

    def shapes(self, tokens: int) -> int:
        """Elements of one layer, where the model view draws every layer at once; of one head in the neuron view."""
        if self.view == "neuron":
            return 6 * tokens**2 + 3 * tokens * self.width
        return self.heads * self._pairs(tokens)

    def _pairs(self, tokens: int) -> int:
        half = self.causal and self.view == "model"
        return tokens * (tokens + 1) // 2 if half else tokens**2


def within_budget(
    view: View, layers: int, heads: int, tokens: int, *, maps: int = 1, causal: bool = False, width: int = 0
) -> Budget:
    """What of these layers, heads and tokens one document may hold: all tokens if one layer of them fits.

    maps: how often a head's map stands in the document (2 for a sentence pair, 3 for encoder, decoder and cross).
    causal: no query looks at a later key. width: of a query or key vector, for the neuron view.
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
