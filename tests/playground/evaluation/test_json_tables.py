"""Tables in JSON as pandas and data sets write them."""

import json

import pandas as pd
import pytest

from playground.errors import UserError
from playground.evaluation.text_table import read_text_table

COLUMNS = {"text": ("a", "b", "c"), "label": ("x", "y", "x")}
FRAME = pd.DataFrame(COLUMNS)


@pytest.mark.parametrize("orient", ["columns", "index", "records", "split", "table"])
@pytest.mark.parametrize("indent", [None, 2])
def test_what_pandas_writes_is_read(orient, indent):
    read = read_text_table(FRAME.to_json(orient=orient, indent=indent))
    assert {name: read.columns[name] for name in COLUMNS} == COLUMNS


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("holder", ["data", "rows", "examples"])
def test_columns_and_held_entries_are_tables(indent, holder):
    assert read_text_table(json.dumps(COLUMNS, indent=indent)).columns == COLUMNS
    held = {"version": "1", holder: FRAME.to_dict("records")}
    assert read_text_table(json.dumps(held, indent=indent)).columns == COLUMNS
    assert read_text_table(FRAME.to_json(orient="records", lines=True)).columns == COLUMNS


@pytest.mark.parametrize(
    "entry",
    [
        {"text": "a", "label": "x"},
        {"text": "a", "tags": ["x", "y"]},
        {"question": "a", "answers": [{"text": "x"}]},
        {"translation": {"en": "a", "fr": "b"}},
        {"in": {"en": "a"}, "out": {"fr": "b"}},
    ],
)
def test_one_object_that_holds_no_table_is_one_row(entry):
    table = read_text_table("# from here\n" + json.dumps(entry, indent=1))
    assert (len(table), table.rows, list(table.columns)) == (1, (2,), list(entry))


def test_columns_of_several_lengths_are_refused():
    with pytest.raises(UserError, match="different lengths: text 2, label 1"):
        read_text_table('{"text": ["a", "b"], "label": ["x"]}')
    with pytest.raises(UserError, match="no rows"):
        read_text_table('{"text": [], "label": []}')
