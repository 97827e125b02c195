"""What the film sends, and what it makes of a browser's report."""

import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.viewer.film_view.assets import film_module
from playground.viewer.film_view.film import chosen_frames, pooled_cells
from playground.viewer.film_view.film_state import known_step, read_film_state
from playground.viewer.film_view.message import film_payload
from tests.e2e.components.test_payload import decode
from tests.helpers import synthetic
from ui.components.film_view import (
    FilmMark,
    FilmState,
    FilmView,
    encode_film,
    film_view_labels,
)

FILM = synthetic.film("translation", 12)


def test_all_frames_round_trip() -> None:
    header, arrays = decode(encode_film(FILM))
    assert header["steps"] == list(FILM.steps)
    assert header["since"] is None
    for kind, maps in FILM.maps.items():
        rows, columns = maps.shape[3:]
        sent = arrays[f"maps_{kind}"]
        lower = np.tril_indices(rows)
        expected = maps[..., lower[0], lower[1]] if kind == "decoder" else maps
        np.testing.assert_array_equal(sent, expected)
        site = header["sites"][kind]
        assert (site["rows"], site["columns"]) == (rows, columns)
        for index, name in enumerate(site["scores"]):
            np.testing.assert_array_equal(arrays[f"scores_{kind}"][:, index], FILM.scores[kind][name])


def test_only_later_frames_are_sent_to_a_browser_that_has_the_others() -> None:
    report = {"run": FILM.run, "have": 80, "request": 3}
    header, arrays = decode(film_payload(FILM, report=report))
    assert (header["since"], header["steps"], header["request"]) == (80, [90, 100, 110], 3)
    assert len(arrays["maps_cross"]) == 3
    assert len(film_payload(FILM, report=report)) < len(film_payload(FILM))


@pytest.mark.parametrize(
    "report",
    [None, 7, {}, {"run": "another", "have": 80}, {"run": FILM.run, "have": None}, {"run": FILM.run, "have": 85},
     {"run": FILM.run, "have": 500}, {"run": FILM.run, "have": True}, {"run": FILM.run, "have": "80"}],
)  # fmt: skip
def test_whoever_says_nothing_certain_is_sent_everything(report: object) -> None:
    assert known_step(report, FILM) is None
    assert decode(film_payload(FILM, report=report))[0]["since"] is None


@pytest.mark.parametrize("case", ["decoder", "translation", "long"])
def test_a_film_fits_its_budget(case: str) -> None:
    film = synthetic.film(case, 60)
    data = encode_film(film)
    header, _ = decode(data)
    assert len(data) <= 1_020_000
    assert (header["steps"][0], header["steps"][-1]) == (0, 590)
    assert len(header["steps"]) >= 24


def test_pooling_takes_the_maximum_and_never_changes_its_size() -> None:
    film = synthetic.film("long", 2)
    cells = pooled_cells(film, 1_000_000)
    assert cells == 64
    header, arrays = decode(encode_film(film))
    full = np.zeros((64, 64), dtype=np.uint8)
    full[np.tril_indices(64)] = arrays["maps_decoder"][1, 1, 3]
    exact = film.maps["decoder"][1, 1, 3]
    for row, column in ((0, 0), (20, 7), (63, 63)):
        rows = slice(row * 128 // 64, (row + 1) * 128 // 64)
        columns = slice(column * 128 // 64, (column + 1) * 128 // 64)
        assert full[row, column] == exact[rows, columns].max()
    later, _ = decode(encode_film(synthetic.film("long", 12), since=100))
    assert later["sites"]["decoder"]["rows"] == header["sites"]["decoder"]["rows"] == 64


@given(st.integers(0, 300), st.integers(1, 50), st.integers(0, 2000))
def test_thinning_keeps_both_ends(count: int, size: int, budget: int) -> None:
    frames = chosen_frames(range(count), size, budget)
    assert frames == sorted(set(frames))
    assert len(frames) <= max(2, budget // size)
    if count:
        assert (frames[0], frames[-1]) == (0, count - 1)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        replace(FILM, steps=FILM.steps[:-1])
    with pytest.raises(ValueError, match="uint8"):
        replace(FILM, maps={"cross": FILM.maps["cross"].astype(float)})
    with pytest.raises(ValueError, match="score induction"):
        replace(FILM, scores={"cross": {"induction": np.zeros((12, 1, 1))}})


def test_it_opens_on_the_watched_score_and_leaves_the_head_to_the_browser() -> None:
    header, _ = decode(film_payload(FILM, watched=("cross", "induction")))
    assert header["initial"] == {"kind": "cross", "score": "induction"}
    assert decode(film_payload(FILM))[0]["initial"] == {}
    start = FilmState(kind="encoder", layer=1, head=2, score="previous")
    initial = decode(film_payload(FILM, start=start, watched=("cross", "induction")))[0]["initial"]
    assert initial == {"kind": "encoder", "step": None, "layer": 1, "head": 2, "score": "previous"}


def test_events_are_sent_with_what_they_say() -> None:
    mark = FilmMark(step=40, kind="cross", score="induction", threshold=0.5, text="passes 0.5 at step 40")
    header, _ = decode(encode_film(replace(FILM, marks=[mark])))
    assert header["marks"] == [asdict(mark)]


def test_a_film_without_frames_can_be_sent() -> None:
    empty = FilmView(
        run="r",
        tokens=["a"],
        steps=[],
        maps={"decoder": np.zeros((0, 2, 3, 1, 1), dtype=np.uint8)},
        scores={},
        live=True,
    )
    header, arrays = decode(encode_film(empty))
    assert (header["steps"], header["newest"], arrays["maps_decoder"].size) == ([], None, 0)


json_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
names = st.sampled_from(["kind", "step", "layer", "head", "score", "run", "have", "request"])


@given(st.dictionaries(names, json_values | st.sampled_from(["cross", "encoder", "induction"])) | json_values)
def test_any_component_value_becomes_a_valid_state(value: object) -> None:
    state = read_film_state(value, FILM, FilmState())
    assert state.kind in FILM.maps
    assert 0 <= state.layer < 2
    assert 0 <= state.head < 4
    assert state.score in FILM.scores[state.kind]
    assert state.step is None or state.step >= 0
    assert read_film_state(json.loads(json.dumps(asdict(state))), FILM, FilmState()) == state


def test_every_label_in_the_module_exists() -> None:
    module = film_module()
    own = module[module.index("const REELS ") :]
    assert set(re.findall(r"\blabels\.(\w+)", own)) <= set(film_view_labels())
    assert module.count("export default ") == 1
    assert "innerHTML" not in module
