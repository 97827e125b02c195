"""The scaling page's published runs and models, over-training, and our checkpoints' tasks over their losses."""

import json

import pytest

from playground.__main__ import main
from playground.scaling.famous import famous_models
from playground.scaling.refits import hoffmann_csv
from tests.helpers.page_script import charts, run_page, words


def test_the_reader_makes_the_disagreement():
    """The fit to the minimum is the replication; the mean from the printed law stays at the printed law."""
    app = run_page("scaling", section="published-runs", source="hoffmann", beginning="printed")
    assert not app.exception
    assert list(app.dataframe[0].value.iloc[[0, 3, 4], 1]) == ["1.8172", "0.34732", "0.36716"]
    assert "On these 240 runs the printed law's objective is 4.05 times this fit's" in words(app)
    assert charts(app)


def test_the_command_reproduces_what_the_page_shows(capsys):
    app = run_page("scaling", section="published-runs", source="hoffmann", beginning="printed", weighing="mean")
    table = ["fit", str(hoffmann_csv()), "--leave-out", "5", "--bootstraps", "0", "--json"]
    assert main([*table, "--weighing", "mean", "--beginning", "printed"]) == 0
    law = json.loads(capsys.readouterr().out)["parameters"]
    shown = dict(zip(("E", "A", "B", "alpha", "beta"), app.dataframe[0].value.iloc[:, 1], strict=True))
    assert shown == {name: f"{value:.5g}" for name, value in law.items()}
    assert shown["beta"].startswith("0.285")


def test_the_published_runs_are_data_of_the_page():
    app = run_page("scaling", section="data", source="hoffmann")
    assert not app.exception
    assert "245 runs" in words(app)


@pytest.mark.parametrize("law", ["besiroglu", "kaplan"])
def test_famous_models_stand_beside_a_law(law):
    app = run_page("scaling", section="published-runs", source="hoffmann", picture="models", famous_law=law)
    assert not app.exception
    assert "By this law" in words(app)
    assert "It is a law at any ratio" in words(app)
    assert len(app.dataframe[0].value) == sum(model.tokens is not None for model in famous_models())
    traces = charts(app)[0]["figure"]["data"]
    assert [name for name, *_rest in traces[-1]["customdata"]].count("Chinchilla") == 1
    assert traces[0]["name"].startswith("optimal: ")


def test_their_sizes_are_drawn_over_the_years():
    app = run_page("scaling", section="published-runs", source="hoffmann", picture="sizes")
    assert not app.exception
    assert "From GPT (117M, 2018-06) to DeepSeek-V4-Pro (1.6T, 2026-06)" in words(app)


def test_our_checkpoints_tasks_are_drawn_over_their_losses():
    app = run_page("scaling", section="published-runs", picture="tasks", source="hoffmann", task_table="induction")
    assert not app.exception
    assert "describes 122 checkpoints" in words(app)
    (metric,) = [group.options for group in app.get("button_group") if group.label == "Metric"]
    assert metric == ["Accuracy on 2nd copy"]
    assert charts(app)[0]["figure"]["layout"]["yaxis"]["title"]["text"] == "error: 1 − accuracy on 2nd copy"


def test_over_training_is_drawn_with_its_optimal_ratio():
    app = run_page("scaling", section="allocation", picture="ratios", source="hoffmann", law="gadre")
    assert not app.exception
    assert "tokens per parameter; 16 times as many cost" in words(app)
    traces = charts(app)[0]["figure"]["data"]
    lines = [trace["name"] for trace in traces if trace["mode"] == "lines" and trace.get("showlegend")]
    assert [name.split(", ")[1] for name in lines][1:4] == ["under-trained ÷ 4", "optimal", "over-trained × 4"]
