"""The Python side of the components: bytes, bundles, validation and the stand-alone page."""

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from playground.viewer.attention_view.assets import difference_module, head_module, scores_module, view_module
from playground.viewer.attention_view.payload import encode_grid
from playground.viewer.attention_view.standalone import standalone_html
from playground.viewer.attention_view.view_state import Pin, read_view_state
from playground.viewer.shared.bundle import bundle
from tests.e2e.components.conftest import hover_cell
from tests.helpers import synthetic
from ui.components.attention_view import (
    AlignedWords,
    ScoresView,
    Selected,
    ViewSettings,
    ViewState,
    attention_view_labels,
    encode_head,
    encode_scores,
    grid_payload,
)


def decode(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a payload as the browser does."""
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    arrays = {}
    for name, section in header["sections"].items():
        start = 4 + length + section["offset"]
        assert start % 8 == 0
        arrays[name] = np.frombuffer(data, section["dtype"], section["length"], start).reshape(section["shape"])
    return header, arrays


@pytest.mark.parametrize("causal", [True, False])
def test_grid_round_trip(causal: bool) -> None:
    maps = synthetic.attention(2, 3, 9, 9, causal)
    grid = synthetic.grid("t", maps, synthetic.tokens(9), causal=causal)
    header, arrays = decode(encode_grid(grid, revision=4))
    assert (header["layers"], header["heads"], header["rows"], header["revision"]) == (2, 3, 9, 4)
    assert header["keyTokens"] is None
    assert header["scoreNames"][:2] == ["previous", "first"]
    np.testing.assert_array_equal(arrays["maps"], grid.maps)


def test_head_round_trip() -> None:
    maps = synthetic.attention(2, 3, 9, 9, True)
    view = synthetic.head_view(maps, Selected(layer=1, head=2), True)
    header, arrays = decode(encode_head("t", view, view="v"))
    assert (header["trace"], header["view"], header["layer"], header["head"]) == ("t", "v", 1, 2)
    np.testing.assert_array_equal(arrays["map"], synthetic.packed(maps[1, 2]))


def test_scores_round_trip() -> None:
    tables = synthetic.head_scores(synthetic.attention(2, 3, 9, 9, True))
    scores = ScoresView(tables=tables, selected=Selected(layer=1, head=2), finding="A head.")
    header, arrays = decode(encode_scores("t", scores, view="v"))
    assert (header["names"], header["layers"], header["heads"]) == (list(tables), 2, 3)
    assert (header["layer"], header["head"], header["combine"], header["finding"]) == (1, 2, "head", "A head.")
    np.testing.assert_allclose(arrays["scores"][5], tables["entropy"], rtol=1e-6)
    assert np.isnan(arrays["scores"][2]).all(), "a score that is not defined"


def test_tokens_carry_their_positions_and_words_their_tokens() -> None:
    maps = synthetic.attention(1, 1, 2, 2, True)
    names = [synthetic.AxisToken(text="a", position=1), synthetic.AxisToken(text="b", position=3)]
    header, _arrays = decode(encode_grid(synthetic.grid("t", maps, names, causal=True, query_count=5, key_count=5)))
    assert header["queryTokens"] == [["a", 0, 0, 1], ["b", 0, 0, 3]]
    assert (header["queryCount"], header["keyCount"]) == (5, 5)
    words = AlignedWords(queries=["cat"], keys=["cat"], left=([(1, 2)], [(1,)]), right=([(0,)], [(3,)]), notes=["n"])
    assert words.as_dict() == {
        "queries": ["cat"],
        "keys": ["cat"],
        "left": {"queries": [[1, 2]], "keys": [[1]]},
        "right": {"queries": [[0]], "keys": [[3]]},
        "notes": ["n"],
    }


def test_wrong_shapes_are_refused() -> None:
    maps = synthetic.attention(1, 1, 4, 4, True)
    grid = synthetic.grid("t", maps, synthetic.tokens(4), causal=True)
    with pytest.raises(ValueError, match=r"\[layers, heads, 10\]"):
        encode_grid(type(grid)(**{**vars(grid), "maps": grid.maps[..., :-1]}))
    with pytest.raises(ValueError, match="uint8"):
        encode_grid(type(grid)(**{**vars(grid), "maps": grid.maps.astype(float)}))


def test_lone_surrogates_do_not_break_the_header() -> None:
    maps = synthetic.attention(1, 1, 1, 1, True)
    grid = synthetic.grid("t", maps, [synthetic.AxisToken(text="\ud800")], causal=True)
    header, _ = decode(encode_grid(grid))
    assert header["queryTokens"][0][0] == "?"


arbitrary_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
names = ["selected", "settings", "layer", "head", "combine", "scale", "range", "pin", "filter", "axis", "index"]
near_misses = st.recursive(arbitrary_json, lambda inner: st.dictionaries(st.sampled_from(names), inner), max_leaves=12)


@settings(max_examples=60)
@given(value=near_misses)
def test_any_component_value_becomes_a_valid_state(value: object) -> None:
    state = read_view_state(value, layers=range(3), heads=5, default=ViewState())
    assert 0 <= state.selected.layer < 3
    assert 0 <= state.selected.head < 5
    assert len(state.settings.filter) <= 200
    again = read_view_state(json.loads(json.dumps(state.as_dict())), layers=range(3), heads=5, default=ViewState())
    assert again == state


def test_a_full_state_survives() -> None:
    state = ViewState(
        selected=Selected(layer=2, head=1, combine="layer max"),
        settings=ViewSettings(scale="log", pin=Pin(axis="key", index=3), pairs="b-a", view="arcs", palette="cividis"),
    )
    assert read_view_state(state.as_dict(), layers=range(3), heads=5, default=ViewState()) == state


def test_bundles_are_one_module_each() -> None:
    for module in (view_module(), head_module(), scores_module(), difference_module()):
        assert module.count("export default ") == 1
        assert "\nimport " not in module
        assert "innerHTML" not in module
        assert "</script" not in module


def test_bundle_refuses_the_same_name_twice(tmp_path: Path) -> None:
    for name in ("one.js", "two.js"):
        (tmp_path / name).write_text("export function same() {}\n")
    with pytest.raises(ValueError, match=r"two\.js and one\.js both define same"):
        bundle([tmp_path / "one.js", tmp_path / "two.js"])


def test_every_label_in_the_modules_exists() -> None:
    used = set(re.findall(r"\blabels\.(\w+)", view_module() + difference_module()))
    assert used <= set(attention_view_labels())


def test_standalone_page_works_offline(open_page: Callable[..., Page], tmp_path: Path) -> None:
    maps = synthetic.attention(3, 4, 12, 12, True)
    grid = synthetic.grid("t", maps, synthetic.tokens(12), causal=True)
    state = ViewState(selected=Selected(layer=2, head=3))
    head = synthetic.head_view(maps, state.selected, True)
    page_text = standalone_html(
        grid_payload(grid, view="v", state=state), encode_head("t", head, view="v"), "A <b>title</b>"
    )
    (tmp_path / "attention.html").write_text(page_text, encoding="utf-8")
    page = open_page(f"file://{tmp_path}/attention.html", theme="dark")
    expect(page.locator("h1")).to_have_text("A <b>title</b>")
    page.locator("[data-part=heatmap][data-exact=true]").wait_for()
    expect(page.locator("h3")).to_have_text("head 2.3")
    assert hover_cell(page, 7, 2)["weight"] == pytest.approx(float(maps[2, 3, 7, 2]), rel=1e-6)
