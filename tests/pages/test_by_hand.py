"""By hand: the introductions' example, the root of d_k, and the runs without residual connections."""

import json

import pytest

from playground import load, trace
from playground.training.residual_study import SHIPPED
from tests.helpers.page_script import charts, run_page, words
from ui.state.parameters import TOY_VECTORS


def test_the_introductions_example_is_told_kindly_and_rightly() -> None:
    app = run_page("inside", section="hand", hand_example="introductions")
    assert not app.exception
    told = words(app)
    assert "products 0.21 0.49 0.77 0.28 0.21 0.63, weights that sum to 1.48" in told
    assert "0.50 1.22 1.94 0.74 0.50 1.46" in told
    assert "0.1149 0.1742 0.2639 0.1320 0.1149 0.2000" in told
    assert "(0.4038 0.5038 0.6038)" in told
    assert "2 sat sum to 1.000000" in "\n".join(str(item.value) for item in app.success)


def test_other_words_are_not_that_example() -> None:
    assert "other numbers" not in words(run_page("inside", section="hand", hand_example="introductions", words="a b"))


def test_another_example_takes_the_place_of_changed_vectors() -> None:
    vectors = json.dumps([[[1.0], [0.0]]] * 3)
    app = run_page("inside", section="hand", words="a b", vectors=vectors, query="1")
    control = next(item for item in app.get("button_group") if item.label == "Example")
    control.set_value("introductions").run()
    assert not app.exception
    assert TOY_VECTORS not in app.query_params
    assert "query" not in app.query_params
    assert app.query_params["hand_example"] == "introductions"


def test_the_root_of_random_queries() -> None:
    app = run_page("inside", section="hand", by_hand="root", root_keys="8")
    assert not app.exception
    assert "At d_k = 64 and 8 keys" in words(app)
    entropy, gradient = charts(app)
    assert entropy["label"] == "Entropy (share of the largest)"
    assert "keys: 8" in entropy["provenance"]
    assert len(gradient["figure"]["data"]) == 2


def test_the_root_of_a_models_queries() -> None:
    app = run_page(
        "inside", section="hand", by_hand="root", root_of="model", model="induction", text="A B C A B", head="1.0"
    )
    assert not app.exception
    width = trace(load("induction"), "A B C A B").site(1).call.query.shape[-1]
    assert f"Layer 1, whose heads have d_k = {width}:" in words(app)
    assert f"At d_k = {width} and" in words(app)
    assert width != 64
    assert "layer: 1" in charts(app)[0]["provenance"]


@pytest.mark.skipif(not SHIPPED.exists(), reason="the runs are not measured yet")
def test_the_runs_without_residual_connections_are_shown() -> None:
    app = run_page("inside", section="hand", by_hand="residuals")
    assert not app.exception
    assert "guessing costs 4.85" in words(app)
    assert len(charts(app)[0]["figure"]["data"]) == 4
