"""CSV to take home: its origin above it, nothing in it that a spreadsheet would run, read back as it was."""

import csv
import doctest
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import playground.csv_table as module
from playground.csv_table import comments, csv_table, guarded


def test_the_examples_hold():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("formula", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\n=1"])
def test_a_formula_is_disarmed(formula):
    assert guarded(formula) == f"'{formula}"
    assert list(csv.reader(io.StringIO(csv_table([(formula,)]), newline=""))) == [[f"'{formula}"]]


def test_numbers_stay_numbers():
    assert csv_table([(-1.5, 2)]) == "-1.5,2\n"


def test_a_line_of_the_origin_is_one_line():
    assert comments(["one\ntwo", "three"]) == "# one two\n# three\n"


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), min_size=1), min_size=1))
def test_every_cell_is_read_back(rows):
    read = list(csv.reader(io.StringIO(csv_table(rows), newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [guarded(cell).removeprefix("'") for cell in row] for row in rows
    ]


def test_a_table_that_is_read_back_stays_as_it_is():
    assert csv_table([("-1.5", "=x")], guard=False) == "-1.5,=x\n"
