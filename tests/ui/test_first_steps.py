"""The first-run panel: what its cards promise is true of the shipped models."""

import numpy as np

from playground.lens import trace
from playground.lens.attribute.attribution import attribute_logit
from playground.lens.capture.activations import capture, encode_text
from playground.lens.capture.tokens import label
from playground.lens.inspect.head_scores import striking_head
from playground.models import load
from tests.helpers.page_script import run_page
from ui.sections.attention.examples import DEFAULT_TEXT
from ui.widgets.first_steps import LOOKING_HEAD, NAMES, _answer, _curve, _heatmap, _steps


def test_the_head_that_is_looked_at_is_the_strongest_induction_head():
    traced = trace(load("books-decoder"), DEFAULT_TEXT)
    induction = traced.head_scores("decoder")["induction"]
    assert divmod(int(induction.argmax()), induction.shape[1]) == LOOKING_HEAD
    assert striking_head(traced.layers("decoder"), traced.ids) == LOOKING_HEAD


def test_one_head_knows_the_answer():
    model = load("books-decoder")
    clean = capture(model, encode_text(model, NAMES))
    assert clean.logits is not None
    answer = int(clean.logits[-1].argmax())
    assert label(model.tokenizer, [answer])[0].text == " John"
    contributions = attribute_logit(model, clean, position=-1, token=answer).heads
    heads = np.sort(contributions, axis=None)[::-1]
    assert heads[0] > 1.5 * heads[1]
    layer, head = map(int, _answer().head.split("."))
    assert contributions[layer, head] == heads[0]
    assert _answer().position == len(clean.logits) - 1


def test_the_pictures_are_drawn_from_numbers():
    assert _heatmap().count("M") > 24
    assert _answer().bars.count("M") == 8
    first, *_middle, last = _curve()[1:].split("L")
    assert float(first.split()[1]) > 90 > 20 > float(last.split()[1])


def test_the_panel_is_there_without_a_link_only():
    shown = [part.proto.component_name for part in run_page("attention").get("bidi_component")]
    linked = [part.proto.component_name for part in run_page("attention", head="2.1").get("bidi_component")]
    assert "playground_first_steps" in shown
    assert "playground_first_steps" not in linked


def test_every_card_opens_a_page_with_its_state():
    assert [(step.page, sorted(step.parameters)) for step in _steps()] == [
        ("inside", ["head", "model", "query", "step", "text"]),
        ("train", ["preset"]),
        ("ablate", ["head", "model", "query", "section", "text"]),
    ]
