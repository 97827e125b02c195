"""Language models that others trained: parameters, training tokens and date of each, as their reports print them."""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

from playground.errors import UserError
from playground.folders import assets_folder
from playground.scaling.budgets import short
from playground.scaling.forms.form import Parameters
from playground.scaling.overtraining import Overtraining, overtraining
from playground.text import _

MONTHS = 12
NEAR = 1.5
"""Within this factor of its optimal tokens a model is neither over- nor under-trained: two papers differ by as much."""


@dataclass(frozen=True, kw_only=True)
class FamousModel:
    """A language model and what its report prints. Raises UserError for a size that is not above 0, and no date."""

    name: str
    date: str
    """Of its report: year and month, such as 2020-05."""
    params: float
    """That work on a token: of a mixture of experts those that a token activates."""
    total_params: float
    tokens: float | None
    """Trained on; None where no report prints them."""
    note: str
    source: str

    def __post_init__(self) -> None:
        sizes = (self.params, self.total_params, *(() if self.tokens is None else (self.tokens,)))
        if not all(math.isfinite(size) and size > 0 for size in sizes) or self.total_params < self.params:
            raise UserError("The sizes of {name} are not above 0, or more work than there are.", name=self.name)
        year, _dash, month = self.date.partition("-")
        if not (year.isdigit() and month.isdigit() and 1 <= int(month) <= MONTHS):
            raise UserError("{date!r} is no year and month, such as 2020-05.", date=self.date)

    @property
    def years(self) -> float:
        """The date as a number of years.

        >>> FamousModel(
        ...     name="", date="2020-07", params=1, total_params=1, tokens=1, note="", source=""
        ... ).years
        2020.5
        """
        year, _dash, month = self.date.partition("-")
        return int(year) + (int(month) - 1) / MONTHS

    @property
    def is_mixture(self) -> bool:
        """Whether a token meets only a part of the parameters."""
        return self.total_params > self.params


def famous_csv() -> Path:
    """The table that comes with the app."""
    return assets_folder() / "published" / "language-models.csv"


def famous_models() -> tuple[FamousModel, ...]:
    """The models of that table, the oldest first."""
    return read_famous(famous_csv().read_text(encoding="utf-8"))


def read_famous(text: str) -> tuple[FamousModel, ...]:
    """The models of such a table. Raises UserError for a row that cannot be read."""
    models = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            models.append(
                FamousModel(
                    name=row["name"],
                    date=row["date"],
                    params=float(row["params"]),
                    total_params=float(row["total_params"]),
                    tokens=float(row["tokens"]) if row["tokens"] else None,
                    note=row["note"],
                    source=row["source"],
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError("Row {number} of the models cannot be read: {error}.", number=number, error=error) from None
    return tuple(sorted(models, key=lambda model: model.years))


def trained_as(models: tuple[FamousModel, ...], law: str, parameters: Parameters) -> dict[str, Overtraining]:
    """Each model of known tokens beside the law's optimum, by name. Raises UserError for a law without an optimum."""
    return {
        model.name: overtraining(law, parameters, model.params, model.tokens)
        for model in models
        if model.tokens is not None
    }


def famous_sentence(found: dict[str, Overtraining]) -> str:
    """How many are over- and under-trained by the law, and the extremes of both."""
    over = {name: each for name, each in found.items() if each.factor > NEAR}
    under = {name: each for name, each in found.items() if each.factor < 1 / NEAR}
    counts = _("By this law {over} of {count} models are over-trained and {under} under-trained.").format(
        over=len(over), count=len(found), under=len(under)
    )
    said = [counts]
    if over:
        most = max(over, key=lambda name: over[name].factor)
        template = _("{name} saw {times} times the tokens that are optimal for its size, and gives up {loss:.3f} nats.")
        said.append(template.format(name=most, times=short(over[most].factor), loss=over[most].given_up))
    if under:
        least = min(under, key=lambda name: under[name].factor)
        template = _("{name} saw one part in {times} of them, and gives up {loss:.3f} nats.")
        said.append(template.format(name=least, times=short(1 / under[least].factor), loss=under[least].given_up))
    return " ".join(said)
