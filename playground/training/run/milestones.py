"""What a run has learnt so far, and when: events on its head scores and measures, as sentences with their numbers.

Needs no torch. An event is the first time that a curve is at or above its threshold, having begun below it; a run
that begins above it (a fork) has none. Where nothing can be said, there is no sentence.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from playground.text import N_
from playground.training.run.metrics import Metrics
from playground.training.run.status import Message

HEAD_THRESHOLD = 0.5
"""Of a head score. Previous-token and induction scores are the mean attention weight on the token before, and on what
followed an earlier copy (Elhage et al. 2021; Olsson et al. 2022, prefix matching); the alignment score is that on the
gold source (Och and Ney 2003 for the alignment). Above a half the head attends there more than everywhere else."""
GENERALISED = 0.99
"""Of training and test accuracy on modular addition: Power et al. 2022 (figure 1) count the steps to 99%."""
HALF_RIGHT = 0.5
"""Of other accuracies: the middle of their scale. Schaeffer et al. 2023 call exact match a discontinuous measure: the
step at which it passes says when answers became correct as a whole, not when the model began to learn."""

WATCHED: dict[str, tuple[str, str]] = {
    "induction": ("decoder", "induction"),
    "translation": ("cross", "alignment"),
    "rewriting": ("cross", "alignment"),
}
"""The kind of attention and the score that a task's film shows first; the previous-token score for the others."""
EVENT_SCORES: dict[str, tuple[tuple[str, str], ...]] = {
    "induction": (("decoder", "previous"), ("decoder", "induction")),
    "text": (("decoder", "previous"), ("decoder", "induction")),
    "tales": (("decoder", "previous"), ("decoder", "induction")),
    "translation": (("cross", "alignment"),),
    "rewriting": (("cross", "alignment"),),
}
"""The head scores whose events a task has; none for tasks on which these heads need not form."""
EVENT_MEASURES: dict[str, tuple[tuple[str, float], ...]] = {
    "induction": (("repeat_accuracy", HALF_RIGHT),),
    "translation": (("exact_match", HALF_RIGHT),),
    "rewriting": (("exact_match", HALF_RIGHT),),
    "addition": (("token_accuracy", HALF_RIGHT), ("exact_match", HALF_RIGHT)),
    "modular": (("train_accuracy", GENERALISED), ("test_accuracy", GENERALISED)),
    "classification": (("accuracy", HALF_RIGHT),),
}
LAST_MEASURES: dict[str, str] = {
    "induction": "repeat_accuracy",
    "translation": "exact_match",
    "rewriting": "exact_match",
    "addition": "exact_match",
    "modular": "test_accuracy",
    "classification": "accuracy",
    "masked": "masked_accuracy",
}
"""The accuracy that says how much of a task is learnt."""
NAMES: dict[str, str] = {
    "induction": N_("induction score"),
    "previous": N_("previous-token score"),
    "alignment": N_("alignment score"),
    "repeat_accuracy": N_("accuracy on the 2nd copy"),
    "exact_match": N_("exact match"),
    "token_accuracy": N_("token accuracy"),
    "train_accuracy": N_("training accuracy"),
    "test_accuracy": N_("test accuracy"),
    "accuracy": N_("accuracy"),
    "masked_accuracy": N_("masked-token accuracy"),
}


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """A curve that has passed its threshold."""

    step: int
    """The first step at which it was measured at or above the threshold."""
    name: str
    """Of the score or the measure."""
    threshold: float
    kind: str = ""
    """The kind of attention; empty for a measure."""
    head: tuple[int, int] | None = None
    """Layer and head; None for a measure."""

    @property
    def label(self) -> Message:
        """A few words for a mark on a curve."""
        return Message(
            template=N_("{name} {threshold:g}"), values={"name": _name(self.name), "threshold": self.threshold}
        )

    @property
    def sentence(self) -> Message:
        """What happened, when, and by which head."""
        values: dict[str, Any] = {"name": _name(self.name), "threshold": self.threshold, "step": self.step}
        if self.head is None:
            return Message(template=N_("{name} passes {threshold:g} at step {step:,}"), values=values)
        values |= {"layer": self.head[0], "head": self.head[1]}
        return Message(template=N_("{name} passes {threshold:g} at step {step:,} (head {layer}.{head})"), values=values)


def _name(name: str) -> Message:
    return Message(template=NAMES.get(name, "{name}"), values={} if name in NAMES else {"name": name})


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreCurves:
    """Head scores over training: [frame, layer, head] by kind of attention and score."""

    steps: Sequence[int] = ()
    tables: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)

    def table(self, kind: str, score: str) -> np.ndarray | None:
        """The table of a score; None where it was never defined."""
        table = self.tables.get(kind, {}).get(score)
        return table if table is not None and np.isfinite(table).any() else None


def watched_score(task: str, scores: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """The kind of attention and the score that a film shows first; scores: those that there are, by kind."""
    kinds = [name for name in ("cross", "decoder", "encoder") if name in scores]
    wanted = [WATCHED[task]] if task in WATCHED else []
    wanted += [(kind, "previous") for kind in ("decoder", "encoder") if kind in kinds]
    return next(((kind, score) for kind, score in wanted if score in scores.get(kind, ())), None)


def first_above(steps: Sequence[int], values: np.ndarray, threshold: float) -> int | None:
    """The index of the first value at or above the threshold, after one below it; None where there is none."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known) or values[known[0]] >= threshold:
        return None
    above = known[values[known] >= threshold]
    return int(above[0]) if len(above) else None


def milestones(task: str, metrics: Metrics, scores: ScoreCurves) -> list[Milestone]:
    """What has happened so far, in the order in which it did."""
    events = []
    for kind, score in EVENT_SCORES.get(task, ()):
        table = scores.table(kind, score)
        event = None if table is None else _head_milestone(kind, score, scores.steps, table)
        events += [event] if event else []
    for name, threshold in EVENT_MEASURES.get(task, ()):
        values = metrics.evaluations.get(name, np.zeros(0))
        index = first_above(metrics.evaluation_steps.tolist(), values, threshold)
        if index is not None:
            events.append(Milestone(step=int(metrics.evaluation_steps[index]), name=name, threshold=threshold))
    return sorted(events, key=lambda event: event.step)


def _head_milestone(kind: str, score: str, steps: Sequence[int], table: np.ndarray) -> Milestone | None:
    """When the best head passed the threshold, and which head that was."""
    flat = np.where(np.isfinite(table), table, -np.inf).reshape(len(table), -1)
    best = flat.max(axis=1)
    index = first_above(steps, np.where(np.isfinite(best), best, np.nan), HEAD_THRESHOLD)
    if index is None:
        return None
    layer, head = divmod(int(flat[index].argmax()), table.shape[2])
    return Milestone(step=int(steps[index]), name=score, threshold=HEAD_THRESHOLD, kind=kind, head=(layer, head))


def learnt_so_far(
    task: str, model: Mapping[str, Any], metrics: Metrics, scores: ScoreCurves, events: Sequence[Milestone]
) -> list[Message]:
    """What the model has learnt by its last evaluation, a sentence each: loss, accuracy, heads.

    model: the model's configuration as a dictionary; events: `milestones` of the same run.
    """
    if not len(metrics.evaluation_steps):
        return []
    sentences = [
        _loss_sentence(model, metrics),
        _accuracy_sentence(task, metrics, events),
        _head_sentence(task, scores, events),
    ]
    return [sentence for sentence in sentences if sentence is not None]


def _last(metrics: Metrics, name: str) -> float | None:
    values = metrics.evaluations.get(name, np.zeros(0))
    return float(values[-1]) if len(values) and math.isfinite(values[-1]) else None


def _loss_sentence(model: Mapping[str, Any], metrics: Metrics) -> Message | None:
    """The loss, against the entropy of the source where it is known, otherwise against guessing."""
    loss, floor = _last(metrics, "held_out_loss"), _last(metrics, "loss_floor")
    if loss is None:
        return None
    values: dict[str, Any] = {"step": int(metrics.evaluation_steps[-1]), "loss": loss}
    if floor is not None:
        template = N_(
            "Step {step:,}: validation loss {loss:.3f} nats, {excess:.3f} above the source's entropy {floor:.3f}"
        )
        return Message(template=template, values={**values, "excess": loss - floor, "floor": floor})
    classes, vocabulary = model.get("classes"), model.get("vocabulary")
    if classes and metrics.evaluations.keys() & {"masked_accuracy"}:
        return Message(template=N_("Step {step:,}: validation loss {loss:.3f} nats"), values=values)
    choices = classes or vocabulary
    if not isinstance(choices, int) or choices < 2:
        return Message(template=N_("Step {step:,}: validation loss {loss:.3f} nats"), values=values)
    values |= {"chance": math.log(choices), "choices": choices}
    if classes:
        template = N_(
            "Step {step:,}: validation loss {loss:.3f} nats; a uniform guess among {choices:,} classes: {chance:.3f}"
        )
    else:
        template = N_(
            "Step {step:,}: validation loss {loss:.3f} nats; a uniform guess among {choices:,} tokens: {chance:.3f}"
        )
    return Message(template=template, values=values)


def _accuracy_sentence(task: str, metrics: Metrics, events: Sequence[Milestone]) -> Message | None:
    """The accuracy that matters, and when it passed its threshold; for grokking, how much later than the training's."""
    name = LAST_MEASURES.get(task, "")
    value = _last(metrics, name)
    if value is None:
        return None
    values: dict[str, Any] = {"name": _name(name), "value": value}
    steps = {event.name: event.step for event in events if event.head is None}
    if task == "modular" and steps.keys() >= {"train_accuracy", "test_accuracy"}:
        values |= {"first": steps["train_accuracy"], "step": steps["test_accuracy"], "threshold": GENERALISED}
        values["later"] = values["step"] - values["first"]
        template = N_(
            "{name} {value:.1%}: past {threshold:.0%} at step {step:,}, {later:,} steps after the training accuracy"
        )
        return Message(template=template, values=values)
    if name in steps:
        threshold = next(event.threshold for event in events if event.name == name)
        values |= {"step": steps[name], "threshold": threshold}
        return Message(template=N_("{name} {value:.1%}, past {threshold:.0%} at step {step:,}"), values=values)
    return Message(template=N_("{name} {value:.1%}"), values=values)


def _head_sentence(task: str, scores: ScoreCurves, events: Sequence[Milestone]) -> Message | None:
    """When the head formed that the task is known for; before that, how near the best head is."""
    kind, score = WATCHED.get(task, ("", ""))
    passed = [event for event in events if event.head is not None]
    watched = [event for event in passed if event.name == score] or ([] if score else passed[-1:])
    if watched:
        return watched[0].sentence
    table = scores.table(kind, score)
    if table is None or not np.isfinite(table[-1]).any():
        return None
    last = np.where(np.isfinite(table[-1]), table[-1], -np.inf)
    layer, head = divmod(int(last.argmax()), last.shape[1])
    values = {"name": _name(score), "value": float(last.max()), "layer": layer, "head": head}
    return Message(template=N_("highest {name} {value:.2f} (head {layer}.{head})"), values=values)
