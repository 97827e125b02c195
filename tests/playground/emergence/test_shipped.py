"""The tables that come with the app hold every run of the studies to its end, and show what the page says."""

import pytest

from playground.emergence.steepness import midpoint
from playground.emergence.studies import STUDIES, study_of
from playground.emergence.tables import last_of_each, read_study, read_study_provenance, runs_of


@pytest.mark.parametrize("name", list(STUDIES))
def test_every_run_is_there_from_its_first_step_to_its_last(name):
    runs = runs_of(read_study(name))
    for study_run in study_of(name).runs:
        steps = [row.step for row in runs[study_run.name]]
        assert steps == list(range(0, study_run.config.steps + 1, study_run.config.checkpoint_every))
    assert len(runs) == len(study_of(name).runs)
    assert f"--study {name}" in read_study_provenance(name)["command"]


@pytest.mark.parametrize("name", ["addition", "translation"])
def test_models_that_get_half_their_tokens_right_get_next_to_no_answer_right(name):
    sizes = [row.metrics for row in last_of_each(read_study(name))]
    low = [row for row in sizes if 0.5 < row["token_accuracy"] < 0.7]
    assert low
    assert all(row["exact_match"] < 0.05 for row in low)
    assert sizes[-1]["exact_match"] > 0.95


def test_the_counter_cases_are_what_the_page_says_they_are():
    grokked = runs_of(read_study("grokking"))
    steps = [row.step for row in grokked["with-decay"]]
    half = {
        name: midpoint(steps, [row.metrics[name] for row in grokked["with-decay"]])
        for name in ("restricted_loss", "test_accuracy")
    }
    assert half["restricted_loss"] < half["test_accuracy"] / 4
    control = grokked["without-decay"][-1].metrics
    assert control["test_accuracy"] < 0.5
    assert control["restricted_loss"] < 0.1
    assert control["embedding_gini"] < 0.5 * grokked["with-decay"][-1].metrics["embedding_gini"]
    heads = runs_of(read_study("induction"))
    assert heads["two-layers"][-1].metrics["induction_score"] > 0.8
    assert heads["one-layer"][-1].metrics["repeat_accuracy"] < 0.3
