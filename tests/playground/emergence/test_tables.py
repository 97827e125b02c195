"""Tables of checkpoints: there and back, in order, and refused where they are damaged."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.emergence.steepness import midpoint, steepest_share
from playground.emergence.tables import (
    MeasuredCheckpoint,
    last_of_each,
    read_checkpoints,
    read_study,
    read_study_provenance,
    runs_of,
    write_checkpoints,
)
from playground.errors import UserError

numbers = st.integers(0, 10**6)
measured = st.floats(-1e6, 1e6).map(lambda value: float(f"{value:.6g}")) | st.just(math.nan)
rows = st.builds(
    MeasuredCheckpoint,
    run=st.text("abc,\"'-", min_size=1),
    parameters=numbers,
    width=numbers,
    seed=numbers,
    step=numbers,
    metrics=st.tuples(measured, measured).map(lambda pair: {"one": pair[0], "two": pair[1]}),
)


def checkpoint(run: str, parameters: int, step: int, **metrics: float) -> MeasuredCheckpoint:
    return MeasuredCheckpoint(run=run, parameters=parameters, width=8, seed=0, step=step, metrics=metrics)


@given(st.lists(rows, min_size=1, max_size=5))
def test_a_table_comes_back_as_it_was(table):
    assert repr(read_checkpoints(write_checkpoints(table))) == repr(tuple(table))


def test_comments_above_the_header_are_skipped_and_counted():
    table = (checkpoint("a", 3, 1, loss=2.5),)
    text = "# made by us\n" + write_checkpoints(table)
    assert read_checkpoints(text) == table
    with pytest.raises(UserError, match="Line 4"):
        read_checkpoints(text + "a,b\n")


def test_runs_stand_in_the_order_of_their_size_and_steps():
    table = [checkpoint("big", 90, 2), checkpoint("big", 90, 1), checkpoint("small", 10, 1)]
    assert {name: [row.step for row in found] for name, found in runs_of(table).items()} == {
        "small": [1],
        "big": [1, 2],
    }
    assert [(row.run, row.step) for row in last_of_each(table)] == [("small", 1), ("big", 2)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must begin with"),
        ("step,run\n", "must begin with"),
        ("run,parameters,width,seed,step,one\na,1,2,3,4\n", "Line 2"),
        ("run,parameters,width,seed,step,one\na,1,2,3,4,0.5\na,1,2,3,x,0.5\n", "Line 3"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(text, sentence):
    with pytest.raises(UserError, match=sentence):
        read_checkpoints(text)


def test_different_metrics_cannot_share_a_table():
    with pytest.raises(UserError, match="different metrics"):
        write_checkpoints([checkpoint("a", 1, 1, one=1.0), checkpoint("a", 1, 2, two=1.0)])


def test_a_missing_or_empty_table_says_how_to_build_it(tmp_path):
    with pytest.raises(UserError, match="playground emergence --study addition"):
        read_study("addition", tmp_path)
    (tmp_path / "addition.csv").write_text("run,parameters,width,seed,step\n")
    with pytest.raises(UserError, match="no checkpoints"):
        read_study("addition", tmp_path)
    (tmp_path / "made.json").write_text("[1]")
    assert read_study_provenance("addition", tmp_path) == {}


def test_a_line_is_even_and_a_step_is_steep():
    line = list(range(11))
    assert steepest_share(line, line) == pytest.approx(0.1)
    assert steepest_share(line, [0] * 6 + [1] * 5) == pytest.approx(1)
    assert steepest_share(line, [3] * 11) == 0
    assert steepest_share([1], [2]) == 0
    assert steepest_share([0, 1, 2], [0, math.nan, 1]) == pytest.approx(0.1)


@given(st.lists(st.integers(0, 100), min_size=2, max_size=12), st.floats(0.01, 1))
def test_the_steepest_share_stays_a_share_whichever_way_a_curve_goes(values, window):
    places = list(range(len(values)))
    share = steepest_share(places, values, window)
    assert 0 <= share <= 1
    assert share == pytest.approx(steepest_share(places, [100 - value for value in values], window), abs=1e-9)


def test_half_of_the_way_is_where_a_curve_first_gets_there():
    assert midpoint([0, 100, 200, 300], [0, 1, 0, 1]) == 50
    assert midpoint([0, 100, 200], [4, 4, 0]) == 150
    assert midpoint([1, 2], [3, 3]) is None
    assert midpoint([1, 2, 3], [math.nan, 0, 2]) == 2.5
    assert midpoint([1], [2]) is None


@given(st.lists(st.integers(0, 100), min_size=2, max_size=9), st.integers(-5, 5).filter(bool))
def test_half_of_the_way_knows_no_unit_and_no_direction(values, scale):
    places = list(range(len(values)))
    middle = midpoint(places, values)
    assert middle == pytest.approx(midpoint(places, [scale * value + 3 for value in values]))
    assert middle is None or 0 < middle <= places[-1]
