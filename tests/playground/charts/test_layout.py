"""Texts of charts: large enough, and readable on the light and on the dark page."""

import re
from pathlib import Path

import plotly.graph_objects as go
import pytest

from playground.charts.layout import LOG_TICKS, SMALLEST_TEXT, TEXT, axis, level, quiet_layout
from playground.charts.palette import NEUTRAL
from tests.playground.charts.test_palette import contrast

READABLE = 4.5
"""WCAG 2.2, 1.4.3."""
ROOT = Path(__file__).resolve().parents[3]
CHARTS = sorted((ROOT / "playground" / "charts").rglob("*.py"))


def test_text_has_a_contrast_of_four_and_a_half_on_both_pages():
    assert contrast(TEXT, "#ffffff") >= READABLE
    assert contrast(NEUTRAL.light, "#ffffff") >= READABLE
    assert contrast(NEUTRAL.dark, "#12151b") >= READABLE


def test_a_named_level_is_written_in_readable_text():
    figure = quiet_layout(go.Figure(), x="x", y="y")
    level(figure, 1.0, "entropy")
    font = figure.layout.annotations[0].font
    assert font.size >= 11
    assert contrast(font.color, "#ffffff") >= READABLE


def test_a_log_axis_has_few_ticks_so_that_the_digits_between_powers_have_room():
    assert axis("x", log=True)["nticks"] == LOG_TICKS
    assert "nticks" not in axis("x")


@pytest.mark.parametrize("module", CHARTS, ids=lambda path: path.stem)
def test_no_chart_writes_text_smaller_than_eleven_pixels(module):
    fonts = re.findall(r"font\"?[=:]\s*\{[^}]*\"size\":\s*(\d+)", module.read_text(encoding="utf-8"))
    assert all(int(size) >= SMALLEST_TEXT for size in fonts)
    assert SMALLEST_TEXT == 11
