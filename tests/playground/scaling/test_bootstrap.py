"""Bootstrap intervals: the same from any number of processes, wide enough, and ended when they are told to."""

import subprocess

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling import Points, fit, fit_chinchilla
from playground.scaling.bootstrap import Bootstrap, bootstrap, drawn
from playground.scaling.published import BESIROGLU
from tests.helpers.planted_points import scattered

POINTS = scattered(noise=0.004, count=80)


@pytest.fixture(scope="module")
def fitted():
    return fit_chinchilla(POINTS)


@pytest.fixture(scope="module")
def drawings(fitted):
    return bootstrap(fitted, count=60, processes=1)


def test_intervals_hold_the_planted_numbers_and_the_fit(fitted, drawings):
    intervals = drawings.intervals(0.98)
    for name, planted in BESIROGLU.parameters.items():
        low, high = intervals[name]
        assert low < planted < high
        assert low < fitted.parameters[name] < high


def test_the_curves_interval_holds_the_fit_and_widens_beyond_the_data(fitted, drawings):
    low, high = drawings.predicted(params=np.array([1e9, 1e13]), tokens=np.array([2e10, 2e14]))
    predicted = fitted.predict(params=np.array([1e9, 1e13]), tokens=np.array([2e10, 2e14]))
    assert (low < predicted).all()
    assert (predicted < high).all()
    assert (high - low)[1] > 3 * (high - low)[0]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_any_number_of_processes_draws_the_same(processes, fitted, drawings):
    reports = []
    shared = bootstrap(
        fitted, count=12, processes=processes, on_sample=lambda done, total: reports.append((done, total))
    )
    assert np.array_equal(shared.samples, drawings.samples[:12])
    assert reports[0] == (0, 12)
    assert reports[-1] == (12, 12)
    assert reports == sorted(reports)


def test_another_seed_draws_others(fitted, drawings):
    assert not np.array_equal(bootstrap(fitted, count=2, seed=1, processes=1).samples, drawings.samples[:2])


def test_raising_ends_the_work_and_its_processes(fitted, monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *given, **named: started.append(popen(*given, **named)) or started[-1]
    )

    class EnoughError(Exception):
        pass

    def cancel(done, total):
        if started:
            raise EnoughError

    with pytest.raises(EnoughError):
        bootstrap(fitted, count=500, processes=2, on_sample=cancel)
    assert len(started) == 2
    assert all(worker.poll() is not None for worker in started)


def test_a_process_that_dies_is_named(fitted, monkeypatch):
    monkeypatch.setattr("playground.scaling.bootstrap._job", lambda *_: {"columns": {}, "nothing": 0})
    with pytest.raises(UserError, match="ended early"):
        bootstrap(fitted, count=4, processes=2)


def test_points_of_one_run_are_drawn_together():
    names = tuple(f"run {row // 4}" for row in range(80))
    named = Points(params=POINTS.params, tokens=POINTS.tokens, loss=POINTS.loss, names=names)
    rows = drawn(named, seed=0, index=0)
    counts = np.bincount(rows, minlength=80).reshape(20, 4)
    assert (counts == counts[:, :1]).all()
    assert len(rows) == 80
    assert len(set(drawn(POINTS, seed=0, index=0).tolist())) < 80


def test_an_offset_with_a_wide_interval_is_doubted_and_a_narrow_one_is_not(fitted, drawings):
    assert drawings.doubts(fitted) == ()
    wide = Bootstrap(law="chinchilla", seed=0, samples=drawings.samples * np.linspace(0.1, 2, 60)[:, None])
    assert [doubt.parameter for doubt in wide.doubts(fitted)] == ["E"]
    assert bootstrap(fit("power-n", POINTS), count=2, processes=1).doubts(fit("power-n", POINTS)) == ()


def test_one_drawing_makes_no_interval(fitted):
    with pytest.raises(UserError, match="choose 2 to"):
        bootstrap(fitted, count=1)


def test_drawings_hold_the_floor_that_the_fit_held():
    fitted = fit("chinchilla", POINTS, floor=1.8)
    alone, shared = (bootstrap(fitted, count=6, processes=processes) for processes in (1, 2))
    assert alone.intervals()["E"] == pytest.approx((1.8, 1.8))
    assert alone.doubts(fitted) == ()
    low, high = alone.intervals()["alpha"]
    assert low < high
    assert (alone.samples == shared.samples).all()
