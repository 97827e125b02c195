"""Activation patching: put clean activations into a corrupted pass and see how much of the clean answer they recover.

Vig et al. 2020 and Meng et al. 2022 (causal tracing). The metric is the recovered logit difference between the correct
and a counterfactual answer: 0 as in the corrupted pass, 1 as in the clean one (Wang et al. 2022, section 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.activations import Activations, Component, capture, encode_text
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import encode
from playground.lens.intervene.interventions import Intervention, Replacement, run_interventions
from playground.lens.tolerances import SAME_ANSWER
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

PatchedPart = Literal["residual", "attention", "feed_forward"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PromptPair:
    """A clean and a corrupted pass, and the two answers whose logits are compared at a position."""

    model: "LoadedModel"
    clean: Activations
    corrupted: Activations
    position: int
    answer: int
    """Token id of the correct answer."""
    counterfactual: int
    """Token id of the other answer."""

    def logit_difference(self, logits: Float[Tensor, "token vocabulary"]) -> float:
        """The correct answer's logit minus the counterfactual one's."""
        return float(logits[self.position, self.answer] - logits[self.position, self.counterfactual])

    @property
    def clean_difference(self) -> float:
        """The logit difference in the clean pass."""
        return self.logit_difference(self.clean.predicted())

    @property
    def corrupted_difference(self) -> float:
        """The logit difference in the corrupted pass."""
        return self.logit_difference(self.corrupted.predicted())

    def recovered(self, difference: float) -> float:
        """A logit difference on the scale from 0, as corrupted, to 1, as clean."""
        return (difference - self.corrupted_difference) / (self.clean_difference - self.corrupted_difference)


def is_solved(clean_difference: float, corrupted_difference: float) -> bool:
    """Whether a model prefers the correct answer to the clean prompt and the counterfactual to the corrupted one."""
    return clean_difference > 0 > corrupted_difference


@dataclass(frozen=True, kw_only=True, eq=False)
class Recovery:
    """What each patch recovers, with the two logit differences that its scale lies between."""

    clean_difference: float
    corrupted_difference: float
    recovered: Float[np.ndarray, "row column"]

    @property
    def is_solved(self) -> bool:
        """Whether the recovered share is a scale from the one answer to the other."""
        return is_solved(self.clean_difference, self.corrupted_difference)

    @property
    def change(self) -> Float[np.ndarray, "row column"]:
        """The change of the corrupted prompt's logit difference, in logits."""
        return self.recovered * (self.clean_difference - self.corrupted_difference)


def prepare_pair(
    model: "LoadedModel",
    clean: str,
    corrupted: str,
    *,
    answer: int,
    counterfactual: int,
    position: int = -1,
    targets: tuple[str, str] | None = None,
    pair: str | None = None,
    truncate: bool = False,
) -> PromptPair:
    """Run both prompts; targets: an encoder-decoder's, clean and corrupted; pair: an encoder's second sentence of both.

    Raises UserError for prompts of different lengths, and where both prefer the answer equally.
    """
    clean_target, corrupted_target = targets or (None, None)
    prompts = ((clean, clean_target), (corrupted, corrupted_target))
    first, second = (
        capture(model, encode_text(model, text, target, pair, truncate=truncate)) for text, target in prompts
    )
    length = len(first.encoded.tokens)
    if (length, len(first.encoded.source)) != (len(second.encoded.tokens), len(second.encoded.source)):
        raise UserError(
            "The clean prompt has {n_clean} tokens and the corrupted one {n_corrupted}; change words so that "
            "both have as many, or tokens would be patched into others' positions.",
            n_clean=length,
            n_corrupted=len(second.encoded.tokens),
        )
    first.check_prediction(position, answer, counterfactual)
    prompt_pair = PromptPair(
        model=model, clean=first, corrupted=second, position=position, answer=answer, counterfactual=counterfactual
    )
    if abs(prompt_pair.clean_difference - prompt_pair.corrupted_difference) < SAME_ANSWER:
        raise UserError("Both prompts prefer the answer equally, so that there is nothing to recover; change one.")
    return prompt_pair


def first_token_id(model: "LoadedModel", word: str) -> int:
    """The id of a word's first token. Raises UserError for a word without tokens."""
    tokens = [token for token in encode(model.tokenizer, word) if not token.special]
    if not tokens:
        raise UserError("The answer has no tokens; type a word.")
    return tokens[0].id


def patch_positions(
    pair: PromptPair, part: PatchedPart, *, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> Float[np.ndarray, "layer token"]:
    """Recovered logit difference by patching one layer at one token, for every layer that has the part, and token."""
    kind = kind or pair.clean.parts.kind
    layers = patched_layers(pair.clean, part, kind)
    length = len(
        pair.clean.encoded.source if kind == "encoder" and pair.clean.encoded.source else pair.clean.encoded.tokens
    )
    components = [Component(part=part, layer=layer, kind=kind) for layer in layers]
    patches = [_patch(pair.clean, item, position) for item in components for position in range(length)]
    return patch_each(pair, patches, on_progress).reshape(len(layers), length)


def patch_heads(
    pair: PromptPair,
    *,
    kind: SiteKind | None = None,
    position: int | None = None,
    on_progress: OnProgress = no_progress,
) -> Float[np.ndarray, "layer head"]:
    """Recovered logit difference by patching each head's z, at one token or at all."""
    heads = pair.clean.heads(kind)
    patches = [_patch(pair.clean, head, position) for head in heads]
    return patch_each(pair, patches, on_progress).reshape(len({head.layer for head in heads}), -1)


def patch_head_positions(
    pair: PromptPair, layer: int, *, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> Float[np.ndarray, "head token"]:
    """Recovered logit difference by patching each head of one layer at each token."""
    heads = [head for head in pair.clean.heads(kind) if head.layer == layer]
    if not heads:
        raise UserError("There is no layer {layer}.", layer=layer)
    length = pair.clean.z[heads[0].kind, layer].shape[1]
    patches = [_patch(pair.clean, head, position) for head in heads for position in range(length)]
    return patch_each(pair, patches, on_progress).reshape(len(heads), length)


@torch.inference_mode()
def patch_each(
    pair: PromptPair, patches: Sequence[Intervention], on_progress: OnProgress = no_progress
) -> Float[np.ndarray, "patch"]:
    """Recovered logit difference by each intervention in the corrupted pass."""
    recovered = np.zeros(len(patches), dtype=np.float32)
    for index, logits in run_interventions(pair.model, pair.corrupted, patches, on_progress):
        recovered[index] = pair.recovered(pair.logit_difference(logits))
    return recovered


def patched_layers(clean: Activations, part: PatchedPart, kind: SiteKind) -> list[int]:
    """The numbers of the blocks that have a part: the rows of `patch_positions`."""
    activations = {"residual": clean.residual, "attention": clean.attention, "feed_forward": clean.feed_forward}
    layers = [layer for site_kind, layer in activations[part] if site_kind == kind]
    if not layers:
        raise UserError("This model has no {part} layers of that kind to patch.", part=part.replace("_", "-"))
    return sorted(layers)


def _patch(clean: Activations, component: Component, position: int | None) -> Intervention:
    return [Replacement(component=component, value=clean.of(component), position=position)]
