"""A budget's units: training compute in FLOP to hours, energy and cost and back; tokens to bytes, words and books.

Rates and ratios are assumptions, all of them fields that can be replaced.
"""

import math
from dataclasses import dataclass

from playground.errors import UserError

LARGEST_BUDGET = 1e40


def short(number: float) -> str:
    """A number with its prefix, in at most three digits.

    >>> short(1234567.0), short(0.0123), short(2.5e15)
    ('1.23M', '0.0123', '2.5e+15')
    """
    for bound, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if bound <= abs(number) < 1e15:
            return f"{number / bound:.3g}{letter}"
    return f"{number:.3g}"


def two_digits(number: float) -> str:
    """A factor or a percentage to two digits that count, written out.

    >>> two_digits(1.28), two_digits(267.0), two_digits(12_345.0)
    ('1.3', '270', '12,000')
    """
    return f"{float(f'{number:.2g}'):,.10g}"


def with_interval(value: float, interval: tuple[float, float] | None) -> str:
    """A number with its prefix, and its interval in brackets.

    >>> with_interval(34862.0, (24762.0, 45243.0)), with_interval(1.5e9, None)
    ('34.9k [24.8k, 45.2k]', '1.5B')
    """
    return short(value) if interval is None else f"{short(value)} [{short(interval[0])}, {short(interval[1])}]"


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """A GPU for training, by its maker's data sheet."""

    key: str
    title: str
    peak_flops: float
    """Dense FLOP per second in 16-bit floats."""
    watts: float
    """Rated power."""


ACCELERATORS: dict[str, Accelerator] = {
    entry.key: entry
    for entry in [
        Accelerator(key="h100", title="NVIDIA H100 SXM", peak_flops=989e12, watts=700),
        Accelerator(key="h200", title="NVIDIA H200 SXM", peak_flops=989e12, watts=700),
        Accelerator(key="b200", title="NVIDIA B200", peak_flops=2250e12, watts=1000),
        Accelerator(key="a100", title="NVIDIA A100 SXM", peak_flops=312e12, watts=400),
        Accelerator(key="l4", title="NVIDIA L4", peak_flops=121e12, watts=72),
        Accelerator(key="t4", title="NVIDIA T4", peak_flops=65e12, watts=70),
        Accelerator(key="rtx-4090", title="NVIDIA RTX 4090", peak_flops=165e12, watts=450),
        Accelerator(key="mi300x", title="AMD MI300X", peak_flops=1307e12, watts=750),
    ]
}
"""From the makers' data sheets: tensor or matrix cores at 16 bits that accumulate in 32; where only a peak with
sparsity is printed (H100, H200, L4), half of it. The B200 is the air-cooled one of an HGX board.
"""


@dataclass(frozen=True, kw_only=True)
class Rig:
    """The machines of a training run. utilisation, price and overhead are assumptions to be replaced by one's own."""

    accelerator: Accelerator = ACCELERATORS["h100"]
    count: int = 8
    utilisation: float = 0.4
    """Model FLOPs utilisation (MFU), the share of the peak that becomes model FLOPs (Chowdhery et al. 2022)."""
    price: float = 2.0
    """Of one accelerator for an hour, in any currency."""
    overhead: float = 1.5
    """What the accelerators' power is multiplied by: the rest of the machine, cooling and mains (PUE)."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 10_000_000:
            raise UserError("{count} accelerators make no rig; choose 1 to 10 million.", count=self.count)
        if not 0 < self.utilisation <= 1:
            raise UserError(
                "A utilisation of {utilisation} is impossible; 0.3 to 0.5 is common.", utilisation=self.utilisation
            )
        if not (math.isfinite(self.price) and self.price >= 0):
            raise UserError(
                "A price of {price} makes no sense; choose 0 or more for an accelerator and hour.", price=self.price
            )
        if not 1 <= self.overhead <= 10:
            raise UserError(
                "Power cannot be multiplied by {overhead}; choose 1 to 10, 1.5 is common.", overhead=self.overhead
            )

    @property
    def flops_per_hour(self) -> float:
        """Model FLOPs of one accelerator in an hour."""
        return self.accelerator.peak_flops * self.utilisation * 3600


@dataclass(frozen=True, kw_only=True)
class TrainingCost:
    """What a budget takes on a rig."""

    hours: float
    accelerator_hours: float
    kilowatt_hours: float
    money: float


def flops_of_hours(hours: float, rig: Rig) -> float:
    """The budget of all accelerators for so many hours.

    >>> rig = Rig(accelerator=ACCELERATORS["a100"], count=2, utilisation=0.5)
    >>> f"{flops_of_hours(1, rig):.4g}"
    '1.123e+18'
    """
    return check_budget(hours * rig.count * rig.flops_per_hour)


def flops_of_money(money: float, rig: Rig) -> float:
    """The budget that so much money rents. Raises UserError where an hour costs nothing."""
    if rig.price == 0:
        raise UserError("At a price of 0 any budget is affordable; give the price of an accelerator for an hour.")
    return check_budget(money / rig.price * rig.flops_per_hour)


def training_cost(flops: float, rig: Rig) -> TrainingCost:
    """Hours, energy and cost of a budget.

    >>> rig = Rig(accelerator=ACCELERATORS["h100"], count=8, utilisation=0.5, price=2.0, overhead=1.0)
    >>> cost = training_cost(989e12 * 0.5 * 3600 * 80, rig)
    >>> round(cost.hours), round(cost.accelerator_hours), round(cost.kilowatt_hours), round(cost.money)
    (10, 80, 56, 160)
    """
    hours = check_budget(flops) / rig.flops_per_hour
    return TrainingCost(
        hours=hours / rig.count,
        accelerator_hours=hours,
        kilowatt_hours=hours * rig.accelerator.watts * rig.overhead / 1000,
        money=hours * rig.price,
    )


def check_budget(flops: float) -> float:
    """Return the budget. Raises UserError for one that is not a finite number above 0."""
    if not (math.isfinite(flops) and 0 < flops < LARGEST_BUDGET):
        raise UserError("A budget of {flops:g} FLOP cannot be planned with; choose a number above 0.", flops=flops)
    return flops


READING_HOURS_A_DAY = 8


@dataclass(frozen=True, kw_only=True)
class TextRatios:
    """English text of the web under GPT-2's byte-level vocabulary of 50,257; code and other languages differ.

    Bytes and words per token are those of WebText2, 96 GB and 1.62e10 words in 2.29e10 tokens (Kaplan et al. 2020,
    section 2.3).
    """

    bytes_per_token: float = 96e9 / 2.29e10
    words_per_token: float = 1.62e10 / 2.29e10
    words_per_book: float = 90_000
    """A usual novel, assumed."""
    words_in_wikipedia: float = 5.0e9
    """English articles in July 2025, by Wikipedia's own page on its size."""
    words_per_minute: float = 238
    """Silent reading of non-fiction (Brysbaert 2019)."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UserError("{name} is {value}; choose a number above 0.", name=name, value=value)


@dataclass(frozen=True, kw_only=True)
class TextSize:
    """So many tokens of text in other units."""

    tokens: float
    bytes: float
    words: float
    books: float
    wikipedias: float
    reading_years: float
    """Of one person who reads eight hours every day."""


def text_size(tokens: float, ratios: TextRatios | None = None) -> TextSize:
    """How much text so many tokens are.

    >>> size = text_size(2.29e10)
    >>> round(size.words), round(size.books), round(size.bytes)
    (16200000000, 180000, 96000000000)
    """
    if not tokens > 0:
        raise UserError("{tokens:g} tokens are no data; choose a number above 0.", tokens=tokens)
    ratios = ratios or TextRatios()
    words = tokens * ratios.words_per_token
    return TextSize(
        tokens=tokens,
        bytes=tokens * ratios.bytes_per_token,
        words=words,
        books=words / ratios.words_per_book,
        wikipedias=words / ratios.words_in_wikipedia,
        reading_years=words / ratios.words_per_minute / 60 / READING_HOURS_A_DAY / 365,
    )
