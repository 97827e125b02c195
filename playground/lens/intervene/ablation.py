"""Ablation: remove components, measure the effect; single heads, MLPs and layers, and joint sets.

A component is replaced by zero, by its mean over the tokens of the text (or of a reference), or by its activation on
another text of the same length ("resampled"; Chan et al. 2022, causal scrubbing). Heads are replaced at the seam,
before the output projection, so that an ablated head still leaves the projection's bias.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.activations import Activations, Component, Part, capture, encode_text, predicted_ids
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.interventions import Intervention, Replacement, run_interventions
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

AblationMethod = Literal["zero", "mean", "resampled"]
EffectMetric = Literal["loss", "divergence", "logit"]
METRICS: tuple[EffectMetric, ...] = ("loss", "divergence", "logit")


@dataclass(frozen=True, kw_only=True)
class TargetToken:
    """The prediction whose logit is measured: a token id at a position."""

    position: int
    token: int


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How an intervention changed the predictions."""

    loss: float
    """Change of the mean cross-entropy in nats (a decoder's next tokens, an encoder's own; NaN for a decoder's text of
    one token)."""
    divergence: float
    """Mean over positions of KL(clean || changed) in nats."""
    logit: float
    """Change of the target token's logit."""
    divergence_at_target: float
    """KL(clean || changed) at the target's position in nats."""

    def size(self, metric: EffectMetric) -> float:
        """The effect's magnitude in one metric."""
        return abs({"loss": self.loss, "divergence": self.divergence, "logit": self.logit}[metric])


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """A model on a text, and how its components are ablated."""

    model: "LoadedModel"
    clean: Activations
    """The pass that effects are measured against."""
    method: AblationMethod
    reference: Activations
    """Where means and resampled activations come from; the clean pass without another text."""
    target_token: TargetToken

    def replacement(self, component: Component) -> Replacement:
        """What replaces the component."""
        return replace_component(component, self.method, self.reference)


def replace_component(component: Component, method: AblationMethod, reference: Activations) -> Replacement:
    """What replaces a component: zero, its mean over the tokens of the reference, or its activation there."""
    if method == "zero":
        return Replacement(component=component)
    activation = reference.of(component)
    return Replacement(component=component, value=activation.mean(0) if method == "mean" else activation)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadEffects:
    """The effect of ablating each head alone, by metric, in nats and logits."""

    kind: SiteKind
    layers: tuple[int, ...]
    """The numbers of the blocks that attend: the rows."""
    loss: Float[np.ndarray, "layer head"]
    divergence: Float[np.ndarray, "layer head"]
    logit: Float[np.ndarray, "layer head"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerEffects:
    """The effect of ablating each attention layer, MLP and block alone, by metric; NaN where a block has no such part.

    A block (`layer`) is everything that it adds to the residual stream. In a mixed stack the blocks without attention
    are rows too, and what they mix tokens by (`mixer`) is a column.
    """

    kind: SiteKind
    layers: tuple[int, ...]
    """The numbers of the blocks: the rows."""
    parts: tuple[Part, ...]
    loss: Float[np.ndarray, "layer part"]
    divergence: Float[np.ndarray, "layer part"]
    logit: Float[np.ndarray, "layer part"]


def prepare(
    model: "LoadedModel",
    text: str,
    *,
    target: str | None = None,
    pair: str | None = None,
    method: AblationMethod = "zero",
    reference: str | None = None,
    target_token: TargetToken | None = None,
    truncate: bool = False,
) -> Experiment:
    """Run the model once on the text, and once on the reference where there is one.

    The target token is by default the most probable one at the last position; `truncate` cuts texts that do not fit.
    Raises UserError for a model without an
    output head, for a position that is not there, and for a resampled text of another length.
    """
    clean = capture(model, encode_text(model, text, target, pair, truncate=truncate))
    logits = clean.predicted()
    if logits.isnan().any():
        raise UserError(
            "{name} computes what is not a number, so that there is nothing to measure: its weights are damaged.",
            name=model.name,
        )
    if method == "resampled" and reference is None:
        raise UserError("Resampling takes activations from another text; give one of as many tokens.")
    other = clean
    if reference is not None:
        other = capture(model, encode_text(model, reference, target, pair, truncate=truncate))
    if method == "resampled" and _lengths(other) != _lengths(clean):
        raise UserError(
            "The texts have {n_tokens} and {n_reference_tokens} tokens; to resample, they need as many.",
            n_tokens=_lengths(clean)[0],
            n_reference_tokens=_lengths(other)[0],
        )
    length = len(clean.encoded.tokens)
    target_token = target_token or TargetToken(position=length - 1, token=int(logits[-1].argmax()))
    clean.check_prediction(target_token.position, target_token.token)
    return Experiment(model=model, clean=clean, method=method, reference=other, target_token=target_token)


def ablate(experiment: Experiment, components: Sequence[Component]) -> Effect:
    """The effect of ablating these components together."""
    return ablate_each(experiment, [components])[0]


@torch.inference_mode()
def ablate_each(
    experiment: Experiment, sets: Sequence[Sequence[Component]], on_progress: OnProgress = no_progress
) -> list[Effect]:
    """The effect of ablating each set of components, batched; progress counts sets."""
    interventions: list[Intervention] = [[experiment.replacement(item) for item in components] for components in sets]
    effects: dict[int, Effect] = {}
    baseline = _Baseline(experiment)
    for index, logits in run_interventions(experiment.model, experiment.clean, interventions, on_progress):
        effects[index] = baseline.effect_of(logits)
    return [effects[index] for index in range(len(sets))]


def ablate_heads(
    experiment: Experiment, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> HeadEffects:
    """Ablate each head of a kind of attention alone."""
    heads = experiment.clean.heads(kind)
    effects = ablate_each(experiment, [[head] for head in heads], on_progress)
    layers = tuple(dict.fromkeys(head.layer for head in heads))
    shape = (len(layers), -1)
    tables = {
        metric: np.array([getattr(effect, metric) for effect in effects], dtype=np.float32).reshape(shape)
        for metric in METRICS
    }
    return HeadEffects(kind=heads[0].kind, layers=layers, **tables)


def ablate_layers(
    experiment: Experiment, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> LayerEffects:
    """Ablate each attention layer, MLP and block of a stack alone; of cross-attention, its layers only."""
    kind = kind or experiment.clean.parts.kind
    layers, parts, components = larger_components(experiment.clean, kind)
    effects = ablate_each(experiment, [[component] for component in components], on_progress)
    tables = {
        metric: part_table(layers, parts, components, [getattr(effect, metric) for effect in effects])
        for metric in METRICS
    }
    return LayerEffects(kind=kind, layers=layers, parts=parts, **tables)


def larger_components(clean: Activations, kind: SiteKind) -> tuple[tuple[int, ...], tuple[Part, ...], list[Component]]:
    """The blocks of a stack, the parts that they may have, and every attention layer, MLP and block there is."""
    layers = tuple(sorted({layer for site_kind, layer in clean.attention if site_kind == kind}))
    parts: tuple[Part, ...] = ("attention",)
    if kind != "cross":
        layers = tuple(block.layer for block in clean.parts.blocks if block.kind == kind)
        mixers: tuple[Part, ...] = ("mixer",) if any((kind, layer) in clean.mixer for layer in layers) else ()
        parts = ("attention", *mixers, "feed_forward", "layer")
    written = {"attention": clean.attention, "mixer": clean.mixer, "feed_forward": clean.feed_forward}
    components = [
        Component(part=part, layer=layer, kind=kind)
        for layer in layers
        for part in parts
        if part == "layer" or (kind, layer) in written[part]
    ]
    return layers, parts, components


def part_table(
    layers: Sequence[int], parts: Sequence[Part], components: Sequence[Component], values: Sequence[float]
) -> Float[np.ndarray, "layer part"]:
    """Values of larger components as a table; NaN where a block has no such part."""
    table = np.full((len(layers), len(parts)), np.nan, dtype=np.float32)
    for component, value in zip(components, values, strict=True):
        table[layers.index(component.layer), parts.index(component.part)] = value
    return table


@torch.inference_mode()
def probabilities_without(
    experiment: Experiment, components: Sequence[Component]
) -> tuple[Float[np.ndarray, "vocabulary"], Float[np.ndarray, "vocabulary"]]:
    """The prediction at the target's position, as it is and with these components ablated together."""
    intervention: Intervention = [experiment.replacement(component) for component in components]
    ((_index, ablated),) = run_interventions(experiment.model, experiment.clean, [intervention])
    clean, without = (
        logits[experiment.target_token.position].float().softmax(-1).cpu().numpy()
        for logits in (experiment.clean.predicted(), ablated)
    )
    return clean, without


def _lengths(activations: Activations) -> tuple[int, int]:
    return len(activations.encoded.tokens), len(activations.encoded.source)


class _Baseline:
    """The clean predictions, and whatever the comparison needs of them, computed once."""

    def __init__(self, experiment: Experiment) -> None:
        self._logits = experiment.clean.predicted().float()
        self._ids, self._rows = predicted_ids(experiment.model, experiment.clean.encoded)
        self._target = experiment.target_token
        self._log_probabilities = self._logits.log_softmax(-1)
        self._probabilities = self._log_probabilities.exp()
        self._loss = self._cross_entropy(self._log_probabilities)

    def _cross_entropy(self, log_probabilities: Float[Tensor, "token vocabulary"]) -> float:
        chosen = log_probabilities[self._rows].gather(-1, self._ids[:, None])
        return float(-chosen.mean()) if chosen.numel() else float("nan")

    def effect_of(self, logits: Float[Tensor, "token vocabulary"]) -> Effect:
        """Compare an intervention's logits with the clean ones."""
        log_probabilities = logits.float().log_softmax(-1)
        # A token that the model rules out has log probability -inf in both: their difference is NaN and adds nothing.
        differences = (self._log_probabilities - log_probabilities).nan_to_num(0.0)
        divergences = (self._probabilities * differences).sum(-1)
        position, token = self._target.position, self._target.token
        return Effect(
            loss=self._cross_entropy(log_probabilities) - self._loss,
            divergence=float(divergences.mean()),
            logit=float(logits[position, token] - self._logits[position, token]),
            divergence_at_target=float(divergences[position]),
        )
