"""How much data so many tokens are: bytes, words, books, years of reading. All ratios are assumptions."""

from dataclasses import dataclass

from playground.errors import UserError

READING_HOURS_A_DAY = 8


@dataclass(frozen=True, kw_only=True)
class Ratios:
    """English text of the web under GPT-2's byte-level vocabulary of 50,257; code and other languages differ.

    Bytes and words for each token are those of WebText2, 96 GB and 1.62e10 words in 2.29e10 tokens (Kaplan et al. 2020,
    section 2.3). words_in_wikipedia: English articles in July 2025, by Wikipedia's own page on its size.
    words_per_minute: silent reading of non-fiction (Brysbaert 2019: 238). words_per_book is a usual novel, assumed.
    """

    bytes_per_token: float = 96e9 / 2.29e10
    words_per_token: float = 1.62e10 / 2.29e10
    words_per_book: float = 90_000
    words_in_wikipedia: float = 5.0e9
    words_per_minute: float = 238

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UserError("{name} is {value}; choose a number above 0.", name=name, value=value)


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

    >>> size = data_size(2.29e10)
    >>> round(size.words), round(size.books), round(size.bytes)
    (16200000000, 180000, 96000000000)
    """
    if not tokens > 0:
        raise UserError("{tokens:g} tokens are no data; choose a number above 0.", tokens=tokens)
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
