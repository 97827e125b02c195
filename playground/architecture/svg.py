"""The drawing as SVG: one text, in the colours of the light or of the dark page."""

from collections.abc import Iterator
from html import escape
from typing import Literal

from playground.architecture.architecture import Architecture, Role
from playground.architecture.drawing import (
    LINE_HEIGHT,
    PADDING,
    TITLE_HEIGHT,
    Drawing,
    DrawnBox,
    DrawnLine,
    DrawnSum,
    DrawnText,
    draw_architecture,
)
from playground.charts.palette import CROSS, DECODER, HELD_OUT, KEY, NEUTRAL, QUERY, TRAIN, VALUE, Colour
from playground.text import _

COLOURS: dict[Role, Colour] = {
    "embedding": QUERY,
    "position": QUERY,
    "segment": QUERY,
    "projection": KEY,
    "norm": VALUE,
    "attention": DECODER,
    "cross_attention": CROSS,
    "mixer": CROSS,
    "feed_forward": TRAIN,
    "head": HELD_OUT,
    "pooler": KEY,
    "other": NEUTRAL,
    "unused": NEUTRAL,
}
Theme = Literal["light", "dark", "page"]
TEXT, PAGE = Colour(light="#1f2937", dark="#e5e7eb"), Colour(light="#ffffff", dark="#0e1117")
NOTE_HEIGHT = 13
NOTE_LETTERS = 64
_SPACE = "http://www.w3.org/2000/svg"


def architecture_svg(
    architecture: Architecture, *, columns: int = 2, theme: Theme = "light", notes: tuple[str, ...] = ()
) -> str:
    """The drawing as an SVG file. notes: lines below it, such as where the model comes from.

    Each box is a group of the class `box` with its index in `Architecture.placed` as `data-index`; the height without
    the notes is the file's `data-page`.
    """
    drawing = draw_architecture(architecture, columns=columns)
    shown = [note if len(note) <= NOTE_LETTERS else note[: NOTE_LETTERS - 1] + "…" for note in notes]
    height = drawing.height + NOTE_HEIGHT * (len(shown) + 1) * bool(shown)
    label = _("Architecture of {name}").format(name=architecture.name)
    parts = [
        f'<svg xmlns="{_SPACE}" viewBox="0 0 {drawing.width:g} {height:g}" width="{drawing.width:g}" '
        f'height="{height:g}" data-page="{drawing.height:g}" role="group" aria-label="{escape(label)}">',
        f"<style>{style_sheet(theme)}</style>",
        f"<defs>{_marker()}</defs>",
        f'<rect class="page" width="{drawing.width:g}" height="{height:g}"/>',
        *_shapes(drawing),
        *(
            f'<text class="note" x="12" y="{drawing.height + NOTE_HEIGHT * (line + 1):g}">{escape(note)}</text>'
            for line, note in enumerate(shown)
        ),
        "</svg>",
    ]
    return "".join(parts)


def style_sheet(theme: Theme) -> str:
    """The colours of everything in the drawing. "page" follows the page around it, for browsers only."""

    def of(colour: Colour) -> str:
        return {"light": colour.light, "dark": colour.dark}.get(theme, f"light-dark({colour.light},{colour.dark})")

    text, faded = of(TEXT), of(NEUTRAL)
    page = "none" if theme == "page" else of(PAGE)
    rules = [
        f"text{{font-family:sans-serif;font-size:11px;fill:{text}}}",
        f".page{{fill:{page}}}",
        ".title{font-size:12px;font-weight:600}",
        ".heading{font-size:14px;font-weight:600}",
        f".note{{font-size:10px;fill:{faded}{';display:none' if theme == 'page' else ''}}}",
        f".frame{{fill:none;stroke:{faded};stroke-dasharray:4 3}}",
        f".stream,.sum{{fill:none;stroke:{text};stroke-width:1.2}}",
        f".residual{{fill:none;stroke:{of(TRAIN)};stroke-width:1.6}}",
        f".unknown{{fill:none;stroke:{faded};stroke-width:1.6;stroke-dasharray:2 3}}",
        f".cross{{fill:none;stroke:{of(CROSS)};stroke-width:1.6}}",
        f".arrowhead{{fill:{text}}}",
        f".sum{{fill:{'var(--page)' if theme == 'page' else page}}}",
        ".box rect{stroke-width:1.2;fill-opacity:.13}",
        ".shared rect{stroke-dasharray:5 3}",
    ]
    rules += [f".{role} rect{{stroke:{of(colour)};fill:{of(colour)}}}" for role, colour in COLOURS.items()]
    return "".join(rules)


def _marker() -> str:
    return (
        '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path class="arrowhead" d="M0 0L8 4L0 8z"/></marker>'
    )


def _shapes(drawing: Drawing) -> Iterator[str]:
    for frame in drawing.frames:
        yield (
            f'<rect class="frame" x="{frame.x:g}" y="{frame.y:g}" width="{frame.width:g}" '
            f'height="{frame.height:g}" rx="8"/>'
        )
    yield from map(_line, drawing.lines)
    yield from map(_box, drawing.boxes)
    yield from map(_sum, drawing.sums)
    yield from map(_text, drawing.texts)


def _line(line: DrawnLine) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in line.points)
    arrow = ' marker-end="url(#arrow)"' if line.has_arrow else ""
    return f'<polyline class="{line.kind}" points="{points}"{arrow}/>'


def _box(drawn: DrawnBox) -> str:
    box = drawn.box
    names = f"box {box.role}{' shared' if box.shared_with else ''}"
    count = _("{count} parameters").format(count=f"{box.parameters:,}")
    said = ", ".join([" ".join(drawn.title), count, *drawn.lines, *drawn.names])
    x, y = drawn.x + PADDING, drawn.y + TITLE_HEIGHT + 1
    body = [
        f'<rect x="{drawn.x:g}" y="{drawn.y:g}" width="{drawn.width:g}" height="{drawn.height:g}" rx="5"/>',
        f'<text class="title">{"".join(_title_lines(drawn.title, x, y))}</text>',
        f'<text x="{drawn.x + drawn.width - PADDING:g}" y="{y:g}" text-anchor="end">{escape(drawn.count)}</text>',
    ]
    y += TITLE_HEIGHT * len(drawn.title) - 1
    kinds = [*((text, "said") for text in drawn.lines), *((text, "token") for text in drawn.names)]
    body += [
        f'<text class="{kind}" x="{x:g}" y="{y + LINE_HEIGHT * line:g}">{escape(text)}</text>'
        for line, (text, kind) in enumerate(kinds)
    ]
    return f'<g class="{names}" data-index="{drawn.index}" aria-label="{escape(said)}">{"".join(body)}</g>'


def _title_lines(lines: tuple[str, ...], x: float, y: float) -> Iterator[str]:
    """One text of several lines: between two stands the space that a reader of the text needs."""
    for number, line in enumerate(lines):
        space = " " if number else ""
        yield f'{space}<tspan x="{x:g}" y="{y + TITLE_HEIGHT * number:g}">{escape(line)}</tspan>'


def _sum(drawn: DrawnSum) -> str:
    x, y = drawn.x, drawn.y
    cross = f'<path class="stream" d="M{x - 4:g} {y:g}h8M{x:g} {y - 4:g}v8"/>'
    note = f'<text x="{x + 12:g}" y="{y - 5:g}">{escape(drawn.note)}</text>' if drawn.note else ""
    return f'<circle class="sum" cx="{x:g}" cy="{y:g}" r="7"/>{cross}{note}'


def _text(drawn: DrawnText) -> str:
    anchor = f' text-anchor="{drawn.anchor}"'
    names = ' class="heading"' if drawn.is_heading else ""
    return f'<text x="{drawn.x:g}" y="{drawn.y:g}"{anchor}{names}>{escape(drawn.text)}</text>'
