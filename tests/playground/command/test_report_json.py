"""Reports as JSON: what is not finite is null."""

import math

from playground.command.report_json import report_json


def test_numbers_that_are_not_finite_are_null_wherever_they_stand():
    text = report_json({"a": (1, math.nan), "b": {"c": [-math.inf, 0.5]}, "d": "NaN", "e": True})
    assert "".join(text.split()) == '{"a":[1,null],"b":{"c":[null,0.5]},"d":"NaN","e":true}'
