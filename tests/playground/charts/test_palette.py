"""Colours: readable on both pages, told apart, each with one counterpart."""

import numpy as np
import pytest

from playground.charts.palette import MEANINGS, SCORES, SERIES, for_dark, series_look

EVERY = [*MEANINGS.values(), *SCORES.values(), *SERIES]
# Machado, Oliveira & Fernandes 2009, severity 1, on linear sRGB.
DEUTERANOPIA = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])


def linear(colour: str) -> np.ndarray:
    """Linear sRGB of #rrggbb."""
    value = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio."""
    light = [float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in (one, other)]
    return max(light) / min(light)


@pytest.mark.parametrize("colour", EVERY, ids=lambda colour: colour.light)
def test_lines_stand_out_from_the_page(colour):
    assert contrast(colour.light, "#ffffff") >= 3
    assert contrast(colour.dark, "#12151b") >= 3


def test_every_light_colour_has_one_dark_counterpart():
    opaque = [light for light in for_dark() if light.startswith("#")]
    assert len(opaque) == len({colour.light for colour in EVERY})
    assert not set(for_dark()) & set(for_dark().values())


@pytest.mark.parametrize(
    ("one", "other"),
    [("train", "held-out"), ("query", "key"), ("key", "value"), ("encoder", "cross"), ("decoder", "cross")],
)
@pytest.mark.parametrize("page", ["light", "dark"])
def test_what_stands_together_is_told_apart_without_red_and_green(one, other, page):
    seen = [np.cbrt(np.clip(DEUTERANOPIA @ linear(getattr(MEANINGS[name], page)), 0, 1)) for name in (one, other)]
    assert np.linalg.norm(seen[0] - seen[1]) > 0.1


def test_series_begin_anew_in_another_dash():
    looks = [series_look(index) for index in range(4 * len(SERIES))]
    assert len(set(looks)) == len(looks)
