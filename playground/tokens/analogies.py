"""Sums and differences of embedding vectors: "king − man + woman". Mikolov et al. 2013, section 4.

The vectors are brought to length 1 before they are added, as in the published analogies; those leave the words of
the question out of the answer. Without that the nearest token is often one of them: Linzen 2016; Nissim et al. 2020.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from playground.errors import UserError
from playground.lens.capture.tokens import Token, encode
from playground.tokens.matrices import EmbeddingMatrix, Neighbour, label_alone, nearest_tokens, row_of

if TYPE_CHECKING:
    from playground.models import LoadedModel

MOST_TERMS = 8
_TERM = re.compile(r'\s*(?P<sign>[+\-−]?)\s*(?:"(?P<exact>[^"]*)"|(?P<word>[^\s"+\-−][^\s"]*))')
EXAMPLES = ("uncle - man + woman", "king - man + woman", "his - he + she", "went - go + come")
"""Tried in turn until a vocabulary has all words as tokens."""


@dataclass(frozen=True, kw_only=True)
class VectorTerm:
    """One vector of a sum."""

    sign: int
    """1 or -1."""
    token: Token


@dataclass(frozen=True, kw_only=True)
class VectorSum:
    """A sum, and the tokens nearest to it, in both ways of counting."""

    terms: tuple[VectorTerm, ...]
    all: tuple[Neighbour, ...]
    """The nearest of all tokens."""
    others: tuple[Neighbour, ...]
    """The nearest of those that are not in the sum."""

    @property
    def is_changed(self) -> bool:
        """Whether leaving the terms out changes the first answer."""
        return [n.token.id for n in self.all[:1]] != [n.token.id for n in self.others[:1]]


def read_terms(model: "LoadedModel", expression: str) -> tuple[VectorTerm, ...]:
    """The terms of "king - man + woman". A word in quotes is taken to the letter, spaces too; #42 is token 42.

    Raises UserError for what is no sum, and for a word that is no single token.
    """
    terms: list[VectorTerm] = []
    position = 0
    while expression[position:].strip():
        match = _TERM.match(expression, position)
        if match is None or (terms and not match["sign"]):
            raise UserError("Write a sum of tokens, such as: king - man + woman.")
        exact = match["exact"]
        id = single_token(model, match["word"] if exact is None else exact, exact=exact is not None)
        terms.append(VectorTerm(sign=-1 if match["sign"] in ("-", "−") else 1, token=label_alone(model, [id])[0]))
        position = match.end()
    if not 1 <= len(terms) <= MOST_TERMS:
        raise UserError("Give one to {most} tokens with + or - between them.", most=MOST_TERMS)
    return tuple(terms)


def single_token(model: "LoadedModel", word: str, *, exact: bool = False) -> int:
    """The id of a word that is one token, within a sentence where possible. Raises UserError for others."""
    if re.fullmatch(r"#\d{1,7}", word) and not exact:
        return int(word[1:])
    unknown = model.adapter.unknown_id()
    counts = []
    for spelling in (word,) if exact else (f" {word}", word):
        ids = [token.id for token in encode(model.tokenizer, spelling) if not token.special]
        if len(ids) == 1 and ids[0] != unknown:
            return ids[0]
        counts.append(len(ids))
    raise UserError(
        "“{word}” is no single token of this vocabulary ({count} of them). Choose a shorter or more frequent word.",
        word=word,
        count=counts[0],
    )


@torch.inference_mode()
def add_vectors(model: "LoadedModel", matrix: EmbeddingMatrix, terms: tuple[VectorTerm, ...], k: int = 10) -> VectorSum:
    """The tokens nearest to a sum of vectors of length 1. Raises UserError where the sum has no direction."""
    rows = [(term.sign, row_of(matrix, term.token.id)) for term in terms]
    if any(not bool(row.any()) for _sign, row in rows):
        raise UserError("One of these tokens has a vector of zeros, which has no direction.")
    total = torch.stack([sign * row / row.norm() for sign, row in rows]).sum(0)
    if float(total.norm()) < 1e-5:
        raise UserError("These vectors cancel each other: the sum is zero, and nothing is near it.")
    inputs = {term.token.id for term in terms}
    return VectorSum(
        terms=terms,
        all=tuple(nearest_tokens(model, matrix, total, k)),
        others=tuple(nearest_tokens(model, matrix, total, k, exclude=inputs)),
    )


def example_sum(model: "LoadedModel") -> str:
    """A sum whose words are all tokens of this vocabulary; empty where none of the examples is."""
    for example in EXAMPLES:
        try:
            read_terms(model, example)
        except UserError:
            continue
        return example
    return ""
