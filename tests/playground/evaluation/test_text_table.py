"""Uploaded tables: read as people write them, or refused with the line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.csv_table import csv_table
from playground.errors import UserError
from playground.evaluation.text_table import read_text_table

GOOD = {"text": ("Good, isn't it?", "Bad"), "label": ("yes", "no")}


@pytest.mark.parametrize(
    "content",
    [
        b'text,label\n"Good, isn\'t it?",yes\nBad,no\n',
        b'sep=;\ntext;label\n"Good, isn\'t it?";yes\nBad;no\n',
        b'text,label\r"Good, isn\'t it?",yes\rBad,no\r\x1a',
        b"| text | **label** |\n| --- | :-: |\n| Good, isn't it? | yes |\n| Bad | `no` |\n",
        json.dumps([dict(zip(GOOD, row, strict=True)) for row in zip(*GOOD.values(), strict=True)], indent=1),
        b'text;label\r\n"Good, isn\'t it?";yes\r\nBad;no\r\n',
        "text\tlabel\nGood, isn't it?\tyes\n\nBad\tno".encode("utf-16"),
        b'text,label,,\n"Good, isn\'t it?",yes,,\nBad,no, ,\n',
        b'\xef\xbb\xbf\xef\xbb\xbftext;label;\n"Good, isn\'t it?";yes;\nBad;no;\n',
        b'\xef\xbb\xbf{"text": "Good, isn\'t it?", "label": "yes"}\n{"label": "no", "text": "Bad"}\n',
    ],
)
def test_every_format_is_read(content):
    assert read_text_table(content).columns == GOOD


def test_rows_know_their_lines():
    table = read_text_table('# from here\ntext,label\n"two\nlines",a\n\nlast,b\n')
    assert table.rows == (3, 6)
    assert table.columns["text"] == ("two\nlines", "last")


def test_lines_are_counted_below_what_stands_above_them():
    assert read_text_table("# made here\nsep=;\ntext;label\na;b\n").rows == (4,)
    assert read_text_table("A title\n\n| text |\n| --- |\n| a |\n").rows == (5,)
    with pytest.raises(UserError, match="Line 4 has 1 cells, the header 2"):
        read_text_table("| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 |\n")
    with pytest.raises(UserError, match="Line 3 has 3 cells, the header 2"):
        read_text_table("sep=;\na;b\n1;2;3\n")
    with pytest.raises(UserError, match="Line 4 is no JSON object"):
        read_text_table('# made here\n# twice\n{"a": 1}\n[1]\n')


def test_half_a_surrogate_pair_becomes_the_replacement_character():
    assert read_text_table('{"t\\ud83d": "x\\udc00y 😀"}').columns == {"t\ufffd": ("x\ufffdy 😀",)}


def test_values_of_json_that_are_no_text_are_written_out():
    columns = read_text_table('{"score": 0.5, "label": null, "tags": ["a"]}').columns
    assert columns == {"score": ("0.5",), "label": ("",), "tags": ('["a"]',)}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"text,label\n", "no rows"),
        (b"a,b\n1,2\n1,2,3\n", "Line 3 has 3 cells, the header 2"),
        (b"a,b,c\n1,2\n", "Line 2 has 2 cells, the header 3: cells are missing"),
        (b"text,label\na text\non two lines,x\n", "or a line ends within a text"),
        (b"| a | b |\n| --- | --- |\n| 1 |\n", "Line 3 has 1 cells, the header 2: cells are missing"),
        (b"a,,\n1,2,\n3,,4\n", "Two columns are called ''"),
        (b"a,a\n1,2\n", "Two columns are called 'a'"),
        (b'{"a": 1}\n{"b": 1}\n', "Line 2 has no 'a'"),
        (b'{"a": 1}\nnot json\n', "Line 2 is no JSON object"),
        (b'{"a": 1}\n[1]\n', "Line 2 is no JSON object"),
        (b'a,b\n1,"open\n', "Line 2 cannot be read: a quotation mark"),
        (b"\x00\x01\x02\x81\x8d", "not text"),
        (("a\n" + "x\n" * 200_001).encode(), "more than 200,000 rows"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(content, sentence):
    with pytest.raises(UserError, match=sentence):
        read_text_table(content)


def test_a_missing_column_and_an_empty_cell_are_named():
    table = read_text_table("text,label\na,b\n,c\n")
    with pytest.raises(UserError, match="no column 'answer'; it has text, label"):
        table.column("answer")
    with pytest.raises(UserError, match="Line 3 has nothing in the column 'text'"):
        table.filled("text")


def test_a_wrong_encoding_and_a_formula_are_said():
    table = read_text_table("text,label\nfine,a\ncaf\u00e9,b\n".encode("cp1252"))
    assert [str(note) for note in table.notes] == [
        "Line 3 is not UTF-8: the file was read as Windows-1252. Look whether its letters are right."
    ]
    noted = read_text_table("text,label\nfine,a\n=SUM(A1),b\n").notes
    assert str(noted[0]).startswith("Line 3 begins with = in the column 'text'")


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), st.text('ab\n",;\t ')), min_size=1
    )
)
def test_what_csv_table_writes_is_read_back(rows):
    written = csv_table([("x", "y"), *rows], guard=False)
    if any(not "".join(row).strip() for row in rows) or written.count("\t") + written.count(";") > 0:
        return  # a row without text is passed over; other delimiters may win the header
    assert list(zip(*read_text_table(written).columns.values(), strict=True)) == rows


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_json_lines_are_read_back(texts):
    content = "\n".join(json.dumps({"t": text}) for text in texts).encode()
    assert list(read_text_table(content).columns["t"]) == texts


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ('"question, short";label\n"How, why?";a\n', {"question, short": ("How, why?",), "label": ("a",)}),
        ('"a; b; c",label\nx,y\n', {"a; b; c": ("x",), "label": ("y",)}),
        ("a, long, heading;label\nHow; a\nWhy; b\n", {"a, long, heading": ("How", "Why"), "label": (" a", " b")}),
        ('"two\nlines, here";label\na;b\n', {"two\nlines, here": ("a",), "label": ("b",)}),
        ("text|label\nHow, why?|a\nWhen; where?|b\n", {"text": ("How, why?", "When; where?"), "label": ("a", "b")}),
        ('size 5", round;label, short\na;b\n', {'size 5", round': ("a",), "label, short": ("b",)}),
    ],
)
def test_the_delimiter_is_outside_quotation_marks(content, columns):
    assert read_text_table(content).columns == columns


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_mark_that_the_next_one_closes_rows_later_is_refused(end):
    content = 'text,label\nfine,x\n"oh no,y\nthree,x\nfour,y\n five",x\nsix,y\n'.replace("\n", end)
    with pytest.raises(UserError, match="The quotation mark in line 3 closes in line 6"):
        read_text_table(content)


@pytest.mark.parametrize(
    "letter",
    ["Dear John,\nthank you", "Hello, friend,\nhow are you, today?", "one\ntwo\nthree", "so, x\nthen, y", "a,\n\nb"],
)
def test_a_text_of_several_lines_is_one_text(letter):
    table = read_text_table(f'text,label\n"{letter}",x\nnext,y\nlast,x\n')
    assert (table.columns["text"], table.notes) == ((letter, "next", "last"), ())


def test_lines_that_could_be_rows_are_pointed_out():
    table = read_text_table('source,target\none,eins\n"two,zwei\nthree,drei\nfour",vier\n')
    assert len(table) == 2
    assert str(table.notes[0]).startswith("Lines 3 to 5 are one row, as its quotation marks say, and look like several")
