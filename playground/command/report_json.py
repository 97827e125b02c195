"""A command's report as JSON that every reader takes."""

import json
import math
from typing import Any


def report_json(report: Any) -> str:
    """Indented JSON; null for NaN and the infinities, which JSON has no word for.

    >>> report_json([1.5, math.inf]).split()
    ['[', '1.5,', 'null', ']']
    """
    return json.dumps(_finite_numbers(report), indent=2, ensure_ascii=False, allow_nan=False)


def _finite_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite_numbers(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite_numbers(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
