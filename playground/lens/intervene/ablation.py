"""Ablation: remove components, measure the effect; single heads, joint sets, and the minimal sufficient set.

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
from playground.lens.capture.activations import Activations, Component, capture, encode_text, predicted_ids
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.interventions import Intervention, Replacement, run_interventions
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

AblationMethod = Literal["zero", "mean", "resampled"]
EffectMetric = Literal["loss", "divergence", "logit"]


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
        if self.method == "zero":
            return Replacement(component=component)
        activation = self.reference.of(component)
        return Replacement(component=component, value=activation.mean(0) if self.method == "mean" else activation)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadEffects:
    """The effect of ablating each head alone, by metric, in nats and logits."""

    kind: SiteKind
    loss: Float[np.ndarray, "layer head"]
    divergence: Float[np.ndarray, "layer head"]
    logit: Float[np.ndarray, "layer head"]


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """The heads that a greedy search kept, and the effect of ablating all the others at once."""

    kept: tuple[Component, ...]
    removed: tuple[Component, ...]
    effect: Effect


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
    shape = (heads[-1].layer + 1, -1)
    tables = {
        metric: np.array([getattr(effect, metric) for effect in effects], dtype=np.float32).reshape(shape)
        for metric in ("loss", "divergence", "logit")
    }
    return HeadEffects(kind=heads[0].kind, **tables)


def minimal_circuit(
    experiment: Experiment,
    tolerance: float,
    *,
    metric: EffectMetric = "divergence",
    on_progress: OnProgress = no_progress,
) -> Circuit:
    """The heads left when as many as possible are ablated and the effect stays within the tolerance.

    Greedy, by rising single effect: ablate a run of heads at once; halve it where that is too much. With effects
    1 2 3 9 and a tolerance of 7: try {1 2 3 9} (15), halve, {1 2} is removed, {3 9} (15) is halved, {3} is removed
    and {9} kept. Each kept head was tried alone against what was removed by then; another order may keep fewer.

    tolerance: in nats (loss, divergence) or logits. Progress counts single effects, then decided heads.
    """
    if tolerance < 0:
        raise UserError("The tolerance is the largest effect allowed; choose 0 or more.")
    heads = experiment.clean.heads()
    effects = ablate_each(experiment, [[head] for head in heads], lambda done, _: on_progress(done, 2 * len(heads)))
    by_effect = [head for _, head in sorted(zip(effects, heads, strict=True), key=lambda pair: pair[0].size(metric))]
    removed: list[Component] = []
    kept: list[Component] = []
    pending = [by_effect]
    while pending:
        run = pending.pop()
        if ablate(experiment, [*removed, *run]).size(metric) <= tolerance:
            removed += run
        elif len(run) == 1:
            kept += run
        else:
            half = len(run) // 2
            pending += [run[half:], run[:half]]
        on_progress(len(heads) + len(removed) + len(kept), 2 * len(heads))
    order = heads.index
    return Circuit(
        kept=tuple(sorted(kept, key=order)),
        removed=tuple(sorted(removed, key=order)),
        effect=ablate(experiment, removed),
    )


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
