"""Take parts of a model away and measure what breaks: one by one, in sets, and down to the few that suffice.

A part is replaced by zero, by its mean over the tokens of the text (or of another), or by what it did on another text
of the same length ("resampled"; Chan et al. 2022, causal scrubbing). Heads are replaced at the seam, before the output
projection, so that an ablated head still leaves the projection's bias.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.activations import Activations, capture, ids_to_predict, read
from playground.lens.capture.site import SiteKind
from playground.lens.intervene.interventions import Component, Replacement, Row, run_replaced
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

By = Literal["zero", "mean", "resampled"]
Judge = Literal["loss", "divergence", "logit"]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The prediction that is watched: a token id's logit at a position."""

    position: int
    token: int


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a change did to the predictions.

    loss: change of the mean surprise in nats (a decoder's next tokens, an encoder's own; NaN for one token of a
    decoder). divergence: the mean over positions of KL(clean || changed) in nats. logit: change of the watched token's
    logit. logits' own divergence at the watched position is `divergence_there`.
    """

    loss: float
    divergence: float
    logit: float
    divergence_there: float

    def size(self, judge: Judge) -> float:
        """How large the change is by one of the measures, without its sign."""
        return abs({"loss": self.loss, "divergence": self.divergence, "logit": self.logit}[judge])


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """A model on a text: its clean pass, what ablated parts are replaced by, and the prediction that is watched."""

    model: "LoadedModel"
    clean: Activations
    by: By
    reference: Activations
    watched: Watched

    def replacement(self, component: Component) -> Replacement:
        """What stands in the component's place."""
        if self.by == "zero":
            return Replacement(component=component)
        activation = made(self.reference, component)
        return Replacement(component=component, value=activation.mean(0) if self.by == "mean" else activation)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadMap:
    """The effect of ablating each head alone: one table [layer, head] for each measure, in nats and logits."""

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
    by: By = "zero",
    reference: str | None = None,
    watched: Watched | None = None,
) -> Experiment:
    """Run the model once on the text and once on the reference, where there is one.

    Without a watched token it is the most probable one at the last position. Raises UserError for a model without an
    output head, for a position that is not there, and for a resampled text of another length.
    """
    clean = capture(model, read(model, text, target, pair))
    logits = clean.predicted()
    if logits.isnan().any():
        raise UserError(
            "{name} computes what is not a number, so that there is nothing to measure: its weights are damaged.",
            name=model.name,
        )
    if by == "resampled" and reference is None:
        raise UserError("Resampling takes what the parts did on another text; give one of as many tokens.")
    other = clean if reference is None else capture(model, read(model, reference, target, pair))
    if by == "resampled" and _lengths(other) != _lengths(clean):
        raise UserError(
            "The texts have {length} and {length_2} tokens; to resample, they need as many.",
            length=_lengths(clean)[0],
            length_2=_lengths(other)[0],
        )
    length = len(clean.reading.tokens)
    watched = watched or Watched(position=length - 1, token=int(logits[-1].argmax()))
    if not -length <= watched.position < length or not 0 <= watched.token < logits.shape[-1]:
        raise UserError(
            "There is no such prediction; choose a position from {length} to {length_2}.",
            length=-length,
            length_2=length - 1,
        )
    return Experiment(model=model, clean=clean, by=by, reference=other, watched=watched)


def ablate(experiment: Experiment, components: Sequence[Component]) -> Effect:
    """The effect of taking these parts away together."""
    return ablate_each(experiment, [components])[0]


@torch.inference_mode()
def ablate_each(
    experiment: Experiment, sets: Sequence[Sequence[Component]], on_progress: OnProgress = no_progress
) -> list[Effect]:
    """The effect of taking away each set of parts, batched; on_progress is told how many are done."""
    rows: list[Row] = [[experiment.replacement(component) for component in chosen] for chosen in sets]
    found: dict[int, Effect] = {}
    measure = _measure(experiment)
    for number, logits in run_replaced(experiment.model, experiment.clean, rows, on_progress):
        found[number] = measure(logits)
    return [found[number] for number in range(len(sets))]


def heads_of(clean: Activations, kind: SiteKind | None = None) -> list[Component]:
    """Every head of a kind of attention, by layer; without a kind, of the stack that predicts."""
    kind = kind or clean.parts.kind
    places = sorted(layer for found, layer in clean.z if found == kind)
    if not places:
        raise UserError("This model has no {kind} attention.", kind=kind)
    return [
        Component(part="head", layer=layer, head=head, kind=kind)
        for layer in places
        for head in range(clean.z[kind, layer].shape[0])
    ]


def ablate_every_head(
    experiment: Experiment, kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> HeadMap:
    """Each head taken away alone, layers x heads."""
    heads = heads_of(experiment.clean, kind)
    effects = ablate_each(experiment, [[head] for head in heads], on_progress)
    shape = (heads[-1].layer + 1, -1)
    tables = {
        name: np.array([getattr(effect, name) for effect in effects], dtype=np.float32).reshape(shape)
        for name in ("loss", "divergence", "logit")
    }
    return HeadMap(kind=heads[0].kind, **tables)


def smallest_circuit(
    experiment: Experiment, limit: float, *, judge: Judge = "divergence", on_progress: OnProgress = no_progress
) -> Circuit:
    """The heads that are left when as many as possible are taken away and the effect stays within the limit.

    Greedy: by rising effect alone, heads are taken away in runs, and a run that is too much is halved. Every kept head
    was tried alone against what was taken away by then; another order may keep fewer. limit: in nats (loss, divergence)
    or logits. on_progress is told how many heads are decided.
    """
    if limit < 0:
        raise UserError("The limit is the largest effect allowed; choose 0 or more.")
    heads = heads_of(experiment.clean)
    alone = ablate_each(experiment, [[head] for head in heads], lambda done, _: on_progress(done, 2 * len(heads)))
    order = [head for _, head in sorted(zip(alone, heads, strict=True), key=lambda pair: pair[0].size(judge))]
    removed: list[Component] = []
    kept: list[Component] = []
    waiting = [order]
    while waiting:
        tried = waiting.pop()
        if ablate(experiment, [*removed, *tried]).size(judge) <= limit:
            removed += tried
        elif len(tried) == 1:
            kept += tried
        else:
            half = len(tried) // 2
            waiting += [tried[half:], tried[:half]]
        on_progress(len(heads) + len(removed) + len(kept), 2 * len(heads))
    place = lambda head: (head.layer, head.head or 0)  # noqa: E731
    return Circuit(
        kept=tuple(sorted(kept, key=place)),
        removed=tuple(sorted(removed, key=place)),
        effect=ablate(experiment, removed),
    )


def made(activations: Activations, component: Component) -> Float[Tensor, "token width"]:
    """What a component made in a pass. Raises UserError for a part that the model does not have."""
    place = (component.kind, component.layer)
    tables = {"attention": activations.attention, "feed_forward": activations.feed_forward}
    if component.part == "head":
        if place not in activations.z or not 0 <= (component.head or 0) < len(activations.z[place]):
            raise UserError(
                "There is no {kind} head {layer}.{head} in this model.",
                kind=component.kind,
                layer=component.layer,
                head=component.head,
            )
        return activations.z[place][component.head]
    activations.parts.block(component.kind, component.layer)
    if component.part == "layer":
        return activations.after[place] - activations.residual[place]
    if component.part == "residual":
        return activations.residual[place]
    if place not in tables[component.part]:
        raise UserError("This model has no {part} layer there.", part=component.part.replace("_", "-"))
    return tables[component.part][place]


def _lengths(activations: Activations) -> tuple[int, int]:
    return len(activations.reading.tokens), len(activations.reading.source)


class _Measurer:
    """Holds changed logits against the clean ones; what depends on the clean ones alone is computed once."""

    def __init__(self, experiment: Experiment) -> None:
        self.clean = experiment.clean.predicted().float()
        self.ids, self.rows = ids_to_predict(experiment.model, experiment.clean.reading)
        self.watched = experiment.watched
        self.log_clean = self.clean.log_softmax(-1)
        self.probability = self.log_clean.exp()
        self.loss = self._loss(self.log_clean)

    def _loss(self, log_probabilities: Tensor) -> float:
        chosen = log_probabilities[self.rows].gather(-1, self.ids[:, None])
        return float(-chosen.mean()) if chosen.numel() else float("nan")

    def __call__(self, changed: Float[Tensor, "token vocabulary"]) -> Effect:
        logs = changed.float().log_softmax(-1)
        # A word that the model forbids has probability zero and the logarithm of zero: it adds nothing.
        divergences = (self.probability * (self.log_clean - logs).nan_to_num(0.0)).sum(-1)
        position, token = self.watched.position, self.watched.token
        return Effect(
            loss=self._loss(logs) - self.loss,
            divergence=float(divergences.mean()),
            logit=float(changed[position, token] - self.clean[position, token]),
            divergence_there=float(divergences[position]),
        )


def _measure(experiment: Experiment) -> _Measurer:
    return _Measurer(experiment)
