"""What a preset will show, small: a head's map and curves of a run of it, from assets/presets.json, as masks of SVG."""

import base64
import html
import json
from functools import cache
from pathlib import Path
from typing import Any

from playground.charts.palette import HELD_OUT, NEUTRAL, TRAIN, Colour
from playground.text import _
from ui.sections.train.labels import measure_label
from ui.sections.train.preset_texts import preset_title

PICTURES = Path(__file__).resolve().parents[3] / "assets" / "presets.json"
LEVELS = 35
FAINT = 2
"""Lower levels of a cell are left out."""
HEIGHT = 76
FLOOR = "loss_floor"
COLOURS: tuple[Colour, ...] = (HELD_OUT, TRAIN)


@cache
def _pictures() -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(PICTURES.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values


def preset_picture(name: str) -> str:
    """A preset's picture as HTML; empty for one that has none."""
    picture = _pictures().get(name)
    if picture is None:
        return ""
    curves: dict[str, list[list[float]]] = picture["curves"]
    parts = [_map(picture["map"])] if "map" in picture else []
    parts.append(_chart(curves, int(picture["steps"])))
    label = _("Example run: {title}").format(title=preset_title(name))
    style = f"display:flex;gap:10px;height:{HEIGHT + 18}px;align-items:flex-start"
    return f'<div role="img" aria-label="{html.escape(label)}" style="{style}">{"".join(parts)}</div>'


def _map(rows: list[str]) -> str:
    """A square of cells, the stronger the more weight; queries down, keys across."""
    width, height = len(rows[0]), len(rows)
    boxes: dict[int, list[str]] = {}
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            boxes.setdefault(int(cell, 36), []).append(f"M{x} {y}h1v1h-1z")
    paths = "".join(
        f'<path opacity="{level / LEVELS:.2f}" d="{"".join(marks)}"/>'
        for level, marks in boxes.items()
        if level >= FAINT
    )
    border = f"border:1px solid {_light_dark(NEUTRAL)}"
    return _frame(
        _layer(_svg(paths, width, height, ' shape-rendering="crispEdges"'), TRAIN), f"width:{HEIGHT}px;{border}"
    )


def _chart(curves: dict[str, list[list[float]]], steps: int) -> str:
    """The curves over the steps, their names below; the entropy as a dashed line."""
    values = [value for points in curves.values() for _step, value in points]
    top = 1.0 if max(values) <= 1 else max(values)
    layers, names = [], []
    for name, colour in zip(curves, COLOURS, strict=False):
        dash = ' stroke-dasharray="4 3"' if name == FLOOR else ""
        path = " ".join(f"{100 * step / steps:.1f},{100 * (1 - value / top):.1f}" for step, value in curves[name])
        line = (
            f'<polyline points="{path}" fill="none" stroke="#000" stroke-width="2"{dash} '
            'vector-effect="non-scaling-stroke"/>'
        )
        layers.append(_layer(_svg(line, 100, 100), colour))
        names.append(f'<span style="color:{_light_dark(colour)}">{html.escape(measure_label(name))}</span>')
    axis = f"1px solid {_light_dark(NEUTRAL)}"
    text = "display:flex;gap:8px;white-space:nowrap;overflow:hidden;font-size:11px;line-height:16px"
    return (
        '<div style="flex:1;min-width:0">'
        + _frame("".join(layers), f"border-left:{axis};border-bottom:{axis}")
        + f'<div style="{text}">{"".join(names)}</div></div>'
    )


def _svg(content: str, width: int, height: int, more: str = "") -> str:
    """Shapes stretched to whatever box they are laid into."""
    space = "http://www.w3.org/2000/svg"
    return f'<svg xmlns="{space}" viewBox="0 0 {width} {height}" preserveAspectRatio="none"{more}>{content}</svg>'


def _layer(svg: str, colour: Colour) -> str:
    """Shapes in a colour of the theme: Streamlit lets no svg through, but a mask over a coloured box."""
    data = base64.b64encode(svg.encode()).decode()
    mask = f"mask:url(data:image/svg+xml;base64,{data}) 0 0/100% 100% no-repeat"
    return f'<div style="position:absolute;inset:0;background:{_light_dark(colour)};{mask}"></div>'


def _frame(content: str, style: str) -> str:
    return f'<div style="position:relative;flex:none;height:{HEIGHT}px;box-sizing:border-box;{style}">{content}</div>'


def _light_dark(colour: Colour) -> str:
    return f"light-dark({colour.light},{colour.dark})"
