"""The drawing on its two pages: of the loaded model, and of the one that the fields ask for."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.training.presets import PRESETS
from tests.e2e.components.test_payload import decode
from tests.helpers.page_script import charts, run_page, words
from ui.components import architecture_view


def drawing(app: AppTest) -> dict[str, Any]:
    """What the browser is sent for the drawing."""
    sent = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "playground_architecture"]
    return decode(sent[0].bytes)[0]


def test_the_loaded_model_is_drawn_with_its_parameters() -> None:
    app = run_page("inside", section="architecture", model="books-decoder")
    assert not app.exception
    assert "3,443,136 parameters in 6 layers" in words(app)
    assert "one matrix, counted once" in words(app)
    assert "6.88 MFLOP for each of n tokens" in words(app)
    assert drawing(app)["label"] == "Architecture of books-decoder"
    assert app.button(key="measure_lengths").label == "Measure passes of 16 to 512 tokens"
    assert not charts(app)


def test_a_model_that_is_refused_elsewhere_is_drawn(save_model: Any) -> None:
    app = run_page("inside", section="architecture", model=str(save_model("albert")))
    assert not app.exception
    assert "All layers are one layer that runs several times." in words(app)


@pytest.mark.parametrize(("index", "step"), [(0, "embedding"), (1, "norm"), (2, "projection"), (4, "output_head")])
def test_a_box_leads_to_its_step(monkeypatch: pytest.MonkeyPatch, index: int, step: str) -> None:
    reports = iter([{"picked": index}])
    monkeypatch.setattr(architecture_view, "_component", lambda **_: next(reports, None))
    app = run_page("inside", section="architecture", model="induction", head="1.2", text="A B A")
    assert not app.exception
    assert "section" not in app.query_params
    assert (app.query_params["step"], app.query_params["head"]) == (step, "1.2")


def test_lengths_are_measured_where_the_address_asks_for_it() -> None:
    app = run_page("inside", section="architecture", model="tales-translator", length_cost="yes")
    assert not app.exception
    sent = charts(app)
    assert [chart["label"] for chart in sent] == ["Time of a pass (s)", "Peak memory beyond the weights (MB)"]
    measured = sent[1]["figure"]["data"][-1]
    assert measured["x"] == [3, 7, 14]
    assert all(value > 0 for value in measured["y"])


def test_the_planned_drawing_follows_the_fields() -> None:
    changes = {"model": {"layers": 5, "residual": False, "norm": "none"}}
    app = run_page("train", preset="induction", changes=json.dumps(changes))
    assert not app.exception
    model = PRESETS["induction"]().model
    per_layer = 4 * model.width**2
    assert f"{5 * per_layer + model.vocabulary * model.width:,} parameters in 5 layers" in words(app)
    assert "layers without a residual connection" in words(app)
    assert "× 5 layers" in drawing(app)["drawings"][0]
