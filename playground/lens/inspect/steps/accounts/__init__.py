"""How each number inside a head came about: every term of its sum, each with its factors, and what follows the sum.

A number is named by its symbol, the token it belongs to (where it belongs to one) and its place: k.3.17 is number 17 of
key 3. SYMBOLS lists them all.
"""

from dataclasses import dataclass

from playground.errors import UserError
from playground.lens.inspect.steps.accounts import vectors, weighing
from playground.lens.inspect.steps.accounts.account import Account, Teller, Term
from playground.lens.inspect.steps.accounts.vectors import split_stream
from playground.lens.inspect.steps.layer import HeadInside

__all__ = ["SYMBOLS", "Account", "Number", "Term", "account", "read_number", "split_stream"]


@dataclass(frozen=True, kw_only=True)
class Number:
    """The name of a number: its symbol, its token or row, its place in the vector."""

    symbol: str
    index: int = 0
    place: int = 0

    @property
    def word(self) -> str:
        """The name as one word.

        >>> Number(symbol="k", index=3, place=17).word
        'k.3.17'
        """
        return f"{self.symbol}.{self.index}.{self.place}"


def read_number(word: str) -> Number | None:
    """The number that a word names; None where it names none.

    >>> read_number("k.3.17") == Number(symbol="k", index=3, place=17), read_number("k.3")
    (True, None)
    """
    symbol, *rest = word.split(".")
    if symbol not in SYMBOLS or len(rest) != 2 or not all(part.isdecimal() and len(part) < 9 for part in rest):
        return None
    return Number(symbol=symbol, index=int(rest[0]), place=int(rest[1]))


def account(found: HeadInside, number: Number) -> Account:
    """How the number came about. Raises UserError for one that is not there."""
    try:
        return SYMBOLS[number.symbol](found, number.index, number.place)
    except (KeyError, IndexError) as error:
        raise UserError("There is no number {word} here; point at one and click it.", word=number.word) from error


SYMBOLS: dict[str, Teller] = {
    "e": vectors.embedded,
    "x": vectors.entered,
    "r": vectors.stream,
    "n": vectors.read,
    "g": vectors.gain,
    "q": vectors.made("q", "query"),
    "k": vectors.made("k", "keys"),
    "v": vectors.made("v", "values"),
    "qr": vectors.turned("q", "query"),
    "kr": vectors.turned("k", "keys"),
    "qk": weighing.score_product,
    "s": weighing.score,
    "t": weighing.scaled,
    "m": weighing.masked,
    "a": weighing.weight,
    "av": weighing.weighted,
    "z": weighing.mixed,
    "o": weighing.share,
    "h": weighing.written,
    "d": weighing.added,
    "u": weighing.after,
    **vectors.row("Q", "query"),
    **vectors.row("K", "keys"),
    **vectors.row("V", "values"),
    **vectors.row("O", "output"),
}
"""Embedding, entering, residual, read, the norm's weights, query, keys, values, these turned, products, scores, scaled,
masked, weights, weighted values, mix, share, all heads' shares, what is added, the stream after, and a row of each
matrix (w), its input (x) and their products (p)."""
