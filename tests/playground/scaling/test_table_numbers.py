"""Numbers of a table as pandas, papers and people write them: decimal commas, units, powers of ten."""

import numpy as np
import pandas as pd
import pytest

from playground.errors import UserError
from playground.scaling.points_csv import parse_cell, read_points, read_points_strictly

FRAME = pd.DataFrame({"params": [7824, 12345, 98304], "tokens": [249856, 999424, 249856], "loss": [1.478, 1.329, 1.25]})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("decimal", [",", "."])
@pytest.mark.parametrize("floats", [None, "%.3f", "%.2e"])
def test_what_pandas_writes_is_read_whatever_its_signs(delimiter, decimal, floats):
    written = FRAME.to_csv(index=False, sep=delimiter, decimal=decimal, float_format=floats)
    points = read_points_strictly(written).points
    assert (points.params.tolist(), points.tokens.tolist()) == (FRAME.params.tolist(), FRAME.tokens.tolist())
    assert points.loss.tolist() == pytest.approx(FRAME.loss.tolist(), rel=5e-3)


def test_a_decimal_comma_in_quotation_marks_beside_a_unit_and_a_row_that_cannot_be_read():
    table = read_points('Params (M),Tokens (B),loss\n"7,824","1,499","1,478"\n"9,112",x,"1,329"\n')
    points = table.points
    assert (points.params.tolist(), points.tokens.tolist(), points.loss.tolist()) == ([7.824e6], [1.499e9], [1.478])
    assert [row.row for row in table.bad] == [3]


@pytest.mark.parametrize(
    ("heading", "cell", "value"),
    [
        ("Tokens (B)", "300B", 300e9),
        ("Tokens (B)", "1.5 T", 1.5e12),
        ("Tokens (B)", "300B tokens", 300e9),
        ("Tokens (B)", "2e9 tokens", 2e9),
        ("Tokens [million]", "3.5万", 35_000),
        ("Tokens (B)", "300", 300e9),
        ("Tokens (B)", "3 × 10²", 300e9),
        ("Tokens (1000)", "512", 512e3),
        ("Tokens (x1,000,000)", "512", 512e6),
        ("Tokens (10⁹)", "2", 2e9),
        ("Tokens (1e+6)", "2", 2e6),
    ],
)
def test_a_cell_with_a_unit_is_not_multiplied_by_its_headings(heading, cell, value):
    (tokens,) = read_points_strictly(f'params,"{heading}",loss\n1e6,{cell},3\n').points.tokens
    assert tokens == value


def test_a_loss_in_its_own_unit_below_a_heading_in_bits():
    points = read_points_strictly("params,tokens,loss (bits)\n1e6,1e9,3 nats\n1e6,1e9,3\n").points
    assert points.loss.tolist() == pytest.approx([3, 3 * np.log(2)])


@pytest.mark.parametrize("heading", ["tokens (1024)", "tokens (109)", "tokens (100)"])
def test_a_number_that_is_no_thousand_is_no_unit(heading):
    with pytest.raises(UserError, match="lacks tokens"):
        read_points(f"params,{heading},loss\n1e6,1e9,3\n")


@pytest.mark.parametrize(
    "cell", ["512*1024", "1000*1024", "2048*1000", "1.5×109", "3·10", "0x1024", "3x10 000", "2.5*10-3", "1024*512"]
)
def test_a_product_is_no_power_of_ten(cell):
    with pytest.raises(UserError, match="not a number"):
        parse_cell(cell, ".")


@pytest.mark.parametrize(
    ("cell", "value"),
    [("5×10^9", 5e9), ("5x10**9", 5e9), ("5 · 10⁹", 5e9), ("10⁻²", 0.01), ("2*10^(-3)", 0.002), ("5⋅10^+9", 5e9)],
)
def test_a_power_of_ten_has_its_sign(cell, value):
    assert parse_cell(cell, ".") == pytest.approx(value)


def test_a_unit_that_was_in_the_numbers_already_is_pointed_out():
    warnings = read_points("Params (M),Tokens (B),loss\n125000000,300e9,3\n").warnings
    assert [warning for warning in warnings if "more than 1.25e+14 parameters" in warning]
    assert [warning for warning in warnings if "more than 3e+20 tokens" in warning]
