"""Points from a CSV: find or map its columns, check the units, name the rows that cannot be used."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.decoding import decode_upload
from playground.errors import UserError
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points, check_units
from playground.scaling.table_numbers import decimal_sign, parse_cell, states_unit, unit_of
from playground.scaling.table_rows import read_table_rows
from playground.text import N_, _

ALIASES = {
    "params": ("params", "parameters", "n", "n_params", "num_params", "model_size", "size"),
    "tokens": ("tokens", "d", "n_tokens", "num_tokens", "training_tokens", "tokens_seen", "data"),
    "flops": ("flops", "flop", "c", "compute", "training_flops", "training_flop"),
    "loss": ("loss", "l", "final_loss", "val_loss", "validation_loss", "test_loss", "eval_loss"),
    "unique": ("unique", "unique_tokens"),
    "name": ("run", "name", "id"),
    "seed": ("seed",),
}
"""Usual headings of each column, in any case and with spaces or hyphens for underscores."""
NUMERIC = ("params", "tokens", "flops", "loss", "unique")
LARGEST_NUMBER = 1e40
LARGEST_LOSS = 50.0
"""In nats per token: the logarithm of a vocabulary of 10^21 tokens."""
COUNTS = ("params", "tokens", "unique")
NAMED_ROWS = 5
MOST_TITLES = 5
"""How far below the first line a header may stand: merged cells and titles above it."""
MOST_POINTS = 5_000
_SEED = re.compile(r"-?\d{1,18}")
"""A column of anything else is no column of seeds."""
TOO_MANY = N_("The table has {rows:,} rows; a law is fitted to at most {most:,} runs. Keep the last row of each.")


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """A row that cannot be used."""

    row: int
    """Its line in the file, the header's being 1."""
    reason: str

    def __str__(self) -> str:
        return _("row {row}: {reason}").format(row=self.row, reason=self.reason)


@dataclass(frozen=True, kw_only=True, eq=False)
class PointsTable:
    """The points of a file, the rows that cannot be used, and what looks wrong."""

    points: Points
    bad: tuple[BadRow, ...]
    warnings: tuple[str, ...]
    """Sentences about units."""
    columns: dict[str, str]
    """The heading that was taken for each column."""


def read_points(text: str | bytes, columns: Mapping[str, str] | None = None) -> PointsTable:
    """Read the points of a CSV with a header; the delimiter may be a comma, a semicolon or a tab.

    columns maps params, tokens, flops, loss, unique, name or seed to a heading; the others are found by their usual
    headings. params, loss, and tokens or flops have to be there.
    Raises UserError for a file without a header, a missing column, or no good row at all.
    """
    lines, delimiter = _lines(decode_upload(text))
    if len(lines) > MOST_POINTS + 1:
        raise UserError(TOO_MANY, rows=len(lines) - 1, most=MOST_POINTS)
    header = _header(lines)
    index_of = _column_indices(header, columns or {})
    _check_required(index_of, header)
    factors = {name: unit_of(header[index])[1] for name, index in index_of.items()}
    written = column_cells([cells for _line, cells in lines[1:]], index_of, NUMERIC)
    decimal = file_decimal_sign(written, delimiter, factors)
    numbers: list[dict[str, float]] = []
    labels: list[dict[str, str]] = []
    bad: list[BadRow] = []
    for number, cells in lines[1:]:
        try:
            numbers.append(_numbers(cells, index_of, decimal, factors))
        except UserError as error:
            bad.append(BadRow(row=number, reason=str(error)))
            continue
        labels.append(_labels(number, cells, index_of))
    if not numbers and bad:
        raise UserError("No row can be used. {rows}", rows=name_bad(bad))
    if not numbers:
        raise UserError("The file has a header and no rows below it.")
    points = _points(numbers, labels)
    headings = {name: header[index] for name, index in index_of.items()}
    warnings = (*_converted(headings, factors), *check_units(points, has_flops="flops" in index_of))
    return PointsTable(points=points, bad=tuple(bad), warnings=warnings, columns=headings)


def _converted(headings: Mapping[str, str], factors: Mapping[str, float]) -> tuple[str, ...]:
    """A sentence for each column whose heading states another unit."""
    sentence = _("{heading}: every number without a unit was multiplied by {factor:g}, as its heading says.")
    return tuple(
        sentence.format(heading=headings[name], factor=factor) for name, factor in factors.items() if factor != 1
    )


def read_points_strictly(text: str | bytes, columns: Mapping[str, str] | None = None) -> PointsTable:
    """As `read_points`, but a bad row raises UserError with its line and reason."""
    table = read_points(text, columns)
    if table.bad:
        singular, plural = N_("{rows} Correct or remove it."), N_("{rows} Correct or remove them.")
        raise UserError(singular if len(table.bad) == 1 else plural, rows=name_bad(table.bad))
    return table


def header_of(text: str | bytes) -> list[str]:
    """The headings of a file, for a person to map. Raises UserError where there are none."""
    return _header(_lines(decode_upload(text))[0])


def name_bad(bad: Sequence[BadRow]) -> str:
    """The first few bad rows in one sentence.

    >>> name_bad([BadRow(row=3, reason="loss is 0, not above 0")])
    'Row 3: loss is 0, not above 0.'
    """
    listed = "; ".join(str(row) for row in bad[:NAMED_ROWS])
    if len(bad) > NAMED_ROWS:
        listed = _("{listed}; and {count} more").format(listed=listed, count=len(bad) - NAMED_ROWS)
    return f"{listed[:1].upper()}{listed[1:]}."


# Cells


def _lines(text: str) -> tuple[list[tuple[int, list[str]]], str]:
    """The numbered rows from the header on: the first of a few that names a size and a loss, or else the first."""
    lines, delimiter = read_table_rows(text)
    named = (index for index, (_, cells) in enumerate(lines[:MOST_TITLES]) if _names_points(cells))
    return lines[next(named, 0) :], delimiter


def _plain(heading: str) -> str:
    """A heading without its unit, in lower case: "Tokens (B)" is tokens."""
    return unit_of(heading)[0].lower().replace(" ", "_").replace("-", "_")


def _names_points(cells: list[str]) -> bool:
    plain = {_plain(cell.strip()) for cell in cells}
    return not plain.isdisjoint(ALIASES["params"]) and not plain.isdisjoint(ALIASES["loss"])


def _header(lines: list[tuple[int, list[str]]]) -> list[str]:
    return [cell.strip() for cell in lines[0][1]]


def _column_indices(header: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    """The index of each column's cell in a row."""
    index_of: dict[str, int] = {}
    for name, heading in columns.items():
        if name not in ALIASES:
            raise UserError(
                "There is nothing to map to {name!r}; choose among {aliases}.", name=name, aliases=", ".join(ALIASES)
            )
        if heading not in header:
            raise UserError(
                "There is no column {heading!r} to take {name} from; the file has {header}.",
                heading=heading,
                name=name,
                header=_list_header(header),
            )
        index_of[name] = header.index(heading)
    plain = [_plain(heading) for heading in header]
    for name, aliases in ALIASES.items():
        index = next((plain.index(alias) for alias in aliases if alias in plain), None)
        if name not in index_of and index is not None and plain.count(plain[index]) > 1:
            raise UserError("The header names {heading!r} more than once; rename all but one.", heading=header[index])
        if name not in index_of and index is not None and index not in index_of.values():
            index_of[name] = index
    return index_of


def _check_required(index_of: dict[str, int], header: list[str]) -> None:
    missing = [name for name in ("params", "loss") if name not in index_of]
    if "tokens" not in index_of and "flops" not in index_of:
        missing.insert(1 if "params" in missing else 0, _("tokens (or flops)"))
    if missing:
        raise UserError(
            "Row 1: the header lacks {missing}; it has {header}. The columns needed are params, tokens (or flops) and "
            "loss.",
            missing=_(" and ").join(missing),
            header=_list_header(header),
        )


def _list_header(header: list[str]) -> str:
    return ", ".join(repr(heading[:40]) for heading in header[:12])


def _numbers(
    cells: list[str], index_of: dict[str, int], decimal: str, factors: Mapping[str, float]
) -> dict[str, float]:
    """The numbers of a row, in the units of `Points`. Raises UserError with the reason why it cannot be used."""
    numbers: dict[str, float] = {}
    for name in NUMERIC:
        if name not in index_of:
            continue
        if index_of[name] >= len(cells):
            raise UserError("{name} is missing, the row has only {count} cells", name=name, count=len(cells))
        try:
            number = _measure(cells[index_of[name]], decimal, factors[name])
        except UserError as error:
            raise UserError("{name} {reason}", name=name, reason=error) from error
        if number <= 0:
            raise UserError("{name} is {number:g}, not above 0", name=name, number=number)
        if not (math.isfinite(number) and number < LARGEST_NUMBER):
            raise UserError("{name} is {number:g}, too large", name=name, number=number)
        numbers[name] = number
    if "tokens" not in numbers:
        numbers["tokens"] = numbers["flops"] / (FLOPS_PER_PARAMETER_AND_TOKEN * numbers["params"])
    return numbers


def _measure(cell: str, decimal: str, factor: float) -> float:
    """A cell times its heading's unit, unless it states its own. Raises UserError for what is no number."""
    number = parse_cell(cell, decimal)
    return number if states_unit(cell) else factor * number


def column_cells(
    rows: Sequence[Sequence[str]], index_of: Mapping[str, int], names: Sequence[str]
) -> dict[str, list[str]]:
    """The cells of these columns, as far as the table and each row have them."""
    known = {name: index_of[name] for name in names if name in index_of}
    return {name: [cells[index] for cells in rows if index < len(cells)] for name, index in known.items()}


def file_decimal_sign(columns: Mapping[str, list[str]], delimiter: str, factors: Mapping[str, float]) -> str:
    """The decimal sign of a file with these columns of numbers, a loss among them, and their units.

    Raises UserError where its numbers can be read in two ways.
    """
    sign = decimal_sign([cell for cells in columns.values() for cell in cells], delimiter)
    if sign is None:
        sign = _plausible_sign(columns, factors)
    if sign is None:
        raise UserError(
            "A number such as {cell} can be read in two ways; write numbers without a sign between thousands.",
            cell=next(cell.strip() for cells in columns.values() for cell in cells if "," in cell),
        )
    return sign


def _plausible_sign(columns: Mapping[str, list[str]], factors: Mapping[str, float]) -> str | None:
    """The sign with which parameters and tokens are whole numbers and losses are small; None where both or none do."""
    read = {
        sign: {name: [_measure_or_none(cell, sign, factors[name]) for cell in cells] for name, cells in columns.items()}
        for sign in ".,"
    }

    def fits(sign: str, other: str) -> bool:
        pairs = [pair for name in columns for pair in zip(read[sign][name], read[other][name], strict=True)]
        # A cell that is no number either way says nothing; its row is named later.
        if any(number is None and otherwise is not None for number, otherwise in pairs):
            return False
        counts = [count for name in COUNTS for count in read[sign].get(name, ()) if count is not None]
        losses = [loss for loss in read[sign]["loss"] if loss is not None]
        return all(math.isclose(count, round(count)) for count in counts) and max(losses, default=0.0) < LARGEST_LOSS

    fitting = [sign for sign, other in (".,", ",.") if fits(sign, other)]
    return fitting[0] if len(fitting) == 1 else None


def _measure_or_none(cell: str, decimal: str, factor: float) -> float | None:
    try:
        return _measure(cell, decimal, factor)
    except UserError:
        return None


def _labels(number: int, cells: list[str], index_of: dict[str, int]) -> dict[str, str]:
    """A row's name and seed; its line in the file where it has no name."""
    labels = {
        name: cells[index_of[name]].strip() for name in ("name", "seed") if index_of.get(name, len(cells)) < len(cells)
    }
    return {**labels, "name": labels.get("name") or f"row {number}"}


def _points(numbers: list[dict[str, float]], labels: list[dict[str, str]]) -> Points:
    arrays = {name: [row[name] for row in numbers] for name in NUMERIC if name in numbers[0]}
    seeds = [label.get("seed", "") for label in labels]
    has_seeds = all(_SEED.fullmatch(seed) for seed in seeds)
    return Points(
        **arrays,  # type: ignore[arg-type]  # lists become arrays there
        names=tuple(label["name"] for label in labels),
        seeds=tuple(int(seed) for seed in seeds) if has_seeds else (),
    )
