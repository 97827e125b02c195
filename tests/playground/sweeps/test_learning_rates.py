"""The best learning rate of each size, from a search over a few."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.sweeps.collect import collect
from playground.sweeps.grid import SweepConfig, cells
from playground.sweeps.learning_rates import RateTrial, TunedRate, best_rate, tuned_rates
from playground.sweeps.results import RATES, CellResult, read_points_file, write_search
from playground.sweeps.sweep import run_sweep
from playground.tasks.text import TextTaskConfig
from tests.helpers.small_sweep import sweep_config


def trial_result(rate: float, loss: float, *, layers: int = 1, tokens: int = 512, seed: int = 0) -> CellResult:
    """A run of a search."""
    return CellResult(
        run=f"l{layers}-t{tokens}-s{seed}-x{rate:g}",
        params=900 * layers,
        params_without_embeddings=800 * layers,
        tokens=tokens,
        flops=1,
        loss=loss,
        seed=seed,
        width=8,
        layers=layers,
        learning_rate=rate,
    )


@given(vertex=st.floats(-1.0, 1.0), curvature=st.floats(0.01, 2.0))
def test_the_vertex_of_a_parabola_is_found(vertex, curvature):
    logs = np.linspace(-4, 4, 9)
    trials = [RateTrial(rate=math.exp(x - 6), loss=3 + curvature * (x - vertex) ** 2) for x in logs]
    assert math.log(best_rate(trials)) == pytest.approx(vertex - 6, abs=0.01)


def test_another_rate_costs_what_the_parabola_rises_to_there():
    # 3 + 0.5 x^2 over x = log(rate / 0.002): a factor of e away the loss is 0.5 higher.
    trials = tuple(RateTrial(rate=0.002 * math.exp(x), loss=3 + 0.5 * x**2) for x in (-1.0, 0.0, 1.0))
    tuned = TunedRate(width=8, layers=1, tokens=512, rate=0.002, trials=trials)
    assert tuned.excess_at(0.002) == pytest.approx(0, abs=1e-12)
    assert tuned.excess_at(0.002 * math.e) == pytest.approx(0.5)
    at_an_end = dataclasses.replace(tuned, trials=trials[1:])
    assert math.isnan(at_an_end.excess_at(0.002))


def test_at_an_end_the_best_trial_itself_is_the_answer():
    trials = [RateTrial(rate=0.001 * 2**power, loss=3.0 - power) for power in range(3)]
    assert best_rate(trials) == 0.004


def test_each_size_is_tuned_at_its_largest_budget_and_over_the_mean_of_its_seeds():
    results = [
        trial_result(0.001, 1.0, tokens=256),  # a shorter run: never compared
        *(trial_result(rate, loss, seed=seed) for seed in (0, 1) for rate, loss in ((0.002, 3.1), (0.004, 3.0 + seed))),
        *(trial_result(rate, loss, layers=2) for rate, loss in ((0.004, 2.5), (0.001, 2.5), (0.002, 2.4))),
    ]
    first, second = tuned_rates(results)
    assert (first.layers, first.tokens, first.rate, first.is_bracketed) == (1, 512, 0.002, False)
    assert [trial.loss for trial in first.trials] == [3.1, 3.5]
    assert (second.layers, second.rate, second.is_bracketed) == (2, 0.002, True)


def test_a_tuned_rate_takes_the_place_of_the_rule_and_factors_make_runs_of_their_own():
    config = sweep_config(sizes=((8, 1), (16, 1)), tokens=(512,), tuned_rates=((16, 1, 0.03),), rate_factors=(1.0, 2.0))
    rates = {cell.name: cell.config.learning_rate for cell in cells(config)}
    assert rates == {
        "w8-l1-t512-s0": 0.016,
        "w8-l1-t512-s0-x2": 0.032,
        "w16-l1-t512-s0": 0.03,
        "w16-l1-t512-s0-x2": 0.06,
    }
    assert config.count == len(cells(config))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"tuned_rates": ((8, 1, 0.1), (8, 1, 0.2))}, "two tuned"),
        ({"tuned_rates": ((8, 0.1),)}, "triples"),
        ({"tuned_rates": ((8, 1, 0.0),)}, "positive"),
        ({"tuned_rates": ((0, 1, 0.1),)}, "width"),
        ({"rate_factors": ()}, "at least one"),
        ({"rate_factors": (-1.0,)}, "positive"),
        ({"rate_factors": (0.5, 0.50000001)}, "six digits"),
    ],
)
def test_rates_that_cannot_be_are_refused(changes, part):
    with pytest.raises(UserError, match=part):
        sweep_config(**changes)


TEXT = "It was the best of times, it was the worst of times, it was the age of wisdom. " * 40


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search on a text, trained."""
    folder = tmp_path_factory.mktemp("search") / "rates"
    task = TextTaskConfig(text=TEXT, vocabulary="characters", vocabulary_size=60)
    config = sweep_config(task=task, sizes=((8, 1),), tokens=(512, 1024), rate_factors=(0.5, 1.0, 2.0))
    assert any(cell.fork for cell in cells(config))
    progress = run_sweep(config, folder)
    assert (progress.state, progress.failed) == ("finished", {})
    return folder, config


def test_a_text_is_prepared_once_for_all_cells(searched):
    folder, config = searched
    prepared = [folder / "runs" / cell.name / "tokenizer.json" for cell in cells(config)]
    assert len({path.stat().st_mtime_ns for path in prepared}) == 1
    assert len(prepared) == 6


def test_bits_per_byte_are_the_loss_over_the_bytes_of_a_token(searched):
    folder, _config = searched
    for result in read_points_file(folder):
        # One character is one token and one byte here.
        assert result.bits_per_byte == pytest.approx(result.loss / math.log(2), abs=2e-6)


def test_the_search_travels_with_the_sweep_into_its_card(searched, tmp_path):
    folder, config = searched
    tuned = tuned_rates(read_points_file(folder))
    rates = tuple((each.width, each.layers, each.rate) for each in tuned)
    final = SweepConfig.from_dict({**config.to_dict(), "tuned_rates": rates, "rate_factors": (1.0,)})
    run_sweep(final, tmp_path / "final", command="command --out final --tuned /somewhere/rates --source /else/a.txt")
    write_search(tmp_path / "final", read_points_file(folder))
    target = collect([tmp_path / "final"], tmp_path / "shipped")
    card = (target / "card.md").read_text()
    assert read_points_file(target, RATES) == read_points_file(folder)
    assert f"tuned by size: 8 x 1: {tuned[0].rate:g}" in card
    assert f"{tuned[0].trials[0].rate:.3g}: {tuned[0].trials[0].loss:.4f}" in card
    assert "| best peak | taken | excess |" in card
    assert f"| {tuned[0].rate:.3g} |" in card
    assert "In bits per byte of the text" in card
    assert "`command --out final --tuned rates --source a.txt`" in card
    assert "/somewhere" not in card
