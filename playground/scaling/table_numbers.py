"""Numbers as people and spreadsheets write them: signs between thousands, decimal commas, suffixes, powers, units."""

import math
import re
import unicodedata

from playground.errors import UserError

THOUSANDS = " \u00a0\u202f\u2009\u2007'’ʼ‘_٬"
"""Signs between groups of three digits, besides a comma or a point: spaces of every width, Swiss apostrophes."""
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
GROUPED = {
    ",": re.compile(r"[+-]?[^\D0]\d{0,2}(\.\d{3})+(,\d*)?"),
    ".": re.compile(r"[+-]?[^\D0]\d{0,2}(,\d{3})+(\.\d*)?"),
}
"""By decimal sign. No group begins with 0: 0,912 is a fraction."""
INDIAN = re.compile(r"[+-]?\d{1,2}(,\d{2})+,\d{3}(\.\d*)?")
"""1,00,000 is a lakh."""
POWERS = {"k": 3, "thousand": 3, **dict.fromkeys(("m", "mn", "mio", "million"), 6)}
POWERS |= {**dict.fromkeys(("b", "bn", "g", "mrd", "billion"), 9), **dict.fromkeys(("t", "tn", "trillion"), 12)}
POWERS |= {"lakh": 5, "crore": 7, "万": 4, "萬": 4, "亿": 8, "億": 8}
SUFFIXED = re.compile(rf"(.*\d[.,]?)\s*({'|'.join(sorted(POWERS, key=len, reverse=True))})\.?", re.IGNORECASE)
SCIENTIFIC = re.compile(r"(?:(.*\d)\s*[×x*·⋅∙]\s*)?10\s*(?:\^{1,2}|\*\*)\s*\(?([+-]?\d{1,3})\)?")
"""The sign of the power has to be there: 512*1024 is a product, and no power of ten."""
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED_DIGITS = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_ROUND = re.compile(r"10{3,}")
"""A heading counts in 1000 or in 1,000,000, but never in 1024."""
FRACTION = re.compile(r"(\d+)\s*[/⁄]\s*(\d+)")
COUNTED = re.compile(r"\s*(tokens?|toks?|params?|parameters?|flops?|nats?)\.?$", re.IGNORECASE)
"""What a number may be of; other words are none of a table of runs."""

_UNIT = re.compile(r"(.*?)\s*([\(\[/,])\s*(?:in\s+)?([^()\[\]]+?)\s*[\)\]]?\s*")
UNITS = {**{name: 10.0**power for name, power in POWERS.items()}, "thousands": 1e3, "millions": 1e6}
UNITS |= {"billions": 1e9, "trillions": 1e12, "nats": 1.0, "nats/token": 1.0, "nats per token": 1.0, "nat": 1.0}
UNITS |= {"bits": math.log(2), "bits/token": math.log(2), "bits per token": math.log(2)}
UNITS |= {"tokens": 1.0, "params": 1.0, "flops": 1.0, "flop": 1.0, "count": 1.0, "#": 1.0}
UNITS |= {"pflop": 1e15, "pflops": 1e15, "eflop": 1e18, "eflops": 1e18, "zflop": 1e21, "zflops": 1e21}


def unit_of(heading: str) -> tuple[str, float]:
    """A heading without the unit that it states, and what its numbers are to be multiplied by.

    >>> unit_of("Tokens (B)"), unit_of("loss [nats]"), unit_of("Params (1e6)"), unit_of("loss (bpb)")
    (('Tokens', 1000000000.0), ('loss', 1.0), ('Params', 1000000.0), ('loss (bpb)', 1.0))
    """
    found = _UNIT.fullmatch(heading)
    if found is None or not found[1]:
        return heading, 1.0
    unit = found[3].strip().lower()
    if found[2] == "/" and unit not in ("nats", "bits"):
        return heading, 1.0  # tokens/params is a ratio of two columns
    if unit in UNITS:
        return found[1], UNITS[unit]
    factor = _power_of_ten(unit.lstrip("×x* "))
    return (heading, 1.0) if factor is None else (found[1], factor)


def _power_of_ten(unit: str) -> float | None:
    """10^6, 1e6 or 1,000,000; None for anything else."""
    power = SCIENTIFIC.fullmatch(_without_raised(unit)) or re.fullmatch(r"(1)e\+?(\d{1,2})", unit)
    if power:
        return 10.0 ** int(power[2]) if power[1] in (None, "1") else None
    digits = re.sub(r"(?<=\d)[,.\s'](?=000)", "", unit)
    return float(digits) if _ROUND.fullmatch(digits) else None


def _without_raised(text: str) -> str:
    """10⁹ as 10^9."""
    return _RAISED_DIGITS.sub(lambda digits: f"^{digits[0].translate(RAISED)}", text)


def decimal_sign(cells: list[str], delimiter: str) -> str | None:
    """The decimal sign of a file: a comma where one stands in some number, unless it separates thousands.

    None where every number with a sign has it before three digits: 1,024 may be either. Between commas, too, a cell in
    quotation marks may hold a decimal comma; a point in another number says that it does not.

    >>> decimal_sign(["2,31", "1.000.000"], ";"), decimal_sign(["1,024.5"], ";"), decimal_sign(["1,5", "2.31"], ",")
    (',', '.', '.')
    >>> decimal_sign(["7,824", "1.478"], ";") is decimal_sign(["7824", "1,478"], ",") is None
    True
    """
    commas = [cell for cell in cells if "," in cell]
    points = [cell for cell in cells if "." in cell and "," not in cell]
    certain = any(cell.count(",") > 1 or cell.rfind(".") > cell.rfind(",") for cell in commas)
    grouped = all(GROUPED["."].fullmatch(cell.strip()) for cell in commas)
    decimals = any(not GROUPED[","].fullmatch(cell.strip()) for cell in points)
    if not commas or certain or (decimals and (grouped or delimiter == ",")):
        return "."
    return None if grouped else ","


def parse_cell(cell: str, decimal: str) -> float:
    """The number in a cell. Raises UserError with the reason for everything else.

    >>> parse_cell("1.234.567,8", ","), parse_cell("1,234,567", "."), parse_cell("1.5e9", ".")
    (1234567.8, 1234567.0, 1500000000.0)
    >>> parse_cell("1.2M", "."), parse_cell("1,00,000", "."), parse_cell("3 × 10⁹", "."), parse_cell("½", ".")
    (1200000.0, 100000.0, 3000000000.0, 0.5)
    """
    text = cell.strip()
    if not text:
        raise UserError("is empty")
    if text.endswith("%"):
        raise UserError("is {cell!r}, a percentage; write the number itself", cell=text[:40])
    number = _number(COUNTED.sub("", text), decimal)
    if number is None:
        raise UserError("is {cell!r}, not a number", cell=text[:40])
    return number


def states_unit(cell: str) -> bool:
    """Whether a cell says itself what it counts in, whatever its heading says.

    >>> states_unit("300B"), states_unit("2e9 tokens"), states_unit("3 × 10⁹"), states_unit("125.5")
    (True, True, False, False)
    """
    text = cell.strip()
    return bool(COUNTED.search(text) or SUFFIXED.fullmatch(text))


def _number(text: str, decimal: str) -> float | None:
    plain = _plain_number(text, decimal)
    if plain is not None:
        return plain
    power = SCIENTIFIC.fullmatch(_without_raised(text))
    if power:
        return _times(power[1] or "1", decimal, int(power[2]))
    suffixed = SUFFIXED.fullmatch(text)
    if suffixed:
        return _times(suffixed[1], decimal, POWERS[suffixed[2].lower()])
    fraction = FRACTION.fullmatch(unicodedata.normalize("NFKC", text))
    return int(fraction[1]) / int(fraction[2]) if fraction and int(fraction[2]) else None


def _times(text: str, decimal: str, power: int) -> float | None:
    """The number times a power of ten, without the rounding of a product: 1.2M is 1,200,000."""
    number = _plain_number(text.strip(), decimal)
    if number is None or abs(power) > 100:
        return None
    return float(f"{number!r}e{power}") if "e" not in repr(number) else number * 10.0**power


def _plain_number(text: str, decimal: str) -> float | None:
    text = text.replace("−", "-")
    for mark in THOUSANDS:
        text = re.sub(rf"(?<=\d){re.escape(mark)}(?=\d{{3}}(\D|$))", "", text)
    if GROUPED[decimal].fullmatch(text) or (decimal == "." and INDIAN.fullmatch(text)):
        text = text.replace("." if decimal == "," else ",", "")
    text = text.replace(",", ".") if decimal == "," and "." not in text else text
    return float(text) if PLAIN.fullmatch(text) else None
