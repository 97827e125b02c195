"""CSV files as people bring them: separators, marks, units, and every bad row named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.csv_table import csv_table
from playground.errors import UserError
from playground.scaling.points import Points
from playground.scaling.points_csv import header_of, parse_cell, read_points, read_points_strictly

GOOD = "params,tokens,loss\n1e6,2e9,3.1\n2000000,4e9,2.9\n"
numbers = st.floats(min_value=1e-3, max_value=1e30, allow_nan=False)


def test_a_plain_file_is_read():
    table = read_points(GOOD)
    assert table.points.params.tolist() == [1e6, 2e6]
    assert table.points.flops.tolist() == [6 * 1e6 * 2e9, 6 * 2e6 * 4e9]
    assert table.points.names == ("row 2", "row 3")
    assert (table.bad, table.warnings) == ((), ())


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfparams,tokens,loss\r\n1000000,2000000000,3.1\r\n",
        "params;tokens;loss\n1.000.000;2e9;3,1\n",
        "Params\tTokens\tLoss\n1 000 000\t2000000000\t3,1\n",
        'N,D,Val loss\n"1,000,000","2,000,000,000",3.1\n',
        "params;tokens;loss\n1,000,000;2,000,000,000;3.1\n",
        "\n\nloss, tokens ,params\n3.1,2e9,1e6\n\n,,\n",
        "params;tokens;loss\n1’000’000;2e9;3.1\n".encode("utf-16"),
        "params,tokens,loss,straße\n1e6,2e9,3.1,x\n".encode("cp1252"),
        "params,flops,loss\n1e6,1.2e16,3.1\n",
    ],
)
def test_the_same_point_however_it_is_written(content):
    points = read_points_strictly(content).points
    assert (points.params.tolist(), points.tokens.tolist(), points.loss.tolist()) == ([1e6], [2e9], [3.1])


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("1e6,2e9,0", "loss is 0, not above 0"),
        ("1e6,2e9,-2.5", "loss is -2.5, not above 0"),
        ("0,2e9,3", "params is 0, not above 0"),
        ("1e6,many,3", "tokens is 'many', not a number"),
        ("1e6,,3", "tokens is empty"),
        ("1e6,2e9", "loss is missing, the row has only 2 cells"),
        ("124 %,2e9,3", "params is '124 %', a percentage; write the number itself"),
        ("1e8,2e9 bits,3", "tokens is '2e9 bits', not a number"),
        ("1e6,2e9,nan", "loss is 'nan', not a number"),
        ("1e6,2e400,3", "tokens is inf, too large"),
        ('"1,5",2e9,3', "params is '1,5', not a number"),
    ],
)
def test_a_bad_row_is_named_and_kept_out_or_refused(cells, reason):
    table = read_points(f"{GOOD}{cells}\n1e7,2e9,2.8\n")
    assert [(row.row, row.reason) for row in table.bad] == [(4, reason)]
    assert table.points.params.tolist() == [1e6, 2e6, 1e7]
    assert table.points.names[-1] == "row 5"
    with pytest.raises(UserError) as refused:
        read_points_strictly(f"{GOOD}{cells}\n")
    assert str(refused.value) == f"Row 4: {reason}. Correct or remove it."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("params,loss\n1,2\n", r"lacks tokens \(or flops\); it has 'params', 'loss'"),
        ("tokens,price\n1,2\n", "lacks params and loss"),
        ("1e6,2e9,3\n1e7,2e9,2\n", "Row 1: the header lacks params"),
        ("", "The file is empty"),
        ("\n , \n", "The file is empty"),
        ("params,tokens,loss\n", "no rows below it"),
        ("params,tokens,loss\n1,2,x\n", "No row can be used. Row 2: loss is 'x'"),
        (b"\x00\x01params,tokens", "not text"),
        ('params,tokens,loss\n1,2,"' + "x" * 200_000, "no CSV|No row can be used"),
    ],
)
def test_a_file_without_points_is_refused_with_the_reason(content, sentence):
    with pytest.raises(UserError, match=sentence):
        read_points(content)


def test_our_own_training_curves_are_read_below_their_comments():
    flops = 6 * 1e6 * 2e9
    table = csv_table([("run", "params", "flops", "loss"), ("a", 1e6, flops, 3.1), ("b", 2e6, 0, 3)], ["made by us"])
    read = read_points(table)
    assert (read.points.tokens.tolist(), read.points.loss.tolist()) == ([2e9], [3.1])
    assert read.bad[0].row == 4
    assert header_of(table) == ["run", "params", "flops", "loss"]


def test_columns_can_be_mapped():
    content = "size,seen,nll,seed,run\n1e6,2e9,3.1,3,a\n1e6,2e9,3.2,4,b\n"
    table = read_points(content, {"params": "size", "tokens": "seen", "loss": "nll"})
    assert table.columns == {"params": "size", "tokens": "seen", "loss": "nll", "name": "run", "seed": "seed"}
    assert table.points.seeds == (3, 4)
    assert table.points.names == ("a", "b")
    assert header_of(content) == ["size", "seen", "nll", "seed", "run"]
    with pytest.raises(UserError, match="no column 'bytes' to take tokens from"):
        read_points(content, {"tokens": "bytes"})
    with pytest.raises(UserError, match="nothing to map to 'colour'"):
        read_points(content, {"colour": "size"})


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("124,2e9,3", "If params are in millions"),
        ("1e8,300,3", "If tokens are in millions"),
        ("1e8,2e9,35", "write their logarithms"),
    ],
)
def test_numbers_in_strange_units_are_pointed_out(row, sentence):
    (warning,) = read_points(f"params,tokens,loss\n{row}\n").warnings
    assert sentence in warning


def test_flops_that_do_not_fit_are_pointed_out():
    assert "times 6 x params x tokens" in read_points("params,tokens,flops,loss\n1e6,1e9,1e6,3\n").warnings[0]
    assert read_points("params,tokens,flops,loss\n1e6,1e9,7e15,3\n").warnings == ()


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=20), st.sampled_from(",;\t"))
def test_what_is_written_is_read(rows, delimiter):
    lines = [delimiter.join(("params", "tokens", "loss"))] + [delimiter.join(map(repr, row)) for row in rows]
    points = read_points_strictly("\n".join(lines)).points
    assert np.array_equal(np.stack([points.params, points.tokens, points.loss], 1), np.array(rows))


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        table = read_points(text)
    except UserError:
        return
    assert len(table.points) > 0


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=3, max_size=3))
def test_any_row_is_a_point_or_a_bad_row(cells):
    quoted = ",".join('"' + cell.replace('"', '""').replace("\0", "") + '"' for cell in cells)
    table = read_points(f"params,tokens,loss\n1e6,1e9,2.5\n{quoted}\n")
    assert len(table.points) - 1 + len(table.bad) in (0, 1)
    assert (np.stack([table.points.params, table.points.tokens, table.points.loss]) > 0).all()


@given(st.integers(1, 10**15))
def test_thousands_set_apart_any_usual_way_are_one_number(number):
    for mark in (" ", "\u00a0", "\u202f", "'", "’", "_", ","):
        assert parse_cell(f"{number:,}".replace(",", mark), ".") == number
    assert parse_cell(f"{number:,}".replace(",", "."), ",") == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1.2M", 1_200_000),
        ("3k", 3000),
        ("7 B", 7e9),
        ("1.5 trillion", 1.5e12),
        ("12,34,567.5", 1234567.5),
        ("1\u2009000\u2009000", 1_000_000),
        ("1ʼ234ʼ567", 1234567),
        ("3 × 10⁹", 3e9),
        ("2.5*10^-3", 0.0025),
        ("10^9", 1e9),
        ("10", 10),
        ("1/4", 0.25),
        ("2e9 tokens", 2e9),
        ("−3.5", -3.5),
        ("٣٤", 34),
        ("3.5万", 35_000),
        ("2 crore", 20_000_000),
        ("1,2 Mrd.", 1_200_000_000),
    ],
)
def test_numbers_as_people_write_them(cell, number):
    assert parse_cell(cell, "," if cell.startswith("1,2 ") else ".") == number


@pytest.mark.parametrize("cell", ["12 apples", "1,2,3", "k", "1.2.3", "5/0", "M", "10^1000", "3 bits", "1-2"])
def test_what_is_no_number_is_none(cell):
    with pytest.raises(UserError, match="not a number"):
        parse_cell(cell, ".")


@given(st.integers(1, 10**13), st.sampled_from([("k", 3), ("M", 6), ("B", 9)]))
def test_a_suffix_is_the_power_that_it_stands_for(number, suffix):
    letter, power = suffix
    assert parse_cell(f"{number}{letter}", ".") == float(number * 10**power)


def test_a_table_of_markdown_is_read():
    table = """Results of the runs:

| Run | Params (M) | Tokens [B] | **Loss** (bits) |
|-----|-----------:|:----------:|-----------------|
| a   | 7.8        | 1.5        | 3.0             |
| `b` | 124        | 2,500.5    | **2**           |
"""
    read = read_points(table)
    assert read.points.params.tolist() == [7.8e6, 124e6]
    assert read.points.tokens.tolist() == [1.5e9, 2500.5e9]
    assert read.points.loss.tolist() == pytest.approx([3 * np.log(2), 2 * np.log(2)])
    assert read.points.names == ("a", "b")
    assert [warning for warning in read.warnings if "was multiplied by" in warning] == list(read.warnings[:3])


@pytest.mark.parametrize("heading", ["tokens/params", "tokens (seen by the model)", "loss (bpb)"])
def test_a_unit_that_is_none_leaves_the_heading(heading):
    with pytest.raises(UserError, match="lacks"):
        read_points(f"params,{heading},val\n1,2,3\n")


def test_points_refuse_what_no_logarithm_takes():
    good = {"params": [1e6], "tokens": [1e9], "loss": [2.0]}
    assert len(Points(**good)) == 1
    for name, value in [("params", [0.0]), ("tokens", [-1.0]), ("loss", [np.nan])]:
        with pytest.raises(UserError, match=f"{name} has a number that is not above 0"):
            Points(**{**good, name: value})
    with pytest.raises(UserError, match="2 numbers for 1 points"):
        Points(**{**good, "loss": [1.0, 2.0]})
    with pytest.raises(UserError, match="2 names for 1 points"):
        Points(**good, names=("a", "b"))


def test_points_can_be_taken_with_their_names():
    points = Points(params=[1e6, 1e7], tokens=[1e9, 1e9], loss=[3, 2], names=("a", "b"), seeds=(1, 2))
    taken = points.take([1])
    assert (taken.params.tolist(), taken.names, taken.seeds) == ([1e7], ("b",), (2,))
    assert (points.name(1), Points(params=[1], tokens=[1], loss=[1]).name(0)) == ("b", "point 1")


@pytest.mark.parametrize(
    ("row", "numbers"),
    [
        ("7,824\t249,856\t1.478", (7824, 249856, 1.478)),
        ("7.824\t249.856\t1,478", (7824, 249856, 1.478)),
        ("1,024\t1,000,000\t2,310", (1024, 1000000, 2310)),
        ("1024\t1000000\t2,310", (1024, 1000000, 2.310)),
        ("1 024\t1 000 000\t2,31", (1024, 1000000, 2.31)),
    ],
)
def test_counts_are_whole_and_losses_small_whatever_the_signs(row, numbers):
    table = read_points(f"params\ttokens\tloss\n{row}\n{row}\n")
    points = table.points
    assert (points.params[0], points.tokens[0], points.loss[0]) == numbers


def test_numbers_that_can_be_read_in_two_ways_are_asked_about():
    with pytest.raises(UserError, match="can be read in two ways"):
        read_points("params;tokens;loss\n1000;1000;1,024\n2000;2000;60,001\n")


@pytest.mark.parametrize("above", ["# params,tokens,loss\n", "# made here\n# params,tokens,loss\n"])
def test_a_header_in_the_last_comment_is_the_header(above):
    assert read_points(f"{above}1e6,2e9,3.1\n2e6,4e9,2.9\n").points.params.tolist() == [1e6, 2e6]


@pytest.mark.parametrize("seed", ["--5", "9" * 5000, "1e400", "nan", "", "²"])
def test_a_column_that_holds_no_seeds_is_left_out(seed):
    rows = "\n".join(f"a,{10**i},{20 * 10**i},{4 - i / 10},{seed}" for i in range(3, 11))
    table = read_points(f"run,params,tokens,loss,seed\n{rows}")
    assert (len(table.points.params), table.points.seeds) == (8, ())


ROWS = "\n".join(f"1e{5 + i},1e{7 + j},{3 - 0.1 * i - 0.1 * j:.1f}" for i in range(3) for j in range(3))


def test_a_quotation_mark_that_never_closes_loses_no_rows():
    """csv reads on to the end of the file: nine rows would become three without a word."""
    rows = [f"{row},{'ok' if index != 2 else chr(34) + 'odd'}" for index, row in enumerate(ROWS.splitlines())]
    text = "\n".join(["params,tokens,loss,note", *rows])
    with pytest.raises(UserError, match="A quotation mark in line 4 never closes"):
        read_points(text)
    closed = text.replace('"odd', '"odd\nbut closed"')
    assert len(read_points(closed).points.loss) == 9


@pytest.mark.parametrize("stated", ["sep=;", '"sep=;"', "\ufeffsep=;", "sep=;\r"])
def test_a_line_that_states_the_delimiter(stated):
    table = read_points(f"{stated}\nparams;tokens;loss;remark, long\n" + ROWS.replace(",", ";"))
    assert len(table.points.loss) == 9


def test_titles_and_merged_cells_above_the_header():
    table = read_points(f"our runs,,\nsize,,result\nparams,tokens,loss\n{ROWS}\n1e6,1e8,oops")
    assert len(table.points.loss) == 9
    assert [row.row for row in table.bad] == [13]


def test_a_heading_that_occurs_twice_is_not_chosen_silently():
    doubled = "\n".join(f"{row},9" for row in ROWS.splitlines())
    with pytest.raises(UserError, match="names 'loss' more than once"):
        read_points(f"params,tokens,loss,loss\n{doubled}")
    assert len(read_points(f"params,tokens,loss,note,note\n{ROWS}".replace("\n1", ",a,b\n1")).points.loss) == 9


@pytest.mark.parametrize("end", ["\r", "\r\r\n", "\n\n"])
def test_line_ends_of_every_make(end):
    assert len(read_points(f"params,tokens,loss\n{ROWS}".replace("\n", end)).points.loss) == 9


def test_a_quotation_mark_that_closes_rows_later_loses_no_rows():
    """The next mark closes it: the rows between them would be one cell."""
    rows = ROWS.splitlines()
    rows = [f"{row}," + {2: '"odd', 5: '"fine"'}.get(index, "ok") for index, row in enumerate(rows)]
    with pytest.raises(UserError, match="The quotation mark in line 4 closes in line 7"):
        read_points("\n".join(["params,tokens,loss,note", *rows]))
    two_lines = ROWS.replace("\n", ',"a note, and\nits second line"\n', 1)
    assert len(read_points(f"params,tokens,loss,note\n{two_lines}").points.loss) == 9


def test_the_character_that_ends_a_file_of_dos_is_no_row():
    table = read_points(f"params,tokens,loss\r\n{ROWS}\r\n\x1a".encode())
    assert (len(table.points.loss), table.bad) == (9, ())


def test_a_table_of_a_hundred_thousand_rows_is_a_sentence_at_once():
    rows = "\n".join(["1000000,2000000000,3.1"] * 100_000)
    with pytest.raises(UserError, match="has 100,000 rows; a law is fitted to at most 5,000 runs"):
        read_points(f"params,tokens,loss\n{rows}")
