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


INVISIBLE = [
    *(0x0, 0x1B, 0x85, 0xAD, 0x34F, 0x61C, 0x115F, 0x1680, 0x17B4, 0x180B, 0x180E, 0x2000),
    *(0x2003, 0x2009, 0x200A, 0x200B, 0x200C, 0x200D, 0x200E, 0x2028, 0x202A, 0x202E, 0x202F, 0x205F),
    *(0x2060, 0x2066, 0x206A, 0x2800, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFB, 0xE0001),
    *(0xE0061, 0xE0100, 0x1D173, 0x1BCA0),
]
