"""What the drawing sends to the browser, and what it makes of a click that comes back."""

from typing import Any
from xml.etree import ElementTree

import pytest

from playground.architecture import architecture_of, architecture_svg, planned_architecture
from playground.transformer import TransformerConfig
from tests.e2e.components.test_payload import decode
from tests.helpers.families import small_model
from ui.components import architecture_view as module
from ui.components.architecture_view import architecture_module, architecture_payload, architecture_view

SVG = "{http://www.w3.org/2000/svg}"
PLAN = planned_architecture(TransformerConfig(vocabulary=40, kind="encoder-decoder", width=24), "a <plan>")


def test_every_box_is_drawn_once_in_both_arrangements() -> None:
    header, _ = decode(architecture_payload(PLAN, label="plan", provenance=["model: <none>"]))
    assert len(header["drawings"]) == 2
    for text in header["drawings"]:
        boxes = [node for node in ElementTree.fromstring(text).iter(f"{SVG}g") if "box" in node.get("class", "")]
        assert sorted(int(box.get("data-index", -1)) for box in boxes) == list(range(len(list(PLAN.placed()))))
        assert "model: &lt;none&gt;" in text
    wide, narrow = (ElementTree.fromstring(text) for text in header["drawings"])
    assert float(wide.get("width", 0)) > 600 > 340 > float(narrow.get("width", 0))
    assert float(narrow.get("height", 0)) > float(wide.get("height", 0))
    assert len(header["tips"]) == len(list(PLAN.placed()))


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox", "cohere", "bert", "albert", "t5", "gpt_oss", "gemma2"])
def test_nothing_stands_outside_the_sheet_or_on_another_box(family: str) -> None:
    if family == "cohere":
        from tests.playground.architecture.test_loaded_model import other_model

        model = other_model(family)
    else:
        model = small_model(family)
    for columns in (1, 2):
        sheet = ElementTree.fromstring(architecture_svg(architecture_of(model), columns=columns))
        width, height = float(sheet.get("width", 0)), float(sheet.get("height", 0))
        frames = [group.find(f"{SVG}rect") for group in sheet.iter(f"{SVG}g")]
        boxes = [
            [float(rect.get(name, 0)) for name in ("x", "y", "width", "height")] for rect in frames if rect is not None
        ]
        for x, y, w, h in boxes:
            assert 0 <= x <= x + w <= width
            assert 0 <= y <= y + h <= height
        for index, (x, y, w, h) in enumerate(boxes):
            for other_x, other_y, other_w, other_h in boxes[index + 1 :]:
                is_beside = x + w <= other_x or other_x + other_w <= x
                assert is_beside or y + h <= other_y or other_y + other_h <= y
        for group in sheet.iter(f"{SVG}g"):
            rect = group.find(f"{SVG}rect")
            assert rect is not None
            room = float(rect.get("width", 0))
            for text in group.iter(f"{SVG}text"):
                assert len(text.text or "") * 5.7 <= room, text.text


def test_a_connection_that_is_not_there_is_not_drawn() -> None:
    def residual_lines(**changes: Any) -> int:
        shape = TransformerConfig(vocabulary=40, width=24, positions="none", **changes)
        return architecture_svg(planned_architecture(shape)).count('class="residual"')

    assert residual_lines() == 2
    assert residual_lines(residual=False) == 0
    assert residual_lines(feed_forward="none") == 1


def test_colours_follow_the_theme() -> None:
    light, dark = architecture_svg(PLAN), architecture_svg(PLAN, theme="dark")
    assert "#7349b3" in light
    assert "#b99af0" in dark
    assert "light-dark" not in light + dark
    header, _ = decode(architecture_payload(PLAN, label="plan"))
    assert "light-dark(#7349b3,#b99af0)" in header["styles"]["page"]


def test_names_are_no_markup() -> None:
    assert "a &lt;plan&gt;" in architecture_svg(PLAN)
    code = architecture_module()
    assert "innerHTML" not in code
    assert code.count("export ") == 1


LAST = len(list(PLAN.placed())) - 1


@pytest.mark.parametrize(
    ("reported", "picked"),
    [(0, 0), (LAST, LAST), (LAST + 1, None), (-1, None), (True, None), ("0", None), (None, None)],
)
def test_only_a_box_can_be_chosen(monkeypatch: pytest.MonkeyPatch, reported: Any, picked: int | None) -> None:
    monkeypatch.setattr(module, "_component", lambda **_: {"picked": reported})
    chosen = architecture_view(PLAN, key="plan", label="plan", hint="choose")
    assert chosen == (None if picked is None else list(PLAN.placed())[picked])
    assert architecture_view(PLAN, key="plan", label="plan") is None
