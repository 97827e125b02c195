"""Token attribution: integrated gradients (Sundararajan et al. 2017) over the token embeddings.

captum integrates gradients along the straight line from a baseline to the embeddings. A deep model's logit jumps along
that line, and evenly spread steps miss the jumps. So the line is split adaptively: halve the segment with the largest
completeness gap until all gaps add up to little or the steps are used up. Embeddings are replaced at the model's own
embedding module, in this context only, so that a shared model stays as it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.activations import EncodedText, logits_of
from playground.lens.capture.hooks import editing, record
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

Baseline = Literal["filler", "mean", "zero"]
CONVERGED = 0.05
"""The completeness gap, relative to the logit's change, up to which a result counts as converged."""
GOAL = 0.02
"""Segments are halved until their gaps add up to less than this part of the change."""
SEGMENT_STEPS = 8

Logit = Callable[[Tensor], Tensor]
Run = Callable[[int], Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Segment:
    """A part of the line, and each token's attribution over it."""

    begin: float
    end: float
    attributions: Float[np.ndarray, "token"]
    change: float
    """The logit's change over the segment."""

    @property
    def gap(self) -> float:
        """How far the attributions are from adding up to the change."""
        return abs(float(self.attributions.sum()) - self.change)


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenAttribution:
    """Each token's attribution of a logit's change from the baseline to the text."""

    attributions: Float[np.ndarray, "token"]
    logit: float
    """At the text."""
    baseline_logit: float
    completeness_gap: float
    """Sum of attributions minus the change; more steps make it smaller."""
    steps: int

    @property
    def change(self) -> float:
        """What complete attributions add up to (the completeness axiom)."""
        return self.logit - self.baseline_logit

    @property
    def is_converged(self) -> bool:
        """Whether the gap is small enough."""
        return abs(self.completeness_gap) <= CONVERGED * max(abs(self.change), 0.1)


def integrated_gradients(
    model: "LoadedModel",
    encoded: EncodedText,
    *,
    position: int,
    token: int,
    steps: int = 512,
    baseline: Baseline = "filler",
    on_progress: OnProgress = no_progress,
) -> TokenAttribution:
    """Attribute the logit of `token` at a position to the tokens of the text, in at most `steps` gradients.

    baseline: the embedding of a neutral token (filler: padding, else the end of a text, else the first), the mean
    embedding of the vocabulary, or zero. Small models need far fewer than 512 steps; SmolLM2 takes some 500.
    An encoder-decoder's attributions are those of its source. Raises UserError for a model without an output head and
    for a prediction that is not there.
    """
    if not model.has_output_head:
        raise UserError("{name} has no output head, so that there is no prediction to explain.", name=model.name)
    ids = encoded.arguments[model.adapter.ids_name]
    if not -len(encoded.tokens) <= position < len(encoded.tokens) or not 0 <= token < _vocabulary(model):
        raise UserError(
            "Choose a position from {first} to {last} and a known token.",
            first=-len(encoded.tokens),
            last=len(encoded.tokens) - 1,
        )

    def run(rows: int) -> Tensor:
        arguments = {
            name: value.expand(rows, *value.shape[1:]) if isinstance(value, Tensor) else value
            for name, value in encoded.arguments.items()
        }
        logits = logits_of(model, model.module(**arguments))
        assert logits is not None
        return logits[:, position, token]

    return attribute_embeddings(model, ids, run, steps=steps, baseline=baseline, on_progress=on_progress)


def attribute_embeddings(
    model: "LoadedModel",
    ids: Int[Tensor, "1 token"],
    run: Run,
    *,
    steps: int,
    baseline: Baseline,
    on_progress: OnProgress,
) -> TokenAttribution:
    """Attribute any logit of a text to its tokens.

    run: the logit of so many copies of the text, whose embeddings are replaced while it runs. Raises UserError for
    fewer steps than a segment has, and for a family whose embeddings cannot be replaced.
    """
    if steps < SEGMENT_STEPS:
        raise UserError("The line needs at least {n_steps} steps.", n_steps=SEGMENT_STEPS)
    embedding = _input_embedding(model, run)
    done, most = 0, steps

    def logit(embedded: Tensor) -> Tensor:
        nonlocal done
        # Only gradients count as steps; the ends of a segment are evaluated without.
        done += len(embedded) * torch.is_grad_enabled()
        on_progress(min(done, most), most)
        with _embedded_as(model, embedding, ids.shape[1], embedded):
            return run(len(embedded))

    with torch.no_grad():
        end = torch.as_tensor(embedding(ids))
        begin = _baseline(model, embedding, baseline).expand_as(end)
        at_text, at_baseline = (float(logit(embedded)[0]) for embedded in (end, begin))
    attributions, steps = _integrate(logit, begin, end, steps)
    return TokenAttribution(
        attributions=attributions,
        logit=at_text,
        baseline_logit=at_baseline,
        completeness_gap=float(attributions.sum()) - (at_text - at_baseline),
        steps=steps,
    )


def _integrate(logit: Logit, begin: Tensor, end: Tensor, most: int) -> tuple[Float[np.ndarray, "token"], int]:
    """Each token's attribution over the line, and how many steps it took.

    Segments [0, 1] -> [0, 1/2] [1/2, 1] -> [0, 1/2] [1/2, 3/4] [3/4, 1] …: the worst is halved first.
    """
    segments = [_segment(logit, begin, end, 0.0, 1.0)]
    change = segments[0].change
    steps = SEGMENT_STEPS
    while steps + 2 * SEGMENT_STEPS <= most and sum(segment.gap for segment in segments) > GOAL * max(abs(change), 0.1):
        worst = max(segments, key=lambda segment: segment.gap)
        segments.remove(worst)
        middle = (worst.begin + worst.end) / 2
        segments.append(_segment(logit, begin, end, worst.begin, middle))
        segments.append(_segment(logit, begin, end, middle, worst.end))
        steps += 2 * SEGMENT_STEPS
    return np.sum([segment.attributions for segment in segments], axis=0), steps


def _segment(logit: Logit, begin: Tensor, end: Tensor, first: float, last: float) -> _Segment:
    """Integrate from one fraction of the line to another, by Gauss-Legendre quadrature."""
    from captum.attr import IntegratedGradients

    here, there = begin + first * (end - begin), begin + last * (end - begin)
    with torch.enable_grad():
        gradients = IntegratedGradients(logit).attribute(
            there, here, n_steps=SEGMENT_STEPS, method="gausslegendre", internal_batch_size=SEGMENT_STEPS
        )
    attributions = gradients[0].sum(-1).detach().float().cpu().numpy()
    with torch.no_grad():
        change = float((logit(there) - logit(here))[0])
    return _Segment(begin=first, end=last, attributions=attributions, change=change)


def _vocabulary(model: "LoadedModel") -> int:
    return int(model.adapter.embedding().num_embeddings)  # type: ignore[arg-type]


def _input_embedding(model: "LoadedModel", run: Run) -> nn.Module:
    """The module that embeds the text: of several that share the vectors, the one that is called first.

    BART and T5 embed with a module of each stack, which may scale what it returns.
    """
    stated = model.adapter.embedding()
    place = _place_of(stated)
    shared = [part for part in model.module.modules() if isinstance(part, nn.Embedding) and _place_of(part) == place]
    if len(shared) < 2:
        return stated
    with record(outputs=shared) as recording, torch.no_grad():
        run(1)
    return recording.outputs[0].module if recording.outputs else stated


def _place_of(embedding: nn.Module) -> int:
    """Where an embedding's vectors stand in memory."""
    return int(embedding.weight.data_ptr())  # type: ignore[operator, union-attr]


def _baseline(model: "LoadedModel", embedding: nn.Module, baseline: Baseline) -> Tensor:
    """The vector that every token's line begins at [width]."""
    ids = [model.adapter.neutral_id()] if baseline == "filler" else range(_vocabulary(model))
    vectors = torch.as_tensor(embedding(torch.tensor(list(ids), device=model.device))).mean(0)
    return torch.zeros_like(vectors) if baseline == "zero" else vectors


@contextmanager
def _embedded_as(
    model: "LoadedModel", embedding: nn.Module, length: int, embedded: Float[Tensor, "row token width"]
) -> Iterator[None]:
    """Replace the embeddings of a text of so many tokens, within the block and in this context only.

    Raises UserError for a model that embeds its text in another shape, or elsewhere.
    """
    calls, replaced = 0, False

    def replace(output: Tensor) -> Tensor | None:
        # An encoder-decoder may embed its target with the same module, after the source.
        nonlocal calls, replaced
        calls += 1
        is_text = calls == 1 and output.shape[1] == length
        replaced = replaced or is_text
        return embedded if is_text else None

    with editing({(embedding, "output"): replace}):
        yield
    if not replaced:
        raise UserError(
            "The family {family} embeds its text in a way that gradients cannot follow here.", family=model.family
        )
