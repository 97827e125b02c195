"""The pure ES modules of the components, each loaded on its own in Chromium: real values in, real values out."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Route

from playground.viewer.shared.payload import encode_payload

ROOT = Path(__file__).resolve().parents[3]
COMPONENTS, VIEWER = ROOT / "ui" / "components", ROOT / "playground" / "viewer"
MODULES = sorted([*COMPONENTS.glob("*/js/*.js"), *VIEWER.glob("*/js/*.js")])
ADDRESS = "http://modules.test"


@pytest.fixture(scope="module")
def evaluate(browser: Browser) -> Iterator[Callable[..., Any]]:
    """Run an expression over a module, which it calls `m`."""
    page = browser.new_context().new_page()

    def serve(route: Route) -> None:
        path = ROOT / route.request.url.removeprefix(f"{ADDRESS}/")
        if path.is_file():
            route.fulfill(body=path.read_text(encoding="utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")

    page.route(f"{ADDRESS}/**", serve)
    page.goto(ADDRESS)

    def run(module: str, expression: str, argument: object = None) -> Any:
        folder = VIEWER if (VIEWER / f"{module}.js").is_file() else COMPONENTS
        address = f"/{(folder / module).relative_to(ROOT).as_posix()}.js"
        return page.evaluate(
            f"async (argument) => {{ const m = await import('{address}'); return {expression}; }}", argument
        )

    yield run
    page.close()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_finds_what_it_imports(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for names, target in re.findall(r"^import \{([^}]*)\} from \"([^\"]+)\";", source, re.MULTILINE):
        imported = (path.parent / target).resolve()
        exports = set(
            re.findall(r"^export (?:async )?(?:function\*?|class|const|let) (\w+)", imported.read_text(), re.M)
        )
        assert {name.strip() for name in names.split(",") if name.strip()} <= exports


def test_every_export_is_used() -> None:
    sources = [path.read_text(encoding="utf-8") for path in MODULES]
    exports = re.findall(
        r"^export (?:async )?(?:function\*?|class|const|let) (\w+)", "\n".join(sources), flags=re.MULTILINE
    )
    imports = re.findall(r"^import \{([^}]*)\}", "\n".join(sources), flags=re.MULTILINE)
    used = {name.strip() for names in imports for name in names.split(",")}
    tested = set(re.findall(r"\bm\.(\w+)", Path(__file__).read_text(encoding="utf-8")))
    assert set(exports) <= used | tested


def test_a_payload_is_decoded_at_any_offset(evaluate: Callable[..., Any]) -> None:
    data = encode_payload({"title": "t"}, {"maps": np.arange(3, dtype=np.float32)})
    decoded = """(() => {
        const bytes = new Uint8Array(argument.length + 3);
        bytes.set(argument, 3);
        const { header, arrays } = m.decodePayload(bytes.subarray(3));
        return [header.title, [...arrays.maps]];
    })()"""
    assert evaluate("shared/js/decode", decoded, list(data)) == ["t", [0, 1, 2]]


def test_colours_go_to_oklab_and_back(evaluate: Callable[..., Any]) -> None:
    assert evaluate("shared/js/colour", "m.fromOklab(m.toOklab([12, 200, 99]))") == [12, 200, 99]
    lightness = evaluate("shared/js/colour", "m.toOklab([255, 255, 255])[0]")
    assert lightness == pytest.approx(1.0, abs=1e-6)
    assert evaluate("shared/js/colour", "m.cssRgb([1, 2, 3], 0.5)") == "rgba(1, 2, 3, 0.5)"


def test_weights_are_scaled_to_the_ramp(evaluate: Callable[..., Any]) -> None:
    scaled = "['linear', 'sqrt', 'log'].map((scale) => m.scaleWeight(scale, 0.01))"
    assert evaluate("shared/js/colour", scaled) == pytest.approx([0.01, 0.1, 0.5])
    assert evaluate("shared/js/colour", "m.scaleWeight('log', 0)") == 0
    ramp = "m.attentionRamp('ink', { background: [255, 255, 255], dark: false })"
    assert evaluate("shared/js/colour", f"[{ramp}.length, {ramp}[0]]") == [256, [255, 255, 255]]


def test_tokens_show_what_cannot_be_seen(evaluate: Callable[..., Any]) -> None:
    shown = evaluate("shared/js/tokens", "[' cat', 'a\\n', '\\u200b', ''].map(m.tokenText)")
    assert shown == ["␣cat", "a↵", "‹200b›", "∅"]
    assert evaluate("shared/js/tokens", "m.tokenPieces(' x')") == [
        {"text": "␣", "mark": True},
        {"text": "x", "mark": False},
    ]


@pytest.mark.parametrize(
    ("markup", "text"),
    [("0 &lt;s&gt;", "0 <s>"), ("a &amp;lt; b", "a &lt; b"), ("<b>N</b><br>50&#37;", "N 50%"), ("1 < 2", "1 < 2")],
)
def test_a_chart_in_words_has_no_markup(evaluate: Callable[..., Any], markup: str, text: str) -> None:
    assert evaluate("live_chart/js/table", "m.plainText(argument)", markup) == text


def test_of_the_points_over_one_step_the_one_at_the_pointer_is_clicked(evaluate: Callable[..., Any]) -> None:
    axis = "{ _offset: 30, d2p: (y) => 10 * y }"
    at = f"[65, 75, 44].map((top) => m.nearest([1, 4, 2].map((y) => ({{ y, yaxis: {axis} }})), top).y)"
    assert evaluate("live_chart/js/pick", at) == [4, 4, 1]
    assert evaluate("live_chart/js/pick", "[m.nearest([], 1), m.nearest([{ y: 3 }], 1).y]") == [None, 3]


def test_a_click_opens_runs_and_nothing_else(evaluate: Callable[..., Any]) -> None:
    links = ["train?run=Ab_-1", "train?run=a&lang=qps", "//x?train?run=a", "train?run=a&model=b", "train?run=", ""]
    assert evaluate("live_chart/js/pick", "argument.map(m.isRun)", links) == [True, True, False, False, False, False]


NUMBERS: dict[str, Any] = {
    "mode": "text",
    "x": [0, 1],
    "y": [0, 0],
    "text": ["0.123", "−0.456"],
    "meta": {"columns": 2, "shorter": [".12", "−.46"], "upright": False},
}


@pytest.mark.parametrize(
    ("width", "texts", "size"),
    [(100, ["0.123", "−0.456"], 12), (80, ["0.123", "−0.456"], 11), (60, [".12", "−.46"], 11)],
)
def test_numbers_get_smaller_and_then_shorter(
    evaluate: Callable[..., Any], width: int, texts: list[str], size: int
) -> None:
    written = evaluate("live_chart/js/numbers", f"m.written([argument], {width})", NUMBERS)
    assert (written["data"][0]["text"], written["data"][0]["textfont"]["size"]) == (texts, size)
    assert written["annotations"] == []


def test_numbers_stand_upright_where_their_row_is_tall_and_no_number_is_left_out(evaluate: Callable[..., Any]) -> None:
    tall = {**NUMBERS, "meta": {**NUMBERS["meta"], "upright": True}}
    written = evaluate("live_chart/js/numbers", "m.written([argument], 30)", tall)
    assert written["data"][0]["text"] == ["", ""]
    assert [(note["text"], note["textangle"]) for note in written["annotations"]] == [(".12", -90), ("−.46", -90)]
    assert evaluate("live_chart/js/numbers", "m.leastWidth([argument])", tall) == 28
    assert evaluate("live_chart/js/numbers", "m.leastWidth([argument])", NUMBERS) == pytest.approx(2 * 27.2)


def test_tokens_on_cells_are_cut_where_they_are_too_long(evaluate: Callable[..., Any]) -> None:
    trace = {"mode": "text", "text": ["looked", "a"], "meta": {"columns": 2, "least": 40}, "textfont": {"size": 11}}
    assert evaluate("live_chart/js/numbers", "m.written([argument], 60).data[0].text", trace) == ["loo…", "a"]
    assert evaluate("live_chart/js/numbers", "m.written([argument], 20).data[0].text", trace) == ["", "a"]
    assert evaluate("live_chart/js/numbers", "m.leastWidth([argument, {}])", trace) == 80


def test_the_names_of_rows_and_a_colour_bar_take_room(evaluate: Callable[..., Any]) -> None:
    layout = {"margin": {"l": 20, "r": 10}, "yaxis": {"ticktext": ["&lt;s&gt;", "score q · k"]}}
    assert evaluate("live_chart/js/numbers", "m.roomBeside(argument, [{}])", layout) == pytest.approx(85.55)
    assert evaluate("live_chart/js/numbers", "m.roomBeside({}, [{ colorbar: {} }])") == 240


@pytest.mark.parametrize(
    ("second", "removed", "bars", "numbers"),
    [
        (None, False, ["75%"], ["75%"]),
        (1.5, False, ["75%", "100%"], ["75%", "100%"]),
        (0, True, ["75%", "0%"], ["75%", "removed"]),
    ],
)
def test_a_row_has_a_bar_for_each_value(
    evaluate: Callable[..., Any], second: float | None, removed: bool, bars: list[str], numbers: list[str]
) -> None:
    item = {"text": " a", "value": 0.75, "number": "75%", "second": second, "secondNumber": "100%", "lines": []}
    row = "m.barRow({ ...argument, clickable: true }, 0, 'removed')"
    shares = f"[...{row}.querySelectorAll('.share')].map((share) => share.style.inlineSize)"
    assert evaluate("token_view/js/rows", shares, item) == bars
    argument = {**item, "removed": removed}
    told = f"[...{row}.querySelectorAll('.numeric')].map((number) => number.textContent)"
    assert evaluate("token_view/js/rows", told, argument) == numbers
    heard = f"{row}.firstChild.getAttribute('aria-label')"
    assert evaluate("token_view/js/rows", heard, argument) == ", ".join(["␣a", *numbers])
    assert evaluate("token_view/js/rows", f"{row}.firstChild.classList.contains('removed')", argument) is removed


def test_a_term_is_found_where_it_stands_first_and_longest_first(evaluate: Callable[..., Any]) -> None:
    terms = [
        {"forms": ["head", "heads"], "otherSenses": ["output head", "head only"]},
        {"forms": ["attention head"]},
        {"forms": ["C++ (x)"]},
    ]
    found = """(() => {
        const [terms, texts] = argument;
        const search = m.termPattern(terms);
        const seen = new Set();
        const shown = (text) => ({ term, start, end }) => [term, text.slice(start, end)];
        return texts.map((text) => m.firstTerms(m.matchTerms(text, search), seen).map(shown(text)));
    })()"""
    texts = [
        "“head”, ␣head, ahead, head-on, Head only, an output head",
        "An Attention head, two heads",
        "head, C++ (x)",
    ]
    expected = [[], [[1, "Attention head"], [0, "heads"]], [[2, "C++ (x)"]]]
    assert evaluate("page_frame/js/terms", found, [terms, texts]) == expected


@pytest.mark.parametrize(
    ("area", "is_above", "place"),
    [
        ((50, 100, 120), False, (50, 126)),
        ((50, 200, 220), True, (50, 114)),
        ((50, 60, 80), True, (50, 86)),
        ((50, 270, 290), False, (50, 184)),
        ((350, 100, 120), False, (192, 126)),
        ((-20, 40, 260), False, (8, 212)),
    ],
    ids=["below", "above", "no room above", "no room below", "at the edge", "no room at all"],
)
def test_a_hint_stands_beside_what_it_explains(
    evaluate: Callable[..., Any], area: tuple[int, int, int], is_above: bool, place: tuple[int, int]
) -> None:
    argument = [dict(zip(("left", "top", "bottom"), area, strict=True)), is_above]
    placed = "m.placeHint(argument[0], { width: 200, height: 80 }, { width: 400, height: 300 }, argument[1])"
    assert evaluate("page_frame/js/terms", placed, argument) == {"left": place[0], "top": place[1]}


LABELLED = """(() => {
    const widget = (inside) => `<div data-testid="stElementContainer">${inside}</div>`;
    document.body.innerHTML = widget('<label data-testid="stWidgetLabel">Loss</label><input>')
        + widget('<button><p id="inside">Loss</p></button>') + '<p id="alone">Loss</p>';
    const told = ({ stop, isControl }) => [stop.tagName, isControl];
    const blocks = ["[data-testid=stWidgetLabel]", "#inside", "#alone"];
    return blocks.map((one) => told(m.stopOf(document.querySelector(one))));
})()"""


def test_a_term_in_a_control_has_no_tab_stop_of_its_own(evaluate: Callable[..., Any]) -> None:
    assert evaluate("page_frame/js/marks", LABELLED) == [["DIV", True], ["BUTTON", True], ["P", False]]


PAGE_OF_TERMS = """(() => {
    document.body.innerHTML = `<div data-testid="stHeading"><h1>Loss</h1></div>
        <div data-testid="stMarkdown"><p>The <code>loss</code> is a loss, and a loss.</p></div>
        <div class="st-key-sample_pair_0"><div data-testid="stText">a great loss of entropy</div></div>
        <div data-testid="stMetricLabel">Loss</div><div data-testid="stBidiComponentIsolated"></div>`;
    const root = document.querySelector("[data-testid=stBidiComponentIsolated]").attachShadow({ mode: "open" });
    root.innerHTML = '<p class="finding">Entropy, no loss</p><p>entropy</p>';
    const search = { pattern: /loss|entropy/gi, index: new Map([["loss", 0], ["entropy", 1]]) };
    const found = m.findMarks(search);
    return [found.map(({ node, start }) => node.data.slice(start)), m.sameMarks(found, m.findMarks(search))];
})()"""


def test_terms_are_marked_in_sentences_findings_and_labels(evaluate: Callable[..., Any]) -> None:
    found, same = evaluate("page_frame/js/marks", PAGE_OF_TERMS)
    assert found == ["loss, and a loss.", "Entropy, no loss", "Loss"]
    assert same


INVISIBLE = (
    *("200c", "200d", "fe0f", "180e", "34f", "115f", "1160", "3164", "ffa0", "e0041", "2800", "200b", "2066"),
    *("1680", "2003", "200a", "202f", "205f", "fff9", "fffb"),
)


@pytest.mark.parametrize("code", INVISIBLE)
def test_a_token_without_a_shape_shows_its_code(evaluate: Callable[..., Any], code: str) -> None:
    assert evaluate("shared/js/tokens", "m.tokenText(argument)", chr(int(code, 16))) == f"‹{code}›"


@pytest.mark.parametrize("text", ["👩\u200d👩\u200d👧", "❤\ufe0f", "क्\u200dष", "می\u200cخواهم"])
def test_joiners_within_a_character_are_no_marks(evaluate: Callable[..., Any], text: str) -> None:
    assert evaluate("shared/js/tokens", "m.tokenText(argument)", text) == text


def test_a_file_is_named_by_its_title(evaluate: Callable[..., Any]) -> None:
    stem = "m.fileStem(argument, { fallback: 'attention', most: 12 })"
    assert evaluate("shared/js/files", stem, "Layer 2, head 1") == "layer-2-head"
    assert evaluate("shared/js/files", stem, "…") == "attention"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("induction > 0.5", [True, False]),
        ("not induction > 0.5", [False, True]),
        ("induction > 0.5 or entropy < 2", [True, True]),
        ("(induction > 0.5 and entropy < 2)", [False, False]),
        ("duplicate > -1", [False, False]),
    ],
)
def test_a_filter_keeps_the_heads_it_describes(evaluate: Callable[..., Any], text: str, expected: list[bool]) -> None:
    heads = [{"induction": 0.9, "entropy": 3.0, "duplicate": None}, {"induction": 0.1, "entropy": 1.0}]
    keeps = "argument[1].map(m.parseFilter(argument[0], ['induction', 'entropy', 'duplicate']).test)"
    assert evaluate("attention_view/js/filter", keeps, [text, heads]) == expected


def test_the_heads_that_match_are_numbered_through(evaluate: Callable[..., Any]) -> None:
    """Two layers, the blocks 1 and 4 of the model; a score that is not defined matches nothing."""
    found = """(() => {
        const header = { layers: 2, heads: 2, blocks: [1, 4], headNumbers: [0, 1], scoreNames: ["a"] };
        const scores = { names: ["a"], layers: 2, heads: 2, values: Float32Array.from([0.1, 0.9, 0.8, NaN]) };
        const test = (text) => m.parseFilter(text, ["layer", "head", "a"]).test;
        const matching = (text) => [...m.headsThatMatch(test(text), header, scores)];
        return [matching("a > 0.5"), matching("layer = 4"), matching("not a > 0.5 and head = 1")];
    })()"""
    assert evaluate("attention_view/js/filter", found) == [[1, 2], [2, 3], [3]]


@pytest.mark.parametrize(
    ("text", "label"),
    [("loss > 1", "filterName"), ("induction", "filterOperator"), ("induction >", "filterNumber"), ("(", "filterMore")],
)
def test_a_wrong_filter_says_what_is_missing(evaluate: Callable[..., Any], text: str, label: str) -> None:
    assert evaluate("attention_view/js/filter", "m.parseFilter(argument, ['induction']).error[0]", text) == label


def test_an_empty_filter_is_none(evaluate: Callable[..., Any]) -> None:
    assert evaluate("attention_view/js/filter", "m.parseFilter('  ', [])") is None


def test_an_aggregate_is_known_by_what_it_is_over(evaluate: Callable[..., Any]) -> None:
    keys = "['head', 'layer mean', 'all max'].map((combine) => m.headKey('t', { layer: 2, head: 1, combine }))"
    assert evaluate("attention_view/js/store", keys) == ["t|2|1", "t|layer mean|2", "t|all max"]


def test_a_coded_map_is_squared_and_packed_by_rows(evaluate: Callable[..., Any]) -> None:
    header = {"rows": 3, "columns": 3, "packing": "lower", "causal": True, "heads": 2, "layers": 1}
    matrix = "m.codedMatrix(argument, Uint8Array.from([9, 9, 9, 9, 9, 9, 255, 0, 51, 1, 2, 3]), 0, 1)"
    assert evaluate("shared/js/matrix", f"{matrix}.offset", header) == 6
    assert evaluate("shared/js/matrix", f"m.rowStart({matrix}, 2)", header) == 9
    assert evaluate("shared/js/matrix", f"m.rowEnd({matrix}, 1)", header) == 2
    assert evaluate("shared/js/matrix", f"{matrix}.table[51]", header) == pytest.approx(0.04)
    assert evaluate("shared/js/matrix", "m.entryCount(3, 3, 'full')") == 9


def test_an_axis_knows_the_positions_of_its_tokens(evaluate: Callable[..., Any]) -> None:
    """Of the tokens 0 to 4 the first, the special one at 2 and the last are hidden."""
    values = "[axis.positions(1), axis.number(1), axis.cellOf(3), axis.cellOf(2)]"
    read = f"[m.makeAxis(argument, 2)].map((axis) => {values})[0]"
    assert evaluate("shared/js/heatmap", read, [["a", 0, 0, 1], ["b", 0, 0, 3]]) == [[3, 3], "3", 1, None]
    assert evaluate("shared/js/heatmap", read, [["a", 0, 0], ["b", 0, 0]]) == [[1, 1], "", None, None]
    pooled = "[m.makeAxis(argument, 2)].map((axis) => [axis.positions(1), axis.cellOf(7)])[0]"
    assert evaluate("shared/js/heatmap", pooled, [["t", 0, 0, index + 2] for index in range(6)]) == [[5, 7], 1]


def test_attention_between_words_sums_keys_and_averages_queries(evaluate: Callable[..., Any]) -> None:
    made = """(() => {
        const axis = { tokens: [0, 1, 2], cellOf: (position) => (position < 3 ? position : null) };
        const values = Float32Array.from([1, 0.5, 0.5, 0.25, 0.25, 0.5]);
        const matrix = { values, offset: 0, rows: 3, columns: 3, packed: true, triangle: true, table: null };
        const words = { queries: [[0], [1, 2]], keys: argument };
        const map = m.wordMatrix({ matrix, axes: { query: axis, key: axis } }, words);
        return map && [...map.values].map((value) => (Number.isNaN(value) ? null : value));
    })()"""
    assert evaluate("attention_view/js/words", made, [[0], [1, 2]]) == [1, None, 0.375, 0.625]
    assert evaluate("attention_view/js/words", made, [[0], [5]]) is None, "a hidden position"


def test_words_of_a_causal_map_stand_in_a_triangle_whose_rows_sum_to_one(evaluate: Callable[..., Any]) -> None:
    """Tokens 0 and 1 are a word, as are 2, and 3 to 5; the map is packed by rows."""
    made = """(() => {
        const axis = { tokens: [0, 1, 2, 3, 4, 5], cellOf: (position) => position };
        const values = Float32Array.from(argument);
        const matrix = { values, offset: 0, rows: 6, columns: 6, packed: true, triangle: true, table: null };
        const groups = [[0, 1], [2], [3, 4, 5]];
        const map = m.wordMatrix({ matrix, axes: { query: axis, key: axis } }, { queries: groups, keys: groups }, true);
        return [map.triangle, [...map.values].map((value) => (Number.isNaN(value) ? null : value))];
    })()"""
    weights = np.tril(np.random.default_rng(0).random((6, 6)))
    weights /= weights.sum(1, keepdims=True)
    triangle, values = evaluate("attention_view/js/words", made, [float(w) for w in weights[np.tril_indices(6)]])
    groups = [[0, 1], [2], [3, 4, 5]]
    expected = np.array([[weights[np.ix_(q, k)].sum(1).mean() for k in groups] for q in groups])
    assert triangle is True
    found = np.array([0.0 if value is None else value for value in values]).reshape(3, 3)
    assert found == pytest.approx(expected, abs=1e-6)
    assert found.sum(1) == pytest.approx(np.ones(3), abs=1e-6)


def test_an_axis_of_words_answers_to_each_of_their_tokens(evaluate: Callable[..., Any]) -> None:
    tokens = [["[CLS]", 1, 0, 0], ["walk", 0, 0, 1], ["##ing", 0, 0, 2]]
    words = [["[CLS]", [0]], ["walking", [1, 2]]]
    read = """[m.wordAxis(...argument)].map((axis) =>
        [axis.cells, axis.text(1), axis.positions(1), axis.number(1), axis.cellOf(2), axis.cellOf(3),
        axis.tokens[0][1]])[0]"""
    expected = [2, "walking", [1, 2], "1", 1, None, 1]
    assert evaluate("attention_view/js/words", read, [tokens, words]) == expected


@pytest.mark.parametrize(
    ("current", "cell", "how", "expected"),
    [
        (None, 4, "only", {"cell": 4, "cells": [4]}),
        ({"cell": 4, "cells": [4]}, 4, "only", None),
        ({"cell": 4, "cells": [4, 6]}, 4, "only", {"cell": 4, "cells": [4]}),
        ({"cell": 4, "cells": [4]}, 2, "toggle", {"cell": 4, "cells": [2, 4]}),
        ({"cell": 4, "cells": [2, 4]}, 4, "toggle", {"cell": 2, "cells": [2]}),
        ({"cell": 4, "cells": [4]}, 4, "toggle", None),
        ({"cell": 4, "cells": [4]}, 1, "range", {"cell": 4, "cells": [1, 2, 3, 4]}),
        ({"cell": 1, "cells": [1, 2, 3]}, 2, "range", {"cell": 1, "cells": [1, 2]}),
        (None, 3, "range", {"cell": 3, "cells": [3]}),
    ],
)
def test_a_choice_of_tokens_grows_and_shrinks(
    evaluate: Callable[..., Any], current: Any, cell: int, how: str, expected: Any
) -> None:
    assert evaluate("attention_view/js/chosen", "m.nextCells(...argument)", [current, cell, how]) == expected


def test_modifiers_say_what_a_click_does_to_the_choice(evaluate: Callable[..., Any]) -> None:
    keys = [[{"shiftKey": True}, False], [{"metaKey": True}, False], [{}, True], [{}, False]]
    how = "argument.map(([event, several]) => m.choiceOf(event, several))"
    assert evaluate("attention_view/js/chosen", how, keys) == ["range", "toggle", "toggle", "only"]


def test_chosen_cells_come_from_positions_and_go_back(evaluate: Callable[..., Any]) -> None:
    """Position 7 is hidden; 3 and 4 are pieces of one word."""
    both = """(() => {
        const cellOf = (position) => ({ 2: 0, 3: 1, 4: 1, 9: 2 })[position] ?? null;
        const axis = { cellOf, positions: (cell) => [[2], [3], [9]][cell] };
        const axes = { query: axis, key: axis };
        const cells = m.cellsOfPin(argument, axes);
        return [cells, cells && m.pinOf(argument.axis, cells, axes)];
    })()"""
    cells, pin = evaluate("attention_view/js/chosen", both, {"axis": "key", "index": 9, "also": [7, 3, 4]})
    assert cells == {"axis": "key", "cell": 2, "cells": [1, 2]}
    assert pin == {"axis": "key", "index": 9, "also": [3]}
    assert evaluate("attention_view/js/chosen", both, {"axis": "key", "index": 7, "also": []}) == [None, None]


@pytest.mark.parametrize(("axis", "gather"), [("query", "auto"), ("query", "sum"), ("key", "auto"), ("key", "mean")])
def test_weights_of_chosen_tokens_are_numpys(evaluate: Callable[..., Any], axis: str, gather: str) -> None:
    weights = np.tril(np.random.default_rng(1).random((4, 4))).astype(np.float32)
    made = """(() => {
        const [values, chosen, gather] = argument;
        const size = { offset: 0, rows: 4, columns: 4, triangle: true, table: null };
        const matrix = { values: Float32Array.from(values), ...size };
        const gathered = m.gathered(matrix, chosen, gather, () => true);
        return [[...gathered], m.largestGathered(gathered, 2)];
    })()"""
    argument = [weights.ravel().tolist(), {"axis": axis, "cells": [1, 3]}, gather]
    values, largest = evaluate("attention_view/js/chosen", made, argument)
    along = 0 if axis == "query" else 1
    taken = weights.take([1, 3], axis=along)
    is_mean = (axis == "query") if gather == "auto" else gather == "mean"
    expected = taken.mean(along) if is_mean else taken.sum(along)
    assert values == pytest.approx(expected.tolist(), rel=1e-6)
    assert largest == np.argsort(-expected, kind="stable")[:2].tolist()


@pytest.mark.parametrize(
    ("name", "head"), [("a", {"layer": 1, "head": 1}), ("b", {"layer": 0, "head": 1}), ("c", None)]
)
def test_the_head_with_the_largest_score_is_found(evaluate: Callable[..., Any], name: str, head: Any) -> None:
    found = """(() => {
        const values = Float32Array.from([0, 1, 2, 3, NaN, 5, 5, NaN, NaN, NaN, NaN, NaN]);
        return m.headWithLargest({ names: ["a", "b", "c"], layers: 2, heads: 2, values }, argument);
    })()"""
    assert evaluate("attention_view/js/head_scores", found, name) == head


def test_a_place_for_tables_that_was_taken_over_is_not_withdrawn(evaluate: Callable[..., Any]) -> None:
    hosts = """(() => {
        const [first, second] = [{}, {}];
        m.publishHost("v", first);
        m.publishHost("v", second);
        m.withdrawHost("v", first);
        const kept = m.sharedStore().hosts.get("v") === second;
        m.withdrawHost("v", second);
        return [kept, m.sharedStore().hosts.has("v")];
    })()"""
    assert evaluate("attention_view/js/store", hosts) == [True, False]


def test_a_score_is_found_by_name_layer_and_head(evaluate: Callable[..., Any]) -> None:
    read = """(() => {
        const values = Float32Array.from([0, 1, 2, 3, 4, 5, NaN, 7]);
        const scores = { names: ["a", "b"], layers: 2, heads: 2, values };
        return [m.scoreOf(scores, "b", 1, 1), m.scoreOf(scores, "b", 1, 0), m.scoreOf(null, "a", 0, 0) === undefined];
    })()"""
    assert evaluate("attention_view/js/store", read) == [7, None, True]


def test_a_wrong_state_is_brought_within_the_model(evaluate: Callable[..., Any]) -> None:
    header = {
        "revision": 1,
        "layers": 2,
        "blocks": [2, 5],
        "heads": 4,
        "queryTokens": ["a"],
        "keyTokens": ["a", "b"],
        "queryCount": 1,
        "keyCount": 2,
        "initial": {
            "selected": {"layer": 9, "head": -1, "combine": "sum"},
            "settings": {"scale": "cubic", "range": "row", "pin": {"axis": "key", "index": 5}},
        },
    }
    state = evaluate("attention_view/js/state", "m.nextState(argument, null)", header)
    assert state["selected"] == {"layer": 0, "head": 0, "combine": "head"}
    assert (state["settings"]["scale"], state["settings"]["range"], state["settings"]["pin"]) == ("sqrt", "row", None)
    kept = "m.nextState(argument, { revision: 1, selected: { layer: 0, head: 3, combine: 'head' }, settings: {} })"
    assert evaluate("attention_view/js/state", kept, header)["selected"]["head"] == 3
    # A mixed stack: block 5 of the model is the picture's second row, and Python is told of block 5 again.
    header["initial"]["selected"] = {"layer": 5, "head": 1, "combine": "head"}
    assert evaluate("attention_view/js/state", "m.nextState(argument, null)", header)["selected"]["layer"] == 1
    told = "m.reported(m.nextState(argument, null), argument)"
    assert evaluate("attention_view/js/state", told, header)["selected"] == header["initial"]["selected"]


def test_a_figure_is_drawn_as_svg(evaluate: Callable[..., Any]) -> None:
    drawn = """(() => {
        const context = new m.VectorContext(10, 20, null);
        context.fillStyle = "#ff0000";
        context.fillRect(1, 2, 3, 4);
        return context.root.outerHTML;
    })()"""
    assert 'width="3" height="4"' in evaluate("attention_view/js/vector", drawn)


THEME = {name: [100, 100, 100] for name in ("text", "background", "faded", "faint", "line")} | {
    "sans": "s",
    "dark": False,
}


@pytest.mark.parametrize(("width", "ticks"), [(390, 3), (1400, 5)])
def test_a_narrow_log_axis_names_fewer_powers(evaluate: Callable[..., Any], width: int, ticks: int):
    layout = {"xaxis": {"type": "log", "nticks": 5}, "yaxis": {"type": "log", "nticks": 5}}
    expression = f"m.themedLayout(argument[0], argument[1], {{ width: {width}, height: 300, revision: '' }})"
    themed = evaluate("live_chart/js/theme", expression, [layout, THEME])
    assert themed["xaxis"]["nticks"] == ticks
    assert themed["yaxis"]["nticks"] == 5


def test_a_name_beyond_the_edge_is_not_left_out(evaluate: Callable[..., Any]):
    layout = {"xaxis": {"tickvals": [0, 1], "ticktext": ["yes", "a long name"]}, "yaxis": {"nticks": 5}}
    expression = "m.themedLayout(argument[0], argument[1], { width: 390, height: 300, revision: '' })"
    themed = evaluate("live_chart/js/theme", expression, [layout, THEME])
    assert themed["xaxis"]["ticklabeloverflow"] == "allow"
    assert "ticklabeloverflow" not in themed["yaxis"]


@pytest.mark.parametrize(
    ("cell", "box"),
    [
        ([0, 0, 1], [0.5, 1.5, 2.5, 3.5]),
        ([1, 1, 0], [6.5, 7.5, -2, 0]),
        ([2, 0, 0], None),
        ([0, 9, 0], None),
        (None, None),
    ],
)
def test_a_cell_and_a_standing_bar_are_framed(
    evaluate: Callable[..., Any], cell: list[int] | None, box: list[float] | None
) -> None:
    bars = {"type": "bar", "x": [3, 7], "y": [1, -2]}
    traces = [{"z": [[1, 2]], "y0": 3}, bars, {**bars, "orientation": "h"}]
    shapes = evaluate("live_chart/js/pick", "m.frameOf(argument[0], argument[1], 'red')", [traces, cell])
    assert [[shape[side] for side in ("x0", "x1", "y0", "y1")] for shape in shapes] == ([box] if box else [])


@pytest.mark.parametrize(
    ("layout", "crowded"), [({"margin": {"t": 6}}, True), ({"margin": {"t": 34}}, False), ({}, False)]
)
def test_a_picture_without_room_above_it_has_its_buttons_below(
    evaluate: Callable[..., Any], layout: dict[str, Any], crowded: bool
) -> None:
    assert evaluate("live_chart/js/theme", "m.isCrowded(argument)", layout) is crowded


@pytest.mark.parametrize(
    ("wanted", "act", "kind"),
    [
        ("/inside?text=a", None, "entry"),
        ("/inside?text=a", "leave", "entry"),
        ("/ablate?text=b", "change", "entry"),
        ("/ablate?text=b", None, "part"),
        ("/ablate?text=a", "change", "part"),
        ("/ablate", "leave", "nothing"),
    ],
)
def test_an_act_is_one_entry_of_the_history(
    evaluate: Callable[..., Any], wanted: str, act: str | None, kind: str
) -> None:
    call = "m.kindOf(argument[0], 'http://host/ablate?text=a', argument[1])"
    assert evaluate("page_frame/js/entries", call, [wanted, act]) == kind


def test_the_projector_takes_the_pointed_picture_or_the_largest_in_sight(evaluate: Callable[..., Any]) -> None:
    box = "({ isPointed, box: { top, bottom, width: 500, height: bottom - top } })"
    choose = f"m.choosePicture(argument.map(([top, bottom, isPointed]) => {box}), 900)?.box.top ?? null"
    assert evaluate("page_frame/js/projector", choose, [[0, 300, False], [350, 800, False], [850, 2000, False]]) == 350
    assert evaluate("page_frame/js/projector", choose, [[0, 300, True], [350, 800, False]]) == 0
    assert evaluate("page_frame/js/projector", choose, [[0, 30, True]]) is None


@pytest.mark.parametrize(("height", "zoom"), [(400, 1.4), (640, 1.25), (720, 1.111), (2000, 1.0)])
def test_a_frame_is_as_large_as_the_window_takes(evaluate: Callable[..., Any], height: int, zoom: float) -> None:
    assert evaluate("page_frame/js/projector", "m.frameZoom(800, argument)", height) == pytest.approx(zoom, abs=0.001)


def test_type_and_its_room_are_enlarged_and_data_are_not(evaluate: Callable[..., Any]) -> None:
    figure = {"tickfont": {"size": 11}, "margin": {"l": 50}, "x": [1, 2], "marker": {"size": 8}}
    larger = {**figure, "tickfont": {"size": 22}, "margin": {"l": 100}}
    assert evaluate("live_chart/js/theme", "m.enlarged(argument, 2)", figure) == larger


@pytest.mark.parametrize(
    ("address", "is_app", "lines"),
    [
        (
            "https://h/sub/inside?text=a%2Cb&runs=1,2&head=1.1&embed=true#x",
            True,
            ["link: https://h/sub/inside?text=a,b&head=1.1"],
        ),
        ("http://h/lab/tree?a=1", False, []),
        ("file:///home/somebody/page.html", True, []),
    ],
)
def test_a_saved_picture_names_its_page_and_nobodys_runs_or_folders(
    evaluate: Callable[..., Any], address: str, is_app: bool, lines: list[str]
) -> None:
    assert evaluate("shared/js/files", 'm.withLink(["text: a"], argument[0], argument[1])', [address, is_app]) == [
        "text: a",
        *lines,
    ]


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        ({"x": [0.77, 1.0], "y": [0, 1], "meta": {"rows": ["en", "de"]}}, ["de", 1.0]),
        ({"x": [0.77, 1.0], "y": [0, 1], "meta": {"rows": ["en", "de"]}, "orientation": "h"}, ["de", 1.0]),
        ({"x": [0.77, 1.0], "y": ["en", "de"]}, ["de", 1.0]),
        ({"x": [10, 20], "y": [0.5, 0.25]}, [20, 0.25]),
        ({"x": [0, 1], "z": [[1, 2], [3, 4]], "meta": {"rows": ["a", "b"], "columns": ["c", "d"]}}, ["a, d", 2]),
    ],
)
def test_a_chart_says_the_lengths_of_what_lies(evaluate: Callable[..., Any], trace: dict[str, Any], said: list[Any]):
    table = "[m.positionOf(argument, 1), m.valuesOf(argument)[1]]"
    assert evaluate("live_chart/js/table", table, trace) == said


def test_a_part_is_brought_into_sight_once_for_each_press(evaluate: Callable[..., Any]) -> None:
    requests = [
        None,
        {"key": "a", "turn": 1},
        {"key": "a", "turn": 1},
        {"key": "b", "turn": 2},
        {"key": "a", "turn": 1},
    ]
    taken = evaluate("page_frame/js/reveal", "argument.map(m.takeTurn)", requests)
    assert taken == [None, "a", None, "b", None]
