"""How much data so many tokens are: bytes, words, books, years of reading. All ratios are assumptions."""

from dataclasses import dataclass

from playground.errors import UserError

READING_HOURS_A_DAY = 8


@dataclass(frozen=True, kw_only=True)
class Ratios:
    """English prose under a byte-level vocabulary of some 50,000 tokens, as GPT-2's; code and other languages differ.

    words_per_book is that of a novel; words_in_wikipedia is that of English Wikipedia's articles in 2024;
    words_per_minute that of silent reading (Brysbaert 2019: 238).
    """

    bytes_per_token: float = 4.4
    words_per_token: float = 0.75
    words_per_book: float = 90_000
    words_in_wikipedia: float = 4.8e9
    words_per_minute: float = 238

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UserError(f"{name} is {value}; choose a number above 0.")


@dataclass(frozen=True, kw_only=True)
class DataSize:
    """So many tokens in other units. reading_years: of one person who reads eight hours every day."""

    tokens: float
    bytes: float
    words: float
    books: float
    wikipedias: float
    reading_years: float


def data_size(tokens: float, ratios: Ratios | None = None) -> DataSize:
    """What tokens amount to.

    >>> size = data_size(1.2e6)
    >>> round(size.words), round(size.books), round(size.bytes)
    (900000, 10, 5280000)
    """
    if not tokens > 0:
        raise UserError(f"{tokens:g} tokens are no data; choose a number above 0.")
    ratios = ratios or Ratios()
    words = tokens * ratios.words_per_token
    return DataSize(
        tokens=tokens,
        bytes=tokens * ratios.bytes_per_token,
        words=words,
        books=words / ratios.words_per_book,
        wikipedias=words / ratios.words_in_wikipedia,
        reading_years=words / ratios.words_per_minute / 60 / READING_HOURS_A_DAY / 365,
    )
