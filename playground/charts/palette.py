"""Colours by meaning, the same in every chart: readable on white and on the dark page, distinct for the colour-blind.

Charts use the light colours; `for_dark` maps them to dark ones. Every light colour has a contrast of at least
3 : 1 with white, every dark one with the dark page (WCAG 2.2, 1.4.11).
"""

from dataclasses import dataclass

NAMES = (
    "train",
    "held-out",
    "encoder",
    "decoder",
    "cross",
    "query",
    "key",
    "value",
    "neutral",
)


@dataclass(frozen=True, kw_only=True)
class Colour:
    """A colour on the light and on the dark page, as #rrggbb."""

    light: str
    dark: str


TRAIN = Colour(light="#2f63c0", dark="#86aef5")
HELD_OUT = Colour(light="#c4520a", dark="#f39a55")
ENCODER = Colour(light="#17906a", dark="#3fb389")
DECODER = Colour(light="#7349b3", dark="#b99af0")
CROSS = Colour(light="#8f1d5e", dark="#f7aed6")
QUERY = Colour(light="#946500", dark="#e3b341")
KEY = Colour(light="#0a7f8c", dark="#51c5d1")
VALUE = Colour(light="#6b7a1e", dark="#b7c75a")
NEUTRAL = Colour(light="#6b7280", dark="#9aa3b2")

MEANINGS: dict[str, Colour] = dict(
    zip(NAMES, (TRAIN, HELD_OUT, ENCODER, DECODER, CROSS, QUERY, KEY, VALUE, NEUTRAL), strict=True)
)

SCORES: dict[str, Colour] = {
    "induction": Colour(light="#b42318", dark="#ff8b7b"),
    "previous": Colour(light="#1d6fb8", dark="#7cb8f0"),
    "first": Colour(light="#6e6259", dark="#b5a99f"),
    "duplicate": Colour(light="#8a4fa3", dark="#cf9be6"),
    "local": Colour(light="#3d7d2c", dark="#86cc72"),
    "alignment": Colour(light="#8f1d5f", dark="#f7aed7"),
    "entropy": Colour(light="#8c6a00", dark="#dcb84a"),
    "distance": Colour(light="#0f7a80", dark="#58c4c6"),
}
"""By head score, as head_scores names them; alignment: how well cross-attention matches the gold alignment."""

SERIES: tuple[Colour, ...] = (
    Colour(light="#2f63c1", dark="#86aef6"),
    Colour(light="#c4520b", dark="#f39a56"),
    Colour(light="#17906b", dark="#3fb38a"),
    Colour(light="#8f1d60", dark="#f7aed8"),
    Colour(light="#946501", dark="#e3b342"),
    Colour(light="#0a7f8d", dark="#51c5d2"),
    Colour(light="#7349b4", dark="#b99af1"),
    Colour(light="#6b7a1f", dark="#b7c75b"),
)
"""For series that differ only by name, such as runs; after the last they repeat, dashed."""

DASHES = ("solid", "dash", "dot", "dashdot")


def series_look(index: int) -> tuple[str, str]:
    """The light colour and the dash of the n-th series.

    >>> series_look(0), series_look(8)
    (('#2f63c1', 'solid'), ('#2f63c1', 'dash'))
    """
    return SERIES[index % len(SERIES)].light, DASHES[index // len(SERIES) % len(DASHES)]


def for_dark() -> dict[str, str]:
    """Light colour to dark colour, opaque and as the fill of an interval, for figures on a dark page."""
    opaque = {colour.light: colour.dark for colour in (*MEANINGS.values(), *SCORES.values(), *SERIES)}
    return opaque | {translucent(light): translucent(dark) for light, dark in opaque.items()}


def translucent(colour: str, opacity: float = 0.18) -> str:
    """The colour #rrggbb as rgba.

    >>> translucent("#ff0080", 0.5)
    'rgba(255, 0, 128, 0.5)'
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
