"""Two or more lines of tokens with what a measure counted: matched, clipped, linked, aligned.

js   the browser's side
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from playground.text import _
from playground.viewer.shared.payload import encode_payload
from ui.components.shared.registration import module, register, style

__all__ = ["Chip", "ChipRow", "compared_lines", "compared_lines_module", "encode_lines"]

MOST_CHIPS = 2_000
"""Of a row; a longer line is cut, with a sentence."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A token or an n-gram; empty where an alignment has a gap."""

    text: str
    state: str
    """One of the states that the legend names; CSS has a look for each."""


@dataclass(frozen=True, kw_only=True)
class ChipRow:
    """A line, in reading order."""

    name: str
    chips: tuple[Chip, ...]


def compared_lines_module() -> str:
    """The view as one ES module."""
    return module(
        "compared_lines", "chips compared_lines", shared="decode connection dom mount files tokens token_picture"
    )


_component = register("compared_lines", compared_lines_module(), css=style("attention_view", "compared_lines"))


def compared_lines(
    rows: Sequence[ChipRow],
    *,
    states: Mapping[str, str],
    label: str,
    key: str,
    links: Sequence[tuple[int, int, int]] = (),
    stacked: bool = False,
    provenance: Sequence[str] = (),
) -> None:
    """Draw the lines.

    states: what each look means, for the legend. links: (row, chip, chip of the next row), each drawn as a line.
    stacked: the rows are equally long and stand above each other, column by column.
    """
    data = encode_lines(rows, states=states, label=label, links=links, stacked=stacked, provenance=provenance)
    _component(key=key, data=data)


def encode_lines(
    rows: Sequence[ChipRow],
    *,
    states: Mapping[str, str],
    label: str,
    links: Sequence[tuple[int, int, int]] = (),
    stacked: bool = False,
    provenance: Sequence[str] = (),
) -> bytes:
    """Encode the lines, cut to MOST_CHIPS each."""
    header = {
        "rows": [{"name": row.name, "chips": [asdict(chip) for chip in row.chips[:MOST_CHIPS]]} for row in rows],
        "links": [link for link in links if max(link[1:]) < MOST_CHIPS],
        "stacked": stacked,
        "states": dict(states),
        "label": label,
        "notes": list(provenance),
        "saveLabel": _("Download SVG"),
        "cut": _("Only the first {most:,} of a line are drawn.").format(most=MOST_CHIPS)
        if any(len(row.chips) > MOST_CHIPS for row in rows)
        else "",
    }
    return encode_payload(header)
