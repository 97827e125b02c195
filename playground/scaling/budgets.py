"""Budgets: FLOPs from hours or money, and from FLOPs hours, energy and money."""

import math
from dataclasses import dataclass

from playground.errors import UserError

LARGEST = 1e40


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """A processor for training. peak_flops: dense, in 16-bit floats, each second; watts: its rated power."""

    key: str
    title: str
    peak_flops: float
    watts: float


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
"""Of the makers' data sheets: tensor or matrix cores at 16 bits that add up in 32; where only a peak with sparsity is
printed (H100, H200, L4), half of it. The B200 is the air-cooled one of an HGX board.
"""


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Where a model is trained. utilisation is the share of the peak that becomes model FLOPs (Chowdhery et al. 2022).

    price is for one accelerator and hour, in whatever money. overhead multiplies the accelerators' power: the rest of
    the machine, cooling and mains. utilisation, price and overhead are assumptions that one's own should replace.
    """

    accelerator: Accelerator = ACCELERATORS["h100"]
    count: int = 8
    utilisation: float = 0.4
    price: float = 2.0
    overhead: float = 1.5

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
        """Of one accelerator."""
        return self.accelerator.peak_flops * self.utilisation * 3600


@dataclass(frozen=True, kw_only=True)
class Cost:
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
    return checked(hours * rig.count * rig.flops_per_hour)


def flops_of_money(money: float, rig: Rig) -> float:
    """The budget that so much money rents. Raises UserError where an hour costs nothing."""
    if rig.price == 0:
        raise UserError("At a price of 0 any budget is affordable; give the price of an accelerator for an hour.")
    return checked(money / rig.price * rig.flops_per_hour)


def cost(flops: float, rig: Rig) -> Cost:
    """Hours, energy and money of a budget.

    >>> rig = Rig(accelerator=ACCELERATORS["h100"], count=8, utilisation=0.5, price=2.0, overhead=1.0)
    >>> spent = cost(989e12 * 0.5 * 3600 * 80, rig)
    >>> round(spent.hours), round(spent.accelerator_hours), round(spent.kilowatt_hours), round(spent.money)
    (10, 80, 56, 160)
    """
    hours = checked(flops) / rig.flops_per_hour
    return Cost(
        hours=hours / rig.count,
        accelerator_hours=hours,
        kilowatt_hours=hours * rig.accelerator.watts * rig.overhead / 1000,
        money=hours * rig.price,
    )


def checked(flops: float) -> float:
    """A budget that can be planned with. Raises UserError for one that is no number above 0."""
    if not (math.isfinite(flops) and 0 < flops < LARGEST):
        raise UserError("A budget of {flops:g} FLOPs cannot be planned with; choose a number above 0.", flops=flops)
    return flops
