"""Answers of several tokens under discontinuous metrics (exact match) and continuous ones (token probability).

Schaeffer et al. 2023, "Are Emergent Abilities of Large Language Models a Mirage?", sections 2 and 3: a model that
gets each token right with probability p gets a whole answer of L tokens right with probability p^L, so a gradual
rise in p looks like a jump in exact match. arXiv:2304.15004.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Shaped

from playground.errors import UserError
from playground.evaluation.lines import ComparedLines
from playground.evaluation.resampling import Spread
from playground.evaluation.wilson import share_spread

Counted = Bool[np.ndarray, "row position"]


def token_accuracy(hits: Bool[np.ndarray, "row position"], counted: Counted) -> float:
    """Share of counted positions whose most probable token is the reference token (teacher forcing).

    Raises UserError where nothing counts.

    >>> token_accuracy(np.array([[True, False], [True, True]]), np.array([[True, True], [True, False]])).__round__(4)
    0.6667
    """
    _check_counted(hits, counted)
    return float(hits[counted].mean())


def accuracy(predicted: Shaped[np.ndarray, "*row"], true: Shaped[np.ndarray, "*row"]) -> float:
    """Share of predictions that equal the truth. Raises UserError where there are none, or not one for each.

    >>> accuracy(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 0]))
    0.5
    """
    _check_counted(predicted, np.ones(true.shape, dtype=bool))
    return float((predicted == true).mean())


def check_one_each(answers: Sequence[object], references: Sequence[object]) -> None:
    """Raise UserError without answers, and where there is not one answer per reference."""
    if not answers or len(answers) != len(references):
        raise UserError(
            "There are {n_answers} answers for {n_references} questions; give one for each.",
            n_answers=len(answers),
            n_references=len(references),
        )


def exact_match(answers: Sequence[Sequence[Hashable]], references: Sequence[Sequence[Hashable]]) -> float:
    """Share of answers that equal their reference in every token.

    Raises UserError without answers, and where there is not one answer per reference.

    >>> exact_match([[1, 2], [3, 4], [5]], [[1, 2], [3, 5], [5, 6]]).__round__(4)
    0.3333
    """
    check_one_each(answers, references)
    return sum(list(answer) == list(reference) for answer, reference in zip(answers, references, strict=True)) / len(
        answers
    )


def exact_matches(lines: ComparedLines) -> Bool[np.ndarray, "line"]:
    """Which hypotheses equal one of their references, white space at the edges aside.

    >>> exact_matches(ComparedLines(hypotheses=("a ", "b"), references=(("x", "a"), ("c", "d")))).tolist()
    [True, False]
    """
    rows = zip(lines.hypotheses, lines.references, strict=True)
    return np.array([text.strip() in {reference.strip() for reference in references} for text, references in rows])


def exact_match_spread(lines: ComparedLines) -> Spread:
    """The share of hypotheses that equal one of their references, with Wilson's interval."""
    hits = exact_matches(lines)
    return share_spread(int(hits.sum()), len(hits))


def expected_exact_match(accuracy: float, lengths: Sequence[int]) -> float:
    """Exact match if tokens were correct independently with probability p: the mean of p^L over the answers.

    Raises UserError for an accuracy outside 0 to 1, and without answers.

    >>> expected_exact_match(0.9, [5]), expected_exact_match(0.5, [1, 2])
    (0.5904900000000001, 0.375)
    """
    if not 0 <= accuracy <= 1:
        raise UserError("An accuracy of {accuracy} is no share; choose a number from 0 to 1.", accuracy=accuracy)
    if not len(lengths) or min(lengths) < 0:
        raise UserError("Give the length of at least one answer, in tokens.")
    return float(np.mean(accuracy ** np.asarray(lengths, dtype=np.float64)))


def token_probability(log_probabilities: Float[np.ndarray, "row position"], counted: Counted) -> float:
    """Mean probability of the reference token over all counted positions. log_probabilities in nats.

    >>> token_probability(np.log([[0.5, 1.0], [0.25, 0.25]]), np.array([[True, True], [True, True]]))
    0.5
    """
    _check_counted(log_probabilities, counted)
    return float(np.exp(log_probabilities[counted]).mean())


def answer_probabilities(
    log_probabilities: Float[np.ndarray, "row position"], counted: Counted
) -> Float[np.ndarray, "row"]:
    """Probability of sampling each reference answer in full: the product of its tokens' probabilities.

    >>> answer_probabilities(np.log([[0.5, 0.5], [0.25, 0.1]]), np.array([[True, True], [True, False]])).tolist()
    [0.25, 0.25]
    """
    _check_counted(log_probabilities, counted)
    product: np.ndarray = np.exp(np.where(counted, log_probabilities, 0.0).sum(axis=1))
    return product


def _check_counted(values: np.ndarray, counted: Counted) -> None:
    if values.shape != counted.shape:
        raise UserError(
            "There are values of shape {shape} for positions of shape {counted}.",
            shape=values.shape,
            counted=counted.shape,
        )
    if not counted.any():
        raise UserError("No position counts, so there is nothing to measure.")
