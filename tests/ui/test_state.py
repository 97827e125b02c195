"""Texts in the address: whatever is packed comes back, and a hostile address does no harm. Parameters: one registry."""

import ast
import base64
import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from playground.viewer.attention_view.view_state import MOST_CHOSEN
from ui.state import parameters
from ui.state.address import PLAIN_LENGTH, pack, unpack
from ui.state.attention import positions_of, spell_positions
from ui.state.parameters import REGISTRY, Parameter

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "ui" / "state"
SOURCES = [path for folder in ("ui", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]
READERS = {
    *(f"{verb}_{kind}" for verb in ("read", "write") for kind in ("text", "choice", "several", "number", "float")),
    *(f"{verb}_{kind}" for verb in ("read", "write") for kind in ("switch", "integers")),
    *("read_value", "replace_text", "text_revision", "address_text", "choose_option"),
}


@given(st.text(max_size=3000).filter(lambda text: "\ud800" not in text))
def test_a_packed_text_comes_back(text):
    assert unpack(pack(text), "otherwise", 40_000) == text


@given(st.lists(st.integers(0, 2000), max_size=40))
def test_spelled_positions_come_back(positions):
    assert positions_of(spell_positions(positions)) == sorted(set(positions))


@given(st.text(st.sampled_from("0123456789-.x ~"), max_size=60))
def test_a_damaged_spelling_of_positions_is_bounded(spelled):
    found = positions_of(spelled)
    assert len(found) <= MOST_CHOSEN
    assert all(0 <= position < 10**6 for position in found)


def test_short_texts_stay_readable_and_long_ones_get_short():
    assert pack("The cat") == "The cat"
    assert len(pack("The cat sat. " * 500)) < PLAIN_LENGTH
    assert pack("~tilde").startswith("~")
    assert unpack(pack("~tilde"), "", 100) == "~tilde"


@given(st.text(st.characters(codec="ascii", exclude_characters="eJx"), max_size=60))
def test_a_damaged_text_reads_as_the_default(value):
    # Every zlib stream of ours begins with "eJx"; without those letters nothing can be decompressed.
    assert unpack("~" + value, "otherwise", 100) in ("otherwise", "")


@given(st.text(max_size=60))
def test_a_text_that_is_not_packed_is_read_as_it_stands(value):
    expected = value if not value.startswith("~") else unpack(value, "otherwise", 100)
    assert unpack(value, "otherwise", 100) == expected


def test_a_small_link_cannot_hold_a_huge_text():
    bomb = "~" + base64.urlsafe_b64encode(zlib.compress(b"a" * 10_000_000)).decode()
    assert len(unpack(bomb, "", 1000)) <= 4000


def test_every_key_that_is_read_or_written_is_a_registered_parameter():
    literal = []
    for path in SOURCES:
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            bound = any(keyword.arg == "bind" for keyword in call.keywords)
            keys = [keyword.value for keyword in call.keywords if keyword.arg == "key"] if bound else call.args[:1]
            if (bound or name in READERS) and any(isinstance(key, ast.Constant | ast.JoinedStr) for key in keys):
                literal.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert literal == []


def test_only_the_state_spells_query_parameters():
    elsewhere = [path.relative_to(ROOT).as_posix() for path in SOURCES if STATE not in path.parents]
    assert [name for name in elsewhere if "st.query_params" in (ROOT / name).read_text()] == []


def test_every_registered_parameter_is_used():
    used = "\n".join(path.read_text() for path in SOURCES if path.name != "parameters.py")
    names = {id(value): name for name, value in vars(parameters).items() if isinstance(value, Parameter)}
    assert len(names) == len(REGISTRY)
    words = set(re.findall(r"\w+", used))
    assert sorted(name for name in names.values() if name not in words) == []


def test_two_parameters_share_a_key_only_where_pages_differ():
    keys = [str(parameter) for parameter in REGISTRY]
    assert {key for key in keys if keys.count(key) > 1} == {"over"}


@pytest.mark.parametrize("value", ["[" * 3_900, "{", "nul", '{"a": 1e999}', "[1]" * 2])
def test_damaged_json_of_an_address_is_nothing(value):
    app = AppTest.from_string(
        """
import streamlit as st
from ui.state.address import read_json_text
from ui.state.parameters import COLUMNS
st.text(repr(read_json_text(COLUMNS)))
"""
    )
    app.query_params["columns"] = value
    app.run()
    assert not app.exception
    assert app.text[0].value in ("None", "{'a': inf}")
