"""Rows of a table of runs: quotation marks that swallow some, line ends and delimiters of every make."""

import csv
import io

import pytest

from playground.errors import UserError
from playground.scaling.points_csv import read_points_strictly
from playground.scaling.table_rows import read_table_rows

NAMED = [
    ("run", "params", "tokens", "loss"),
    *((f"r{i}", f"{i}e6", f"{2 * i}e9", f"{3 - i / 10}") for i in range(1, 7)),
]


def written(columns, marks=(), delimiter=","):
    """The runs with the columns in an order, and a stray mark before or after the cells at (row, column)."""
    rows = [[row[column] for column in columns] for row in NAMED]
    for (row, column), mark in dict(marks).items():
        rows[row][column] = mark.format(rows[row][column])
    return "\n".join(delimiter.join(row) for row in rows)


@pytest.mark.parametrize("columns", [(0, 1, 2, 3), (1, 2, 3, 0), (1, 0, 2, 3)])
@pytest.mark.parametrize("last", [3, 4, 5])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_mark_that_closes_rows_later_is_refused_wherever_the_name_stands(columns, last, delimiter):
    place = columns.index(0)
    text = written(columns, {(2, place): '"{}', (last, place): '{}"'}, delimiter)
    with pytest.raises(UserError, match=f"The quotation mark in line 3 closes in line {last + 1}"):
        read_table_rows(text)
    with pytest.raises(UserError, match="A quotation mark in line 3 never closes"):
        read_table_rows(written(columns, {(2, place): '"{}'}, delimiter))


@pytest.mark.parametrize("note", ["swept over\n0.1, 0.2, 0.3", "first,\nthen 3, 4", "1\n2\n3", 'said "5, 6"\ntwice'])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_note_of_several_lines_is_one_cell(note, place):
    rows = [[*row[:place], note if number == 2 else "–", *row[place:]] for number, row in enumerate(NAMED)]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    assert [cells for _, cells in read_table_rows(text.getvalue())[0]] == rows


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("above", ["# made by x\n", "# made by x\n# twice\n", "sep=;\n", "# made by x\nsep=;\n", ""])
def test_what_stands_above_ends_with_any_line_end(end, above):
    text = above + written((0, 1, 2, 3), delimiter=";")
    table = read_points_strictly(text.replace("\n", end))
    assert table.points.names == tuple(f"r{i}" for i in range(1, 7))
    rows, _ = read_table_rows(text.replace("\n", end))
    assert rows[0][0] == above.count("\n") + 1


def test_the_delimiter_is_outside_quotation_marks_and_below_a_title():
    text = 'Our runs\n"run, name, and seed";params;tokens;loss\na;1e6;2e9;3,1\nb;2e6;4e9;2,9\n'
    assert read_points_strictly(text).points.loss.tolist() == [3.1, 2.9]
    assert read_table_rows(text)[1] == ";"
    assert read_points_strictly(text.replace(";", "|")).points.loss.tolist() == [3.1, 2.9]
