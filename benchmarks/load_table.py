"""The README's table of the load, made of what benchmarks/results/load.json and soak.json hold."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A line of the table."""

    what: str
    most: float
    """The target."""
    value: float
    unit: str
    digits: int = 0

    @property
    def cells(self) -> tuple[str, str, str]:
        """What, at most how much, how much it was."""
        target = f"< {self.most:g}{self.unit}" if self.most else "0"
        note = "" if self.holds else " (missed)"
        return self.what, target, f"{self.value:.{self.digits}f}{self.unit}{note}"

    @property
    def holds(self) -> bool:
        """Whether the target is met; zero may be reached."""
        return self.value < self.most or self.value == self.most == 0


def figures(load: dict[str, Any], soak: dict[str, Any] | None = None) -> list[Figure]:
    """What was promised of a server with thirty visitors, in the table's order; of memory only where a soak was run."""
    overview, arrival = load["seconds"]["overview"], load["arrival"]
    errors = len(load["errors"]) + len(arrival["errors"]) + load["tracebacks"]
    found = [
        _seconds(f"Text to overview, median of {overview['count']}", 0.3, overview["median"]),
        _seconds("Text to overview, 95th percentile", 1.5, overview["95th"]),
        _seconds("The thirtieth's first page", 5, arrival["last"]),
        _seconds("The slowest first page", 5, arrival["seconds"]["largest"]),
        Figure(what="Memory of a seat", most=20, value=load["megabytes_per_seat"], unit=" MB", digits=1),
    ]
    if soak is not None:
        errors += len(soak["errors"]) + soak["tracebacks"]
        found.append(_growth(soak))
    return [*found, Figure(what="Errors", most=0, value=errors, unit="")]


def _seconds(what: str, most: float, value: float) -> Figure:
    return Figure(what=what, most=most, value=value, unit=" s", digits=2)


def _growth(soak: dict[str, Any]) -> Figure:
    warm_up = soak["plan"]["warm_up_seconds"]
    minutes = (soak["plan"]["seconds"] - warm_up) / 60
    what = f"Memory in {minutes:g} minutes after {warm_up / 60:g} of warm-up"
    return Figure(what=what, most=50, value=soak["growth_megabytes"], unit=" MB")


def missed(load: dict[str, Any], soak: dict[str, Any] | None = None) -> list[str]:
    """The targets that were not met."""
    return [figure.what for figure in figures(load, soak) if not figure.holds]


def markdown(load: dict[str, Any], soak: dict[str, Any] | None = None) -> str:
    """The table as the README holds it, and below it what it was measured on and how."""
    rows = [("What", "Target", "Here"), ("---", "---", "---"), *(figure.cells for figure in figures(load, soak))]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", _caption(load, soak)])


def _caption(load: dict[str, Any], soak: dict[str, Any] | None) -> str:
    made, plan, seconds = load["made"], load["plan"], load["seconds"]
    others = ", ".join(
        f"{what} {seconds[kind]['median']:.2f} s (95th percentile {seconds[kind]['95th']:.2f} s)"
        for kind, what in (("head", "a head"), ("page", "another page"), ("run", "a run's page"))
        if seconds.get(kind, {}).get("count")
    )
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    soaked = "" if soak is None else f", `make soak` on {soak['made']['date'][:10]}{_beside(soak)}"
    return (
        f"`make load` on {made['date'][:10]}{soaked}: {plan['visitors']} visitors for {plan['seconds'] / 60:g} "
        f"minutes, {plan['trainings']} trainings, then {plan['visitors']} arriving within "
        f"{plan['arrival_seconds']:g} s; server, trainings and visitors on "
        f"{made['cpu']}, {made['cores']} cores, no GPU{_beside(load)}. "
        f"Medians of the rest: {others}. {versions}."
    )


def _beside(results: dict[str, Any]) -> str:
    """What else the machine did, in brackets."""
    note = results["plan"]["note"]
    return f" ({note})" if note else ""
