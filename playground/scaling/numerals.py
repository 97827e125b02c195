"""Numbers as people and spreadsheets write them: thousands set apart, a comma for the decimal point."""

import re

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
