"""Activation patching: what of a clean pass, put into a corrupted one, brings the clean answer back?

Vig et al. 2020 and Meng et al. 2022 (causal tracing). The measure is the difference of two logits, scaled so that the
corrupted pass is 0 and the clean pass 1 (Wang et al. 2022, section 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.activations import Activations, capture, read
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import encode
from playground.lens.generate.fill import spell_masks
from playground.lens.intervene.ablation import heads_of, made
from playground.lens.intervene.interventions import Component, Part, Replacement, Row, run_replaced
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

Patched = Literal["residual", "attention", "feed_forward"]


@dataclass(frozen=True, kw_only=True)
class PatchingExample:
    """Two prompts of one length that differ in a few words, the clean one's answer and the corrupted one's.

    target: what an encoder-decoder's decoder reads in both.
    """

    name: str
    clean: str
    corrupted: str
    answer: str
    other: str
    about: str
    target: str = ""


EXAMPLES = (
    PatchingExample(
        name="Indirect object",
        clean="When Mary and John went to the store, John gave a drink to",
        corrupted="When Mary and John went to the store, Mary gave a drink to",
        answer=" Mary",
        other=" John",
        about="Who receives the drink is whoever was not named twice (Wang et al. 2022).",
    ),
    PatchingExample(
        name="Induction",
        clean="Anna Smith met Peter Brown. Anna",
        corrupted="Anna Brown met Peter Smith. Anna",
        answer=" Smith",
        other=" Brown",
        about="What followed a word the last time follows it again (Olsson et al. 2022).",
    ),
    PatchingExample(
        name="Agreement",
        clean="The keys to the cabinet",
        corrupted="The key to the cabinet",
        answer=" are",
        other=" is",
        about="The verb agrees with its subject, not with the noun beside it (Linzen et al. 2016).",
    ),
)

TRANSLATED = (
    PatchingExample(
        name="Who receives it",
        clean="french: Anna gives the red ball to Ben.",
        corrupted="french: Anna gives the red ball to Tom.",
        answer="Ben",
        other="Tom",
        about="The name crosses from the source: cross-attention brings it to the place where it is written.",
        target="Anna donne la balle rouge à",
    ),
    PatchingExample(
        name="What is given",
        clean="french: Anna gives the red ball to Ben.",
        corrupted="french: Anna gives the red book to Ben.",
        answer="balle",
        other="livre",
        about="The noun, and with it the French article, comes from one word of the source.",
        target="Anna donne",
    ),
)
"""The same for a model that translates short sentences."""
MASKED = PatchingExample(
    name="Whose hand",
    clean="She took [MASK] hand.",
    corrupted="He took [MASK] hand.",
    answer=" her",
    other=" his",
    about="The pronoun that is filled in agrees with the one that was read.",
)
"""The same for a model that fills in words."""


def examples_of(model: "LoadedModel") -> tuple[PatchingExample, ...]:
    """The examples that fit a model's kind, the best one first."""
    if model.kind == "encoder-decoder":
        return TRANSLATED
    try:
        clean, corrupted = (spell_masks(model, text) for text in (MASKED.clean, MASKED.corrupted))
    except UserError:
        return EXAMPLES
    return (replace(MASKED, clean=clean, corrupted=corrupted), *EXAMPLES)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """The clean and the corrupted pass, and the two tokens whose logits are compared at a position."""

    model: "LoadedModel"
    clean: Activations
    corrupted: Activations
    position: int
    answer: int
    other: int

    def difference(self, logits: Float[Tensor, "token vocabulary"]) -> float:
        """The answer's logit less the other token's."""
        return float(logits[self.position, self.answer] - logits[self.position, self.other])

    @property
    def clean_difference(self) -> float:
        """The difference in the clean pass."""
        return self.difference(self.clean.predicted())

    @property
    def corrupted_difference(self) -> float:
        """The difference in the corrupted pass."""
        return self.difference(self.corrupted.predicted())

    def share(self, difference: float) -> float:
        """Where a difference lies: 0 as corrupted, 1 as clean."""
        return (difference - self.corrupted_difference) / (self.clean_difference - self.corrupted_difference)


def prepare_pair(
    model: "LoadedModel",
    clean: str,
    corrupted: str,
    *,
    answer: int,
    other: int,
    position: int = -1,
    targets: tuple[str, str] | None = None,
    pair: str | None = None,
) -> Pair:
    """Run both prompts; pair: the second sentence of both, for encoders.

    Raises UserError where they differ in length or the answers do not differ between them.
    """
    first, second = targets or (None, None)
    prompts = ((clean, first), (corrupted, second))
    passes = [capture(model, read(model, text, target, pair)) for text, target in prompts]
    lengths = [(len(one.reading.tokens), len(one.reading.source)) for one in passes]
    if lengths[0] != lengths[1]:
        raise UserError(
            "The clean prompt has {length} tokens and the corrupted one {length_2}; change words so that "
            "both have as many, or tokens would be put in others' places.",
            length=lengths[0][0],
            length_2=lengths[1][0],
        )
    vocabulary, length = passes[0].predicted().shape[-1], lengths[0][0]
    if not all(0 <= one < vocabulary for one in (answer, other)) or not -length <= position < length:
        raise UserError(
            "Choose a position from {length} to {length_2} and tokens from 0 to {vocabulary}.",
            length=-length,
            length_2=length - 1,
            vocabulary=vocabulary - 1,
        )
    found = Pair(model=model, clean=passes[0], corrupted=passes[1], position=position, answer=answer, other=other)
    if abs(found.clean_difference - found.corrupted_difference) < 1e-4:
        raise UserError("Both prompts prefer the answer equally, so that there is nothing to bring back; change one.")
    return found


def first_id(model: "LoadedModel", word: str) -> int:
    """The id of the token that a word begins with. Raises UserError for a word without tokens."""
    tokens = [token for token in encode(model.tokenizer, word) if not token.special]
    if not tokens:
        raise UserError("The answer has no tokens; type a word.")
    return tokens[0].id


def patch_positions(
    pair: Pair, part: Patched, *, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> Float[np.ndarray, "layer token"]:
    """The share brought back by the clean activation of one layer at one token, for every layer and token."""
    kind = kind or pair.clean.parts.kind
    layers = _layers(pair.clean, part, kind)
    length = pair.clean.residual[kind if kind != "cross" else "decoder", 0].shape[0]
    rows = [_row(pair.clean, part, layer, kind, position=position) for layer in layers for position in range(length)]
    return patch_rows(pair, rows, on_progress).reshape(len(layers), length)


def patch_heads(
    pair: Pair, *, kind: SiteKind | None = None, position: int | None = None, on_progress: OnProgress = no_progress
) -> Float[np.ndarray, "layer head"]:
    """The share brought back by each head's clean z, at one token or at all."""
    heads = heads_of(pair.clean, kind)
    rows = [[_replacement(pair.clean, head, position)] for head in heads]
    return patch_rows(pair, rows, on_progress).reshape(heads[-1].layer + 1, -1)


def patch_head_positions(
    pair: Pair, layer: int, *, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> Float[np.ndarray, "head token"]:
    """The share brought back by each head of one layer at each token."""
    heads = [head for head in heads_of(pair.clean, kind) if head.layer == layer]
    if not heads:
        raise UserError("There is no layer {layer}.", layer=layer)
    length = pair.clean.z[heads[0].kind, layer].shape[1]
    rows = [[_replacement(pair.clean, head, position)] for head in heads for position in range(length)]
    return patch_rows(pair, rows, on_progress).reshape(len(heads), length)


@torch.inference_mode()
def patch_rows(pair: Pair, rows: Sequence[Row], on_progress: OnProgress = no_progress) -> Float[np.ndarray, "row"]:
    """The share that each row of replacements, put into the corrupted pass, brings back."""
    shares = np.zeros(len(rows), dtype=np.float32)
    for number, logits in run_replaced(pair.model, pair.corrupted, rows, on_progress):
        shares[number] = pair.share(pair.difference(logits))
    return shares


def _layers(clean: Activations, part: Patched, kind: SiteKind) -> list[int]:
    tables = {"residual": clean.residual, "attention": clean.attention, "feed_forward": clean.feed_forward}
    layers = [layer for found, layer in tables[part] if found == kind]
    if not layers:
        raise UserError("This model has no {part} layers of that kind to patch.", part=part.replace("_", "-"))
    return sorted(layers)


def _row(clean: Activations, part: Part, layer: int, kind: SiteKind, *, position: int) -> Row:
    return [_replacement(clean, Component(part=part, layer=layer, kind=kind), position)]


def _replacement(clean: Activations, component: Component, position: int | None) -> Replacement:
    return Replacement(component=component, value=made(clean, component), position=position)
