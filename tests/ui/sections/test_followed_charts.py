"""A run that many follow is drawn once for each state; whatever changes what is drawn is a state of its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.text import speaking
from playground.training.run.metrics import Metrics
from playground.training.run.runs import Run
from playground.training.run.status import Status
from tests.e2e.components.test_payload import decode
from ui.cache import BoundedCache
from ui.sections.train import curves
from ui.sections.train.curves import drawn_steps, show_loss, show_measures, show_rate


def run_of(run_id: str, state: str = "running") -> Run:
    status = Status(state=state)
    return Run(id=run_id, folder=Path("nowhere"), name="A", task="tales", config={}, status=status, created=1.0)


def metrics_of(count: int, evaluations: int = 2, *, seed: int = 0) -> Metrics:
    dice = np.random.default_rng(seed)
    columns = {name: dice.random(10_000)[:count] for name in ("loss", "learning_rate", "gradient_norm")}
    measured = {name: dice.random(9)[:evaluations] for name in ("held_out_loss", "accuracy")}
    steps = np.arange(1, count + 1)
    return Metrics(
        columns={"step": steps, **columns}, evaluation_steps=np.arange(evaluations) * 10, evaluations=measured
    )


@pytest.fixture
def sent(monkeypatch):
    """What goes to the browser, and how often something was drawn for it."""
    payloads, drawn = [], []
    monkeypatch.setattr("ui.components.live_chart._component", lambda *, key, data: payloads.append(data))
    for name in ("training_loss_figure", "measures_figure", "rate_and_norm_figure"):
        draw = getattr(curves, name)
        monkeypatch.setattr(
            curves, name, lambda *values, draw=draw, **options: drawn.append(1) or draw(*values, **options)
        )
    known = BoundedCache("charts", 1 << 20, len)
    monkeypatch.setattr("ui.components.live_chart.chart_payloads", lambda: known)
    return payloads, drawn


CHARTS = {
    "loss": lambda run, metrics: show_loss(run, metrics, []),
    "measures": lambda run, metrics: show_measures(run, metrics, []),
    "rate": show_rate,
}


@pytest.mark.parametrize("show", CHARTS.values(), ids=CHARTS)
def test_equal_states_are_drawn_once(sent, show):
    payloads, drawn = sent
    for _look in range(3):
        show(run_of("a"), metrics_of(5_000))
    show(run_of("a"), metrics_of(5_010))  # by less than a two-hundredth longer
    assert (len(drawn), len(payloads), len(set(payloads))) == (1, 4, 1)


OTHER_STATES = {
    "another run": (run_of("b"), metrics_of(5_000)),
    "a run of the same name made anew": (replace(run_of("a"), created=2.0), metrics_of(5_000)),
    "more steps": (run_of("a"), metrics_of(5_100)),
    "taken back and trained otherwise": (run_of("a"), metrics_of(5_000, seed=1)),
    "evaluated once more": (run_of("a"), metrics_of(5_000, 3)),
}


@pytest.mark.parametrize("other", OTHER_STATES.values(), ids=OTHER_STATES)
def test_every_other_state_is_drawn(sent, other):
    _payloads, drawn = sent
    show_loss(run_of("a"), metrics_of(5_000), [])
    show_loss(*other, [])
    assert len(drawn) == 2


def test_each_language_has_a_chart_of_its_own(sent):
    payloads, drawn = sent
    for code in ("en", "qps", "en"):
        with speaking(code):
            show_measures(run_of("a"), metrics_of(100), [])
    assert len(drawn) == 2
    assert payloads[0] == payloads[2] != payloads[1]


def test_an_ended_run_is_drawn_to_its_last_step(sent):
    payloads, _drawn = sent
    for state in ("running", "finished"):
        show_loss(run_of("a", state), metrics_of(5_049), [])
    last = [decode(data)[0]["figure"]["data"][0]["x"][-1] for data in payloads]
    assert last == [5_025, 5_049]


@given(st.integers(0, 10**7))
def test_a_live_curve_lacks_less_than_a_two_hundredth_and_never_shrinks(count):
    drawn = drawn_steps(count, is_live=True)
    assert 0 <= count - drawn <= count / 200
    assert drawn <= drawn_steps(count + 1, is_live=True)
    assert drawn_steps(count, is_live=False) == count


def test_a_long_curve_has_the_values_of_its_own_steps_and_gaps_where_there_are_none():
    steps, values = np.arange(0, 3000, 3), np.sin(np.arange(1000.0))
    values[::7] = np.nan
    curve = curves._curve("loss", steps, values)
    assert len(curve.steps) <= 500
    assert (curve.steps[0], curve.steps[-1]) == (0, 2997)
    for step, value in zip(curve.steps, curve.values, strict=True):
        known = values[step // 3]
        assert value == (None if np.isnan(known) else known)
    assert None in curve.values
