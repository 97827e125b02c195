"""Beam search, with every beam kept for drawing: which were followed, which ended, which were dropped.

The rules are those of transformers' generate with early_stopping=False: of the 2k best continuations of k beams the
unfinished k best go on; one that ends among the k best is a hypothesis, scored by its log probability over its length
to the power of the length penalty (Wu et al. 2016, section 7, without the constant); the search stops when the best
beam, at its present length, is no better than the worst of k hypotheses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.capture.tokens import Token, label
from playground.lens.generate.continuation import Continuation, end_ids

if TYPE_CHECKING:
    from playground.models import LoadedModel

BeamState = Literal["followed", "ended", "dropped"]
START = -1
"""The parent of the first tokens."""


@dataclass(frozen=True, kw_only=True)
class BeamConfig:
    """How many beams, how many new tokens at most, and how long answers are favoured."""

    beams: int = 4
    tokens: int = 64
    length_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not 2 <= self.beams <= 16:
            raise UserError("{beams} beams cannot be searched; choose 2 to 16, or write greedily.", beams=self.beams)
        if not 1 <= self.tokens <= 512:
            raise UserError("{tokens} tokens cannot be searched; choose 1 to 512.", tokens=self.tokens)
        if not -5 <= self.length_penalty <= 5:
            raise UserError(
                "The length penalty is {length_penalty}; choose -5 to 5.", length_penalty=self.length_penalty
            )


@dataclass(frozen=True, kw_only=True)
class Beam:
    """A token in the drawing: the beam it continues, the new token's number, and the log probability up to it."""

    parent: int
    step: int
    token: Token
    log_probability: float
    state: BeamState


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A finished answer: its last beam, and its log probability over its length to the power of the penalty."""

    beam: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Beams:
    """All beams so far, and the hypotheses from best to worst; `finished` when the search is over."""

    beams: tuple[Beam, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    finished: bool = False

    def path(self, beam: int) -> list[int]:
        """The beams from the first token to this one."""
        found = []
        while beam != START:
            found.append(beam)
            beam = self.beams[beam].parent
        return found[::-1]

    def ids(self, beam: int) -> list[int]:
        """The token ids up to a beam."""
        return [self.beams[number].token.id for number in self.path(beam)]

    @property
    def best(self) -> list[int]:
        """The ids of the best answer so far: a hypothesis, or the most probable beam while there is none."""
        if self.hypotheses:
            return self.ids(self.hypotheses[0].beam)
        last = [number for number, beam in enumerate(self.beams) if beam.state == "followed"]
        step = max((self.beams[number].step for number in last), default=0)
        open_ones = [number for number in last if self.beams[number].step == step]
        return self.ids(max(open_ones, key=lambda number: self.beams[number].log_probability)) if open_ones else []


def beam_search(model: "LoadedModel", text: str, config: BeamConfig | None = None) -> Iterator[Beams]:
    """Search for the most probable answer to a text (a decoder: continuation), yielding all beams at each step.

    Raises UserError for a model that cannot write.
    """
    config = config or BeamConfig()
    continuation = Continuation(model, text)
    ends = end_ids(model)
    logits = continuation.feed(continuation.first)
    found, running = Beams(), [START]
    steps = min(config.tokens, continuation.limit - continuation.length + 1)
    for step in range(steps):
        before = found
        found = _advance(model, found, running, logits, step, config, ends, is_last=step + 1 == steps)
        running = _running(found, len(before.beams))
        found = replace(found, finished=step + 1 == steps or _is_over(found, running, step + 1, config))
        yield found
        if found.finished:
            return
        parents = [found.beams[number].parent for number in running]
        places = _running_places(before, parents)
        continuation.keep_rows(torch.tensor(places, device=model.device))
        logits = continuation.feed(
            torch.tensor([[found.beams[number].token.id] for number in running], device=model.device)
        )


def _advance(
    model: "LoadedModel",
    found: Beams,
    running: list[int],
    logits: Float[Tensor, "beam vocabulary"],
    step: int,
    config: BeamConfig,
    ends: frozenset[int],
    *,
    is_last: bool,
) -> Beams:
    """The beams with the best continuations of those that run, and the hypotheses with those that ended."""
    candidates = _candidates(found, running, logits, max(2, 1 + len(ends)) * config.beams)
    tokens = label_each(model, [token for _, token, _ in candidates])
    beams, hypotheses, followed = list(found.beams), list(found.hypotheses), 0
    for place, ((parent, id, score), token) in enumerate(zip(candidates, tokens, strict=True)):
        state: BeamState = "dropped"
        if id in ends or is_last:
            if place < config.beams:
                state = "ended"
                hypotheses.append(Hypothesis(beam=len(beams), score=score / (step + 1) ** config.length_penalty))
        elif followed < config.beams:
            state, followed = "followed", followed + 1
        beams.append(Beam(parent=parent, step=step, token=token, log_probability=score, state=state))
    hypotheses.sort(key=lambda hypothesis: -hypothesis.score)
    return Beams(beams=tuple(beams), hypotheses=tuple(hypotheses[: config.beams]))


def _candidates(
    found: Beams, running: list[int], logits: Float[Tensor, "beam vocabulary"], most: int
) -> list[tuple[int, int, float]]:
    """The best continuations of all running beams, from best to worst: parent, token id, log probability."""
    so_far = [0.0 if number == START else found.beams[number].log_probability for number in running]
    scores = logits.log_softmax(-1) + torch.tensor(so_far, device=logits.device)[:, None]
    best, places = scores.flatten().topk(min(most, scores.numel()))
    vocabulary = logits.shape[-1]
    rows = zip(best.tolist(), places.tolist(), strict=True)
    return [(running[place // vocabulary], place % vocabulary, score) for score, place in rows if score > float("-inf")]


def label_each(model: "LoadedModel", ids: list[int]) -> list[Token]:
    """A label for each id by itself: they stand beside each other, not after each other."""
    return [label(model.tokenizer, [id])[0] for id in ids]


def _running(found: Beams, begin: int) -> list[int]:
    """The newest beams that go on, from best to worst."""
    return [number for number in range(begin, len(found.beams)) if found.beams[number].state == "followed"]


def _running_places(before: Beams, parents: list[int]) -> list[int]:
    """The rows that the parents were read in."""
    last = max((beam.step for beam in before.beams), default=0)
    rows = [number for number, beam in enumerate(before.beams) if beam.step == last and beam.state == "followed"]
    return [rows.index(parent) if parent != START else 0 for parent in parents]


def _is_over(found: Beams, running: list[int], length: int, config: BeamConfig) -> bool:
    """Whether no running beam can still improve on the hypotheses."""
    if not running:
        return True
    if len(found.hypotheses) < config.beams:
        return False
    best = found.beams[running[0]].log_probability / length**config.length_penalty
    return bool(best <= found.hypotheses[-1].score)
