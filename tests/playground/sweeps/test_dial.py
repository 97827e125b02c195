"""One dial: what a depth means under a law, and a prediction that stands before the first step."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.jobs.executor import LocalExecutor
from playground.scaling.bootstrap import bootstrap
from playground.scaling.fits import fit
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.sweeps import sweep as sweep_module
from playground.sweeps.collect import collect
from playground.sweeps.dial import (
    dial_depths,
    landings,
    optimal_tokens,
    predict_series,
    prediction_to_dict,
    read_prediction,
    run_interval,
    series_config,
    series_rates,
    turn_dial,
)
from playground.sweeps.folder import open_sweep
from playground.sweeps.grid import cells
from playground.sweeps.progress import read_sweep
from playground.sweeps.sweep import run_sweep, start_sweep, sweep_folder
from tests.helpers.small_sweep import sweep_config

PARAMETERS = {"E": 1.0, "A": 30.0, "B": 90.0, "alpha": 0.4, "beta": 0.5}


def noisy_points(noise: float = 0.004) -> Points:
    """Thirty runs around the law, of sizes that a dial of four depths spans."""
    random = np.random.default_rng(0)
    params, tokens = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e3, 1e5, 6), np.geomspace(1e3, 1e6, 5)))
    loss = LAWS["chinchilla"].predict(PARAMETERS, params=params, tokens=tokens)
    return Points(params=params, tokens=tokens, loss=loss * np.exp(noise * random.standard_normal(len(loss))))


@pytest.fixture(scope="module")
def law():
    """The law fitted to these runs, with its bootstrap."""
    fitted = fit("chinchilla", noisy_points())
    return fitted, bootstrap(fitted, n_resamples=40, processes=1)


def test_optimal_tokens_are_where_no_trade_of_n_for_d_helps():
    """At C = 6 N D, a little more N and less D, or the reverse, raises the loss."""
    params = 3e4
    tokens = optimal_tokens(PARAMETERS, params)
    at = LAWS["chinchilla"].predict(PARAMETERS, params=params, tokens=tokens)
    for factor in (0.97, 1.03):
        assert LAWS["chinchilla"].predict(PARAMETERS, params=params * factor, tokens=tokens / factor) > at
    # By hand: alpha A / N^alpha = beta B / D^beta.
    assert 0.4 * 30 / params**0.4 == pytest.approx(0.5 * 90 / tokens**0.5)


@given(alpha=st.floats(0.01, 2.0), beta=st.floats(0.01, 2.0), params=st.floats(1e3, 1e12))
def test_any_law_gives_a_number_of_tokens(alpha, beta, params):
    assert optimal_tokens({**PARAMETERS, "alpha": alpha, "beta": beta}, params) > 0


def test_a_depth_decides_everything(law):
    fitted, resamples = law
    config = sweep_config(head_width=8, learning_rate=0.004, learning_rate_width=32)
    setting = turn_dial(config, fitted, resamples, 3, counting="without-embeddings")
    assert setting.width == 24
    # Three layers of 16 x 24^2 weights, and seven norms of 24.
    assert setting.params == 3 * 16 * 24**2 + 7 * 24
    assert setting.learning_rate == pytest.approx(0.004 * 32 / 24)
    assert setting.tokens % config.tokens_per_step == 0
    assert setting.predicted == pytest.approx(float(fitted.predict(params=setting.params, tokens=setting.tokens)))
    assert setting.low < setting.predicted < setting.high
    optimum = optimal_tokens(fitted.parameters, setting.params)
    assert setting.optimal_tokens == optimum
    assert setting.tokens == pytest.approx(min(optimum, 1e6), rel=0.01)
    assert setting.is_bounded == (optimum > 1.02e6)
    assert not setting.is_extrapolated


def test_the_interval_holds_as_many_of_the_laws_own_runs_as_it_says(law):
    fitted, resamples = law
    points = fitted.points
    runs = zip(points.params, points.tokens, points.loss, strict=True)
    ends = [(*run_interval(fitted, resamples, params=params, tokens=tokens), loss) for params, tokens, loss in runs]
    inside = [low <= loss <= high for low, high, loss in ends]
    assert 0.85 <= np.mean(inside) <= 1


def test_the_dial_has_ends_and_another_law_has_none(law):
    assert dial_depths(4) == (1, 2, 3, 4)
    for depth in (3, 9):
        with pytest.raises(UserError, match="goes from 4 to 8"):
            dial_depths(depth)
    other = fit("power-n", noisy_points())
    with pytest.raises(UserError, match="Chinchilla"):
        turn_dial(sweep_config(), other, law[1], 4, counting="all")


def test_tuned_rates_become_a_power_of_the_width():
    tuned = tuple((width, 1, 0.1 * width**-0.7) for width in (8, 16, 64))
    config = series_rates(sweep_config(tuned_rates=tuned))
    for width in (8, 24, 100):
        assert config.peak_rate((width, 2)) == pytest.approx(0.1 * width**-0.7, rel=1e-4)
    assert series_rates(sweep_config(tuned_rates=tuned[:1])) == sweep_config()


def test_each_size_of_a_series_has_its_own_tokens(law):
    config = sweep_config(head_width=4)
    prediction = predict_series(config, *law, 4, counting="all", source="here")
    series = series_config(config, prediction.settings)
    assert series.count == len(cells(series)) == 4
    by_depth = {cell.config.model.layers: cell for cell in cells(series)}
    for setting in prediction.settings:
        cell = by_depth[setting.depth]
        assert (cell.config.model.width, cell.config.model.n_heads) == (setting.width, setting.depth)
        assert (cell.tokens, cell.parameters) == (setting.tokens, setting.params)
        assert cell.config.learning_rate == pytest.approx(setting.learning_rate)
        # A seed of its own: the law has not seen these batches.
        assert cell.config.seed not in config.seeds
    with pytest.raises(UserError, match="as many budgets"):
        sweep_config(design="series", sizes=((8, 1), (16, 1)), tokens=(512,))


def test_a_prediction_survives_its_file(law, tmp_path):
    flat = {**law[0].parameters, "alpha": 1.9, "beta": 0.01}
    assert math.isinf(optimal_tokens(flat, 1e9))
    prediction = predict_series(sweep_config(head_width=4), *law, 5, counting="all", source="here")
    (tmp_path / "prediction.json").write_text(json.dumps(prediction_to_dict(prediction), allow_nan=False))
    assert read_prediction(tmp_path) == prediction
    (tmp_path / "prediction.json").write_text('{"law": 3}')
    assert read_prediction(tmp_path) is None


def test_the_prediction_stands_there_before_a_step_and_runs_land_beside_it(law, tmp_path, monkeypatch):
    config = sweep_config(head_width=4)
    prediction = predict_series(config, *law, 4, counting="all", source="here")
    small = series_config(config, prediction.settings)
    executor = LocalExecutor(tmp_path, slots=1)
    started = []
    monkeypatch.setattr(sweep_module, "_schedule_in_thread", lambda sweep, trainer: started.append(sweep))
    try:
        sweep_id = start_sweep(small, executor, prediction=prediction)
    finally:
        executor.close()
    folder = sweep_folder(executor, sweep_id)
    assert read_prediction(folder) == prediction
    assert [sweep.folder for sweep in started] == [folder]
    assert landings(small, prediction, ()) == []
    short = sweep_config(head_width=4, design="series", sizes=small.sizes, tokens=(64, 64, 128, 96), seeds=(1,))
    run_sweep(short, tmp_path / "run")
    view = read_sweep(tmp_path / "run")
    landed = landings(short, prediction, view.points)
    assert [landing.setting.depth for landing in landed] == [1, 2, 3, 4]
    assert [landing.measured for landing in landed] == [point.loss for point in view.points]
    for landing in landed:
        assert landing.deviation == pytest.approx(landing.measured / landing.setting.predicted - 1)
        assert landing.is_on_line == (landing.setting.low <= landing.measured <= landing.setting.high)


def test_a_series_is_joined_with_nothing(tmp_path):
    configs = [
        sweep_config(design="series", sizes=((4, 1), (8, 1)), tokens=(64, 96), head_width=4, seeds=(seed,))
        for seed in (0, 1)
    ]
    for number, config in enumerate(configs):
        run_sweep(config, tmp_path / str(number))
    assert open_sweep(configs[0], tmp_path / "0").config.tokens == (64, 96)
    with pytest.raises(UserError, match="cannot be joined"):
        collect([tmp_path / "0", tmp_path / "1"], tmp_path / "out")
