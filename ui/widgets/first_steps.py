"""Where a newcomer begins: three questions, each with a true picture, that open a prepared state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st

from playground.emergence.tables import read_study
from playground.lens import trace
from playground.lens.attribute.attribution import attribute_logit
from playground.lens.capture.activations import capture, encode_text
from playground.models import default_registry
from playground.settings import settings
from playground.text import _
from ui.components.first_steps import Card, first_steps
from ui.sections.attention.examples import DEFAULT_TEXT
from ui.shell import page_of
from ui.state.context import is_linked
from ui.state.parameters import HEAD, MODEL, PRESET, QUERY, SECTION, STEP, TEXT
from ui.warm import EMBEDDED

NAMES = "Mary and John went to the shop. When Mary and John came home, Mary and"
"""The built-in model's most probable next token is " John", which one head contributes most to (tested)."""
LOOKING_HEAD = (1, 1)
"""The built-in model's strongest induction head on the first text (tested)."""
SHOWN = "shows_first_steps"


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    """A card, and what a click on it opens."""

    card: Card
    page: str
    parameters: Mapping[str, str]


def show_first_steps() -> None:
    """The panel, in a session that came with no link; a click opens a card's page."""
    if not st.session_state.setdefault(SHOWN, not is_linked()):
        return
    steps = _steps()
    if not {step.page for step in steps} <= {*settings().shown_pages}:
        return
    picked = first_steps([step.card for step in steps], key="first_steps")
    if picked is not None:
        st.session_state[SHOWN] = False
        st.switch_page(page_of(steps[picked].page), query_params=steps[picked].parameters)


def _steps() -> tuple[FirstStep, ...]:
    heatmap, curve, answer = _heatmap(), _curve(), _answer()
    layer, head = LOOKING_HEAD
    return (
        FirstStep(
            card=Card(question=_("What does a head look at?"), duration=_("1 minute"), filled=heatmap),
            page="inside",
            parameters={MODEL: EMBEDDED, TEXT: DEFAULT_TEXT, HEAD: f"{layer}.{head}", QUERY: "22", STEP: "softmax"},
        ),
        FirstStep(
            card=Card(question=_("Watch a head being born"), duration=_("1 minute"), filled="", drawn=curve),
            page="train",
            parameters={PRESET: "induction"},
        ),
        FirstStep(
            card=Card(question=_("Which head knows the answer?"), duration=_("2 minutes"), filled=answer.bars),
            page="ablate",
            parameters={
                **{MODEL: EMBEDDED, TEXT: NAMES, HEAD: answer.head, QUERY: str(answer.position)},
                SECTION: "writes",
            },
        ),
    )


def _squares(boxes: Iterable[tuple[float, float, float, float]]) -> str:
    """A path of boxes: left, top, width, height."""
    return "".join(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z" for x, y, width, height in boxes)


@cache
def _heatmap() -> str:
    """The head's attention on the first text: each weight as the area of a square."""
    layer, head = LOOKING_HEAD
    site = trace(default_registry().get(EMBEDDED), DEFAULT_TEXT).site(layer, "decoder")
    weights = site.pattern(slice(head, head + 1), slice(None))[0].numpy()
    cell = 100 / len(weights)
    sides = cell * np.sqrt(weights)
    kept = (
        (column * cell, row * cell, sides[row, column]) for row, column in zip(*np.nonzero(weights > 0.03), strict=True)
    )
    return _squares((x, y, side, side) for x, y, side in kept)


@cache
def _curve() -> str:
    """The accuracy on repeats over the steps of a shipped training of a two-layer model."""
    run = [checkpoint for checkpoint in read_study("induction") if checkpoint.run == "two-layers"]
    last = max(checkpoint.step for checkpoint in run)
    points = [(100 * point.step / last, 96 - 92 * point.metrics["repeat_accuracy"]) for point in run]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the built-in model's heads contribute to the answer's logit."""

    bars: str
    """A path: the eight largest contributions."""
    head: str
    """The head that contributes most, as it stands in an address."""
    position: int
    """The token that the answer follows."""


@cache
def _answer() -> _Answer:
    model = default_registry().get(EMBEDDED)
    clean = capture(model, encode_text(model, NAMES))
    assert clean.logits is not None  # a decoder
    last = len(clean.logits) - 1
    answer = attribute_logit(model, clean, position=last, token=int(clean.logits[last].argmax()))
    layer, head = np.unravel_index(int(answer.heads.argmax()), answer.heads.shape)
    largest = np.sort(answer.heads, axis=None)[::-1][:8]
    bars = ((0, 4 + 12 * row, 100 * value / largest[0], 8) for row, value in enumerate(largest.tolist()))
    return _Answer(bars=_squares(bars), head=f"{layer}.{head}", position=last)
