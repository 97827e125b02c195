"""What a run's recorder says of its speed."""

import pytest

from playground.training.run.metrics import open_recorder
from playground.training.run.status import read_status
from playground.training.trainer import Step


def record(recorder, *steps: tuple[int, float]) -> None:
    for number, seconds in steps:
        step = Step(step=number, loss=1.0, learning_rate=1e-3, gradient_norm=1.0, tokens=100 * number, evaluation=None)
        recorder.record(step, seconds=seconds, tokens=100)


@pytest.mark.parametrize(("state", "rate"), [("running", 100 / 0.7), ("paused", 400.0), ("finished", 400.0)])
def test_a_run_at_rest_says_how_fast_its_session_was(tmp_path, state, rate):
    """The last step measures the model and is slow: alone it says nothing of a run of four."""
    recorder = open_recorder(tmp_path)
    record(recorder, (1, 0.1), (2, 0.1), (3, 0.1))
    recorder.set_state("running")
    record(recorder, (4, 0.7))
    recorder.set_state(state)
    assert read_status(tmp_path).tokens_per_second == pytest.approx(rate)
    assert read_status(tmp_path).seconds == pytest.approx(1.0)


def test_a_session_that_goes_on_counts_its_own_steps(tmp_path):
    first = open_recorder(tmp_path)
    record(first, (1, 1.0))
    first.set_state("paused")
    second = open_recorder(tmp_path)
    record(second, (2, 0.1))
    second.set_state("finished")
    assert read_status(tmp_path).tokens_per_second == pytest.approx(1000.0)
    assert read_status(tmp_path).seconds == pytest.approx(1.1)
