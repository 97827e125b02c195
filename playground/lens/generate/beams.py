"""Beam search that keeps every beam for the chart: which were kept, finished or pruned at each step.

The rules are those of transformers' generate with early_stopping=False: of the 2k best continuations of k beams the k
best unfinished ones are kept; one that ends among the k best becomes a hypothesis, scored by its log probability over
its length to the power of the length penalty (Wu et al. 2016, section 7, without the constant); the search stops when
the best beam, at its present length, is no better than the worst of k hypotheses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.tokens import Token
from playground.lens.generate.continuation import Continuation
from playground.lens.generate.generation import token_of

if TYPE_CHECKING:
    from playground.models import LoadedModel

BeamState = Literal["kept", "finished", "pruned"]
NO_PARENT = -1
"""The parent of the first tokens."""


@dataclass(frozen=True, kw_only=True)
class BeamConfig:
    """Settings of a search; a higher length_penalty favours longer answers."""

    beams: int = 4
    max_new_tokens: int = 64
    length_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not 2 <= self.beams <= 16:
            raise UserError("{beams} beams cannot be searched; choose 2 to 16, or decode greedily.", beams=self.beams)
        if not 1 <= self.max_new_tokens <= 512:
            raise UserError(
                "{max_new_tokens} tokens cannot be searched; choose 1 to 512.", max_new_tokens=self.max_new_tokens
            )
        if not -5 <= self.length_penalty <= 5:
            raise UserError(
                "The length penalty is {length_penalty}; choose -5 to 5.", length_penalty=self.length_penalty
            )


@dataclass(frozen=True, kw_only=True)
class Beam:
    """A token of the search tree."""

    parent: int
    """Number of the beam that it continues; NO_PARENT for a first token."""
    step: int
    token: Token
    log_probability: float
    """Of the sequence up to this token."""
    state: BeamState


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A finished answer."""

    beam: int
    """Number of its last beam."""
    score: float
    """Log probability over length ** length_penalty."""


@dataclass(frozen=True, kw_only=True)
class BeamSearch:
    """State of a search: all beams so far, hypotheses from best to worst."""

    beams: tuple[Beam, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    is_done: bool = False

    def path(self, beam: int) -> list[int]:
        """Beams from the first token to this one."""
        path = []
        while beam != NO_PARENT:
            path.append(beam)
            beam = self.beams[beam].parent
        return path[::-1]

    def ids(self, beam: int) -> list[int]:
        """Token ids from the first token to this beam."""
        return [self.beams[number].token.id for number in self.path(beam)]

    @property
    def best(self) -> list[int]:
        """Ids of the best answer so far: a hypothesis, or the most probable newest beam while there is none."""
        if self.hypotheses:
            return self.ids(self.hypotheses[0].beam)
        kept = [number for number, beam in enumerate(self.beams) if beam.state == "kept"]
        step = max((self.beams[number].step for number in kept), default=0)
        newest = [number for number in kept if self.beams[number].step == step]
        return self.ids(max(newest, key=lambda number: self.beams[number].log_probability)) if newest else []


def beam_search(model: "LoadedModel", text: str, config: BeamConfig | None = None) -> Iterator[BeamSearch]:
    """Search for the most probable answer to a text (a decoder: continuation), yielding the state at each step.

    Raises UserError for a model that cannot generate.
    """
    config = config or BeamConfig()
    continuation = Continuation(model, text)
    end_ids = model.adapter.end_ids()
    logs = continuation.feed_beams(continuation.first)
    search, kept = BeamSearch(), [NO_PARENT]
    n_steps = min(config.max_new_tokens, continuation.limit - continuation.length + 1)
    for step in range(n_steps):
        n_before, rows = len(search.beams), {number: row for row, number in enumerate(kept)}
        search = _extend(model, search, kept, logs, step, config, end_ids, is_last=step + 1 == n_steps)
        kept = [number for number in range(n_before, len(search.beams)) if search.beams[number].state == "kept"]
        search = replace(search, is_done=step + 1 == n_steps or _is_over(search, kept, step + 1, config))
        yield search
        if search.is_done:
            return
        # The model's cache has one row per beam of the step before: a kept beam takes its parent's.
        parent_rows = [rows[search.beams[number].parent] for number in kept]
        continuation.keep_rows(torch.tensor(parent_rows, device=model.device))
        newest = [[search.beams[number].token.id] for number in kept]
        logs = continuation.feed_beams(torch.tensor(newest, device=model.device))


def _extend(
    model: "LoadedModel",
    search: BeamSearch,
    kept: list[int],
    logs: Float[Tensor, "beam vocabulary"],
    step: int,
    config: BeamConfig,
    end_ids: frozenset[int],
    *,
    is_last: bool,
) -> BeamSearch:
    """Add the best continuations of the kept beams, and hypotheses for those that end."""
    candidates = _candidates(search, kept, logs, max(2, 1 + len(end_ids)) * config.beams)
    beams, hypotheses, n_kept = list(search.beams), list(search.hypotheses), 0
    for rank, (parent, id, log_probability) in enumerate(candidates):
        state: BeamState = "pruned"
        if id in end_ids or is_last:
            if rank < config.beams:
                state = "finished"
                score = log_probability / (step + 1) ** config.length_penalty
                hypotheses.append(Hypothesis(beam=len(beams), score=score))
        elif n_kept < config.beams:
            state, n_kept = "kept", n_kept + 1
        token = token_of(model, id)
        beams.append(Beam(parent=parent, step=step, token=token, log_probability=log_probability, state=state))
    hypotheses.sort(key=lambda hypothesis: -hypothesis.score)
    return BeamSearch(beams=tuple(beams), hypotheses=tuple(hypotheses[: config.beams]))


def _candidates(
    search: BeamSearch, kept: list[int], logs: Float[Tensor, "beam vocabulary"], most: int
) -> list[tuple[int, int, float]]:
    """The best continuations of all kept beams, best first: parent, token id, log probability of the sequence."""
    so_far = [0.0 if number == NO_PARENT else search.beams[number].log_probability for number in kept]
    scores = logs + torch.tensor(so_far, device=logs.device)[:, None]
    # One top-k over all beams: a flat index is beam * vocabulary + token.
    best, flat = scores.flatten().topk(min(most, scores.numel()))
    vocabulary = logs.shape[-1]
    ranked = zip(best.tolist(), flat.tolist(), strict=True)
    return [(kept[at // vocabulary], at % vocabulary, score) for score, at in ranked if score > float("-inf")]


def _is_over(search: BeamSearch, kept: list[int], length: int, config: BeamConfig) -> bool:
    """Whether no kept beam can still improve on the hypotheses."""
    if not kept:
        return True
    if len(search.hypotheses) < config.beams:
        return False
    best = search.beams[kept[0]].log_probability / length**config.length_penalty
    return bool(best <= search.hypotheses[-1].score)
