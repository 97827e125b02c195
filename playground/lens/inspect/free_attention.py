"""Attention without a model: a few words with vectors that anybody may change, and every number on the way.

The example's vectors have three dimensions: a thing, an action, a location. The query of "sat" asks for things and
locations, and so attends to "cat" and "mat".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError

MOST_WORDS = 16
MOST_NUMBERS = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """Words with a query, a key and a value each."""

    words: tuple[str, ...]
    queries: Float[np.ndarray, "word width"]
    keys: Float[np.ndarray, "word width"]
    values: Float[np.ndarray, "word value_width"]

    def __post_init__(self) -> None:
        tables = (self.queries, self.keys, self.values)
        if not 1 <= len(self.words) <= MOST_WORDS:
            raise UserError(
                "There are {n_words} words; write 1 to {most_words}.", n_words=len(self.words), most_words=MOST_WORDS
            )
        if any(table.ndim != 2 or len(table) != len(self.words) for table in tables):
            raise UserError("Every word needs a query, a key and a value; fill in the rows that are missing.")
        if self.queries.shape != self.keys.shape:
            raise UserError("Queries and keys have different lengths; give each word as many numbers in both.")
        if not all(1 <= table.shape[1] <= MOST_NUMBERS for table in tables):
            raise UserError("A vector has 1 to {most_numbers} numbers; change the columns.", most_numbers=MOST_NUMBERS)
        if not all(np.isfinite(table).all() for table in tables):
            raise UserError("A number is missing in a vector; fill in every cell.")


EXAMPLE = Words(
    words=("The", "cat", "sat", "on", "the", "mat"),
    queries=np.array([[1, 0, 0], [0, 1, 0], [2, 0, 2], [0, 0, 2], [1, 0, 0], [0, 1, 0]], dtype=float),
    keys=np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 1], [0, 0, 0], [1, 0, 2]], dtype=float),
    values=np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 0, 1]], dtype=float),
)
"""The words to start with; the query to start with is "sat"."""
EXAMPLE_QUERY = 2
_GRADES = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [2, 3, 4], [1, 2, 3], [5, 6, 7]], dtype=float) / 10
INTRODUCTIONS = Words(words=EXAMPLE.words, queries=_GRADES, keys=_GRADES, values=_GRADES)
"""The example that many introductions calculate by hand: queries, keys and values are one table; the query is "sat"."""


@dataclass(frozen=True, kw_only=True)
class PrintedNumbers:
    """Numbers that stand in print for a query of an example."""

    products: tuple[float, ...]
    """q · k by key."""
    weights_sum: float
    output: tuple[float, ...]


CIRCULATING = PrintedNumbers(products=(0.21, 0.49, 0.77, 0.28, 0.21, 0.63), weights_sum=1.48, output=(0.47, 0.58, 0.69))
"""What the text in circulation prints for INTRODUCTIONS: its products are not those of its vectors, and weights of a
softmax sum to 1."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How scores become weights."""

    is_scaled: bool = True
    """Whether scores are divided by the root of the width."""
    is_causal: bool = False
    """Whether later words are masked."""
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not 0.01 <= self.temperature <= 100:
            raise UserError("The temperature is {temperature}; choose 0.01 to 100.", temperature=self.temperature)


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeAttention:
    """Every number of scaled dot-product attention. Vaswani et al. 2017, equation 1."""

    products: Float[np.ndarray, "query key width"]
    """Each number of a query times that of a key."""
    scores: Float[np.ndarray, "query key"]
    """The sums of the products."""
    scaling: float
    scaled: Float[np.ndarray, "query key"]
    """scores · scaling."""
    masked: Float[np.ndarray, "query key"]
    """The scaled scores, minus infinity at masked words."""
    exponentials: Float[np.ndarray, "query key"]
    """e to the masked scores over the temperature, the row's largest subtracted first."""
    weights: Float[np.ndarray, "query key"]
    """The exponentials divided by their sum."""
    shares: Float[np.ndarray, "query key value_width"]
    """Weight times value."""
    output: Float[np.ndarray, "query value_width"]
    """The sum of a query's shares."""

    @property
    def sums(self) -> Float[np.ndarray, "query"]:
        """What each query's weights sum to: 1."""
        return np.asarray(self.weights.sum(-1))


def attend_freely(words: Words, rules: Rules | None = None) -> FreeAttention:
    """Let every word's query meet every key.

    >>> attend_freely(EXAMPLE).scores[EXAMPLE_QUERY].tolist()
    [0.0, 4.0, 0.0, 2.0, 0.0, 6.0]
    """
    rules = rules or Rules()
    products = words.queries[:, None] * words.keys[None]
    scaling = words.queries.shape[1] ** -0.5 if rules.is_scaled else 1.0
    scores = products.sum(-1)
    scaled = scores * scaling
    future = np.triu(np.ones(scaled.shape, dtype=bool), 1) & rules.is_causal
    masked = np.where(future, -np.inf, scaled)
    tempered = masked / rules.temperature
    exponentials = np.exp(tempered - tempered.max(-1, keepdims=True))
    weights = exponentials / exponentials.sum(-1, keepdims=True)
    shares = weights[..., None] * words.values[None]
    return FreeAttention(
        products=products,
        scores=scores,
        scaling=float(scaling),
        scaled=scaled,
        masked=masked,
        exponentials=exponentials,
        weights=weights,
        shares=shares,
        output=shares.sum(1),
    )


def invent(words: Sequence[str], width: int = 3) -> Words:
    """Words with vectors to begin from: whole numbers that depend on the word alone, so that equal words are equal.

    Raises UserError for too many or too few words.
    """
    names = tuple(words)
    numbers = np.array([_numbers(word, 3 * width) for word in names], dtype=float).reshape(len(names), 3, width)
    return Words(words=names, queries=numbers[:, 0], keys=numbers[:, 1], values=numbers[:, 2])


def _numbers(word: str, count: int) -> list[int]:
    """Numbers from -2 to 2 from the word's letters."""
    seed = int.from_bytes(word.lower().encode(), "big")
    return [int(number) for number in np.random.default_rng(seed).integers(-2, 3, count)]
