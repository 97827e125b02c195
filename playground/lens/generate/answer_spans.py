"""Ask for the answer to a question in a passage: the most probable spans of its tokens.

A span's score is p(start) p(end), each a softmax over the passage's tokens and the first token, which stands for "no
answer" (Rajpurkar et al. 2018, SQuAD 2.0; Devlin et al. 2019, sections 4.2 and 4.3).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from playground.errors import UserError
from playground.lens.capture.tokens import Token
from playground.lens.generate.classification import ask, require_head, scores_of
from playground.lens.generate.encoded_rows import EncodedRow, encode_row

if TYPE_CHECKING:
    from playground.models import LoadedModel

LONGEST_ANSWER = 15
"""Tokens."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A span of the passage."""

    text: str
    score: float
    start: int
    """Its first character in the passage."""
    end: int
    first: int
    """Position of its first token in the row."""
    last: int


@dataclass(frozen=True, kw_only=True, eq=False)
class AnswerSpans:
    """The answers to a question, most probable first."""

    tokens: tuple[Token, ...]
    """Of question and passage, as the model reads them."""
    in_passage: Bool[np.ndarray, "token"]
    start: Float[np.ndarray, "token"]
    """Probability that the answer starts here; 0 outside of the passage and the first token."""
    end: Float[np.ndarray, "token"]
    answers: tuple[Answer, ...]
    no_answer: float
    """The score of the first token, for "no answer"; 0 where the row begins with the question itself."""
    is_cut: bool = False


def find_answers(
    model: "LoadedModel",
    question: str,
    passage: str,
    *,
    k: int = 5,
    longest: int = LONGEST_ANSWER,
    truncate: bool = False,
) -> AnswerSpans:
    """The k most probable answers of at most `longest` tokens.

    Raises UserError as `classify` does, and where the tokenizer does not report the characters of its tokens.
    """
    head = require_head(model, "span")
    if k < 1 or longest < 1:
        raise UserError("An answer has at least 1 token, and at least 1 is listed; choose larger numbers.")
    row = encode_row(model, question, passage, truncate=truncate)
    if not row.offsets:
        raise UserError("The tokenizer of {name} does not say where its tokens stand.", name=model.name)
    logits = ask(model, head, [row])[0]
    in_passage = np.array([sequence == 1 for sequence in row.sequences])
    allowed = in_passage.copy()
    allowed[0] = row.sequences[0] is None
    start, end = (_over_allowed(logits[:, side].numpy(), allowed) for side in (0, 1))
    return AnswerSpans(
        tokens=tuple(row.tokens(model)),
        in_passage=in_passage,
        start=start,
        end=end,
        answers=tuple(_best_spans(row, start * in_passage, end * in_passage, k, longest)),
        no_answer=float(start[0] * end[0]),
        is_cut=row.is_cut,
    )


def _over_allowed(logits: Float[np.ndarray, "token"], allowed: Bool[np.ndarray, "token"]) -> Float[np.ndarray, "token"]:
    import torch

    probabilities = np.zeros(len(logits))
    probabilities[allowed] = scores_of(torch.from_numpy(logits[allowed]), "softmax")
    return probabilities


def _best_spans(
    row: EncodedRow, start: Float[np.ndarray, "token"], end: Float[np.ndarray, "token"], k: int, longest: int
) -> list[Answer]:
    """The spans with the largest product, from the first token on to at most `longest` tokens later."""
    # scores[i, j] of the span from token i to token j: kept on and right of the diagonal, up to the longest.
    scores = np.tril(np.triu(np.outer(start, end)), longest - 1)
    order = np.argsort(-scores, axis=None, kind="stable")[:k]
    answers = []
    for first, last in zip(*np.unravel_index(order, scores.shape), strict=True):
        if scores[first, last] <= 0:
            break
        begin, stop = row.characters(int(first), int(last))
        text = (row.pair or "")[begin:stop]
        score = float(scores[first, last])
        answers.append(Answer(text=text, score=score, start=begin, end=stop, first=int(first), last=int(last)))
    return answers
