"""Points from a CSV that somebody brings: columns found or mapped, units looked at, bad rows named and kept out."""

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points

ALIASES = {
    "params": ("params", "parameters", "n", "n_params", "num_params", "model_size", "size"),
    "tokens": ("tokens", "d", "n_tokens", "num_tokens", "training_tokens", "tokens_seen", "data"),
    "flops": ("flops", "flop", "c", "compute", "training_flops", "training_flop"),
    "loss": ("loss", "l", "final_loss", "val_loss", "validation_loss", "test_loss", "eval_loss"),
    "unique": ("unique", "unique_tokens"),
    "name": ("run", "name", "id"),
    "seed": ("seed",),
}
"""Names of columns, in any case and with spaces or hyphens for underscores, that are taken for each column."""
MEASURED = ("params", "tokens", "flops", "loss", "unique")
DELIMITERS = (",", ";", "\t")
LARGEST_NUMBER = 1e40
MOST_ROWS = 100_000
NAMED = 5


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """A row that was kept out. row is its line in the file, the header's being 1; reason says what is wrong with it."""

    row: int
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"


@dataclass(frozen=True, kw_only=True, eq=False)
class PointsRead:
    """What a file holds. warnings are sentences about units; columns says which of the file's was taken for what."""

    points: Points
    bad: tuple[BadRow, ...]
    warnings: tuple[str, ...]
    columns: dict[str, str]


def read_points(text: str | bytes, columns: Mapping[str, str] | None = None) -> PointsRead:
    """The points of a CSV with a header; cells are set off by commas, semicolons or tabs.

    columns maps params, tokens, flops, loss, unique, name or seed to a name in the header; the others are found by
    their usual names. params, loss, and tokens or flops have to be there.
    Raises UserError for a file without a header, a missing column, or no good row at all.
    """
    rows, delimiter = _rows(_decode(text))
    header = [cell.strip() for cell in rows[0][1]]
    places = _places(header, columns or {})
    _refuse_missing(places, header)
    decimal = _decimal(rows[1:], places, delimiter)
    good: list[dict[str, float]] = []
    labels: list[dict[str, str]] = []
    bad: list[BadRow] = []
    for number, cells in rows[1:]:
        try:
            good.append(_measured(cells, places, decimal))
        except ValueError as error:
            bad.append(BadRow(row=number, reason=str(error)))
            continue
        labels.append(_labels(number, cells, places))
    if not good:
        raise UserError(
            f"No row can be used. {name_bad(bad)}" if bad else "The file has a header and no rows below it."
        )
    points = _points(good, labels)
    taken = {name: header[place] for name, place in places.items()}
    return PointsRead(points=points, bad=tuple(bad), warnings=suspicions(points, "flops" in places), columns=taken)


def read_points_strictly(text: str | bytes, columns: Mapping[str, str] | None = None) -> PointsRead:
    """As `read_points`, but raises UserError that names rows and reasons where one row is bad."""
    read = read_points(text, columns)
    if read.bad:
        raise UserError(
            "{name_bad} Correct or remove {value}.",
            name_bad=name_bad(read.bad),
            value="it" if len(read.bad) == 1 else "them",
        )
    return read


def header_of(text: str | bytes) -> list[str]:
    """The names of a file's columns, for a person to map. Raises UserError where there are none."""
    return [cell.strip() for cell in _rows(_decode(text))[0][0][1]]


def name_bad(bad: "tuple[BadRow, ...] | list[BadRow]") -> str:
    """The first few bad rows in one sentence.

    >>> name_bad([BadRow(row=3, reason="loss is 0, not above 0")])
    'Row 3: loss is 0, not above 0.'
    """
    more = f"; and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    listed = "; ".join(str(row) for row in bad[:NAMED]) + more
    return f"{listed[:1].upper()}{listed[1:]}."


def _decode(text: str | bytes) -> str:
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    for marks, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig"), (b"", "cp1252")):
        if text.startswith(marks):
            try:
                return text.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise UserError("The file is not text. Save the table as CSV in UTF-8.")


def _rows(text: str) -> tuple[list[tuple[int, list[str]]], str]:
    """Rows that are not empty, with the line they end on, and what sets off their cells."""
    if "\0" in text:
        raise UserError("The file is not text. Save the table as CSV in UTF-8.")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise UserError(
            "Line {line_num} of the file is no CSV: {error}.", line_num=reader.line_num, error=error
        ) from error
    if not rows:
        raise UserError("The file is empty. It needs a header with params, tokens and loss, and a row for each run.")
    if len(rows) > MOST_ROWS + 1:
        raise UserError(
            "The file has {n_rows:,} rows; bring at most {most_rows:,}.", n_rows=len(rows) - 1, most_rows=MOST_ROWS
        )
    return rows, delimiter


def _places(header: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Which cell of a row holds which column."""
    places: dict[str, int] = {}
    plain = [name.lower().replace(" ", "_").replace("-", "_") for name in header]
    for name, wanted in columns.items():
        if name not in ALIASES:
            raise UserError(
                "There is nothing to map to {name!r}; choose among {aliases}.", name=name, aliases=", ".join(ALIASES)
            )
        if wanted not in header:
            raise UserError(
                "There is no column {wanted!r} to take {name} from; the file has {listed}.",
                wanted=wanted,
                name=name,
                listed=_listed(header),
            )
        places[name] = header.index(wanted)
    for name, aliases in ALIASES.items():
        found = next((plain.index(alias) for alias in aliases if alias in plain), None)
        if name not in places and found is not None and found not in places.values():
            places[name] = found
    return places


def _refuse_missing(places: dict[str, int], header: list[str]) -> None:
    missing = [name for name in ("params", "loss") if name not in places]
    if "tokens" not in places and "flops" not in places:
        missing.insert(1 if "params" in missing else 0, "tokens (or flops)")
    if missing:
        raise UserError(
            "Row 1: the header lacks {missing}; it has {listed}. The columns needed are params, tokens (or "
            "flops) and loss.",
            missing=" and ".join(missing),
            listed=_listed(header),
        )


def _listed(header: list[str]) -> str:
    return ", ".join(repr(name[:40]) for name in header[:12])


def _decimal(rows: list[tuple[int, list[str]]], places: dict[str, int], delimiter: str) -> str:
    measured = [place for name, place in places.items() if name in MEASURED]
    cells = [cells[place] for _, cells in rows for place in measured if place < len(cells)]
    return decimal_sign(cells, delimiter)


def _measured(cells: list[str], places: dict[str, int], decimal: str) -> dict[str, float]:
    """The numbers of a row. Raises ValueError with the reason why it is bad."""
    numbers: dict[str, float] = {}
    for name in MEASURED:
        if name not in places:
            continue
        if places[name] >= len(cells):
            raise ValueError(f"{name} is missing, the row has only {len(cells)} cells")
        try:
            number = read_number(cells[places[name]], decimal)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from error
        if not (math.isfinite(number) and 0 < number < LARGEST_NUMBER):
            raise ValueError(
                f"{name} is {number:g}, not above 0" if number <= 0 else f"{name} is {number:g}, too large"
            )
        numbers[name] = number
    if "tokens" not in numbers:
        numbers["tokens"] = numbers["flops"] / (6 * numbers["params"])
    return numbers


def _labels(number: int, cells: list[str], places: dict[str, int]) -> dict[str, str]:
    """A row's name and seed; its line in the file where it has no name."""
    found = {
        name: cells[places[name]].strip() for name in ("name", "seed") if places.get(name, len(cells)) < len(cells)
    }
    return {**found, "name": found.get("name") or f"row {number}"}


def _points(good: list[dict[str, float]], labels: list[dict[str, str]]) -> Points:
    arrays = {name: [row[name] for row in good] for name in MEASURED if name in good[0]}
    seeds = [label.get("seed", "") for label in labels]
    return Points(
        **arrays,  # type: ignore[arg-type]  # lists become arrays there
        names=tuple(label["name"] for label in labels),
        seeds=tuple(int(seed) for seed in seeds) if all(seed.lstrip("-").isdecimal() for seed in seeds) else (),
    )


THOUSANDS = " \u00a0\u202f'’_"
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
GROUPED = {",": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?"), ".": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")}
SUFFIXED = re.compile(r"([+-]?\d+[.,]?\d*)\s*([kKmMbBgGtT])")
POWERS = {"k": 3, "m": 6, "b": 9, "g": 9, "t": 12}


def decimal_sign(cells: list[str], delimiter: str) -> str:
    """What sets off the decimals in a file: a comma where one stands in some number, unless it sets off thousands.

    >>> decimal_sign(["2,31", "1.000.000"], ";"), decimal_sign(["1,024.5"], ";"), decimal_sign(["1,024"], ",")
    (',', '.', '.')
    """
    if delimiter == ",":
        return "."
    commas = [cell for cell in cells if "," in cell]
    points = [cell for cell in cells if "." in cell and "," not in cell]
    certain = any(cell.count(",") > 1 or cell.rfind(".") > cell.rfind(",") for cell in commas)
    grouped = all(GROUPED["."].fullmatch(cell.strip()) for cell in commas)
    decimals = any(not GROUPED[","].fullmatch(cell.strip()) for cell in points)
    return "." if not commas or certain or (grouped and decimals) else ","


def read_number(cell: str, decimal: str) -> float:
    """The number in a cell. Raises ValueError, with a reason for a person, for everything else.

    >>> read_number("1.234.567,8", ","), read_number("1,234,567", "."), read_number("1.5e9", ".")
    (1234567.8, 1234567.0, 1500000000.0)
    """
    text = cell.strip()
    if not text:
        raise ValueError("is empty")
    for mark in THOUSANDS:
        text = re.sub(rf"(?<=\d){re.escape(mark)}(?=\d{{3}}(\D|$))", "", text)
    if GROUPED[decimal].fullmatch(text):
        text = text.replace("." if decimal == "," else ",", "")
    text = text.replace(",", ".") if decimal == "," and "." not in text else text
    if PLAIN.fullmatch(text):
        return float(text)
    suffixed = SUFFIXED.fullmatch(cell.strip())
    if suffixed:
        number = float(suffixed[1].replace(",", ".")) * 10 ** POWERS[suffixed[2].lower()]
        raise ValueError(f"is {cell.strip()!r}, not a number; write {number:.6g}")
    raise ValueError(f"is {cell.strip()[:40]!r}, not a number")


FEWEST_PARAMETERS = 1e3
FEWEST_TOKENS = 1e4
LARGEST_LOSS = 15.0
"""Above the logarithm of any vocabulary, in nats."""
FACTOR = 4.0
"""How far given FLOPs may be from 6 N D: embeddings and attention are counted or not."""


def suspicions(points: Points, flops_given: bool) -> tuple[str, ...]:
    """A sentence for each column that looks wrong."""
    found = []
    params, tokens, loss = np.median(points.params), np.median(points.tokens), np.median(points.loss)
    if params < FEWEST_PARAMETERS:
        found.append(f"Half of the models have fewer than {params:,.4g} parameters. {_millions('params')}")
    if tokens < FEWEST_TOKENS:
        found.append(f"Half of the runs read fewer than {tokens:,.4g} tokens. {_millions('tokens')}")
    if loss > LARGEST_LOSS:
        found.append(f"Half of the losses are above {loss:.4g}. If they are perplexities, write their logarithms.")
    ratio = np.median(points.flops / (FLOPS_PER_PARAMETER_AND_TOKEN * points.params * points.tokens))
    if flops_given and not 1 / FACTOR < ratio < FACTOR:
        found.append(f"The FLOPs are {ratio:.3g} times 6 x params x tokens. Look at the units of all three.")
    return tuple(found)


def _millions(column: str) -> str:
    return f"If {column} are in millions or billions, write them out: exponents stay the same, coefficients do not."
