"""Bootstrap intervals: the same from any number of processes, wide enough, and cancelled on request."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from playground.errors import UserError
from playground.scaling import Points, fit, fit_chinchilla
from playground.scaling.bootstrap import Bootstrap, bootstrap, resample
from playground.scaling.published import BESIROGLU
from tests.helpers.planted_points import scattered

POINTS = scattered(noise=0.004, count=80)


@pytest.fixture(scope="module")
def fitted():
    return fit_chinchilla(POINTS)


@pytest.fixture(scope="module")
def resamples(fitted):
    return bootstrap(fitted, n_resamples=60, processes=1)


def test_intervals_hold_the_planted_numbers_and_the_fit(fitted, resamples):
    intervals = resamples.intervals(0.98)
    for name, planted in BESIROGLU.parameters.items():
        low, high = intervals[name]
        assert low < planted < high
        assert low < fitted.parameters[name] < high


def test_the_curves_interval_holds_the_fit_and_widens_beyond_the_data(fitted, resamples):
    low, high = resamples.predicted(params=np.array([1e9, 1e13]), tokens=np.array([2e10, 2e14]))
    predicted = fitted.predict(params=np.array([1e9, 1e13]), tokens=np.array([2e10, 2e14]))
    assert (low < predicted).all()
    assert (predicted < high).all()
    assert (high - low)[1] > 3 * (high - low)[0]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_any_number_of_processes_gives_the_same(processes, fitted, resamples):
    reports = []
    shared = bootstrap(
        fitted, n_resamples=12, processes=processes, on_progress=lambda done, total: reports.append((done, total))
    )
    assert np.array_equal(shared.estimates, resamples.estimates[:12])
    assert reports[0] == (0, 12)
    assert reports[-1] == (12, 12)
    assert reports == sorted(reports)


def test_another_seed_gives_others(fitted, resamples):
    assert not np.array_equal(bootstrap(fitted, n_resamples=2, seed=1, processes=1).estimates, resamples.estimates[:2])


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
        bootstrap(fitted, n_resamples=500, processes=2, on_progress=cancel)
    assert len(started) == 2
    assert all(worker.poll() is not None for worker in started)


def test_a_process_that_dies_is_named(fitted, monkeypatch):
    monkeypatch.setattr("playground.scaling.bootstrap._job", lambda *_: {"arrays": {}, "nothing": 0})
    with pytest.raises(UserError, match="ended early"):
        bootstrap(fitted, n_resamples=4, processes=2)


def test_points_of_one_run_are_resampled_together():
    names = tuple(f"run {row // 4}" for row in range(80))
    named = Points(params=POINTS.params, tokens=POINTS.tokens, loss=POINTS.loss, names=names)
    indices = resample(named, seed=0, index=0)
    counts = np.bincount(indices, minlength=80).reshape(20, 4)
    assert (counts == counts[:, :1]).all()
    assert len(indices) == 80
    assert len(set(resample(POINTS, seed=0, index=0).tolist())) < 80


def test_an_offset_with_a_wide_interval_is_not_identified_and_a_narrow_one_is(fitted, resamples):
    assert resamples.diagnose(fitted) == ()
    wide = Bootstrap(law="chinchilla", seed=0, estimates=resamples.estimates * np.linspace(0.1, 2, 60)[:, None])
    assert [diagnostic.parameter for diagnostic in wide.diagnose(fitted)] == ["E"]
    assert bootstrap(fit("power-n", POINTS), n_resamples=2, processes=1).diagnose(fit("power-n", POINTS)) == ()


def test_one_resample_makes_no_interval(fitted):
    with pytest.raises(UserError, match="choose 2 to"):
        bootstrap(fitted, n_resamples=1)


def test_resamples_keep_the_floor_of_the_fit():
    fitted = fit("chinchilla", POINTS, floor=1.8)
    alone, shared = (bootstrap(fitted, n_resamples=6, processes=processes) for processes in (1, 2))
    assert alone.intervals()["E"] == pytest.approx((1.8, 1.8))
    assert alone.diagnose(fitted) == ()
    low, high = alone.intervals()["alpha"]
    assert low < high
    assert (alone.estimates == shared.estimates).all()


def test_few_runs_with_several_points_each_give_no_interval():
    """Each resample of one run would be that run: an interval of width zero."""
    params = np.repeat([1e6, 1e7, 1e8, 1e9], 4)
    tokens = np.tile([1e8, 1e9, 1e10, 1e11], 4)
    loss = 1.7 + 400 / params**0.34 + 400 / tokens**0.28
    for runs in (1, 2, 4):
        names = tuple(f"run {index % runs}" for index in range(16))
        fitted = fit_chinchilla(Points(params=params, tokens=tokens, loss=loss, names=names))
        with pytest.raises(UserError, match=f"belong to {runs} runs"):
            bootstrap(fitted, n_resamples=3, processes=1)
    names = tuple(f"run {index % 5}" for index in range(16))
    fitted = fit_chinchilla(Points(params=params, tokens=tokens, loss=loss, names=names))
    assert bootstrap(fitted, n_resamples=3, processes=1).n_resamples == 3


def twice(points, names):
    """Two exports of the same runs in one table."""
    columns = {name: np.tile(getattr(points, name), 2) for name in ("params", "tokens", "loss", "flops", "unique")}
    return replace(points, **columns, names=names, seeds=())


@pytest.mark.parametrize("names", [(), tuple(f"row {number}" for number in range(80))], ids=["unnamed", "renamed"])
def test_runs_that_a_table_holds_twice_are_resampled_once(names):
    """Taken for other runs they halve the variance of the parameters."""
    doubled = twice(scattered(noise=0.02, count=40), names)
    for index in range(5):
        counts = np.bincount(resample(doubled, 0, index), minlength=80)
        assert (counts[:40] == counts[40:]).all()
        assert counts.sum() == 80


def test_four_runs_that_stand_twice_are_four():
    points = scattered(noise=0.02, count=4)
    with pytest.raises(UserError, match="8 points belong to 4 runs"):
        bootstrap(fit("chinchilla", twice(points, ()), floor=1.8), n_resamples=60, processes=1)
