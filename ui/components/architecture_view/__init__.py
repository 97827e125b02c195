"""The drawing of an architecture: boxes that can be pointed at and chosen, saved as SVG and PNG."""

from collections.abc import Sequence

from playground.architecture import Architecture, architecture_svg
from playground.architecture.architecture import PlacedBox
from playground.architecture.svg import style_sheet
from playground.text import _
from playground.viewer.shared.payload import encode_payload
from ui.components.shared.registration import keep_report, module, register, report_of, style

__all__ = ["architecture_module", "architecture_payload", "architecture_view"]

NARROWEST_PAIR = 640
"""In CSS pixels: below it an encoder and its decoder stand below each other."""


def architecture_module() -> str:
    """The view as one ES module."""
    return module("architecture_view", "picture architecture_view", shared="decode connection dom mount files")


_component = register("architecture", architecture_module(), css=style("architecture_view"))


def architecture_view(
    architecture: Architecture,
    *,
    key: str,
    label: str,
    provenance: Sequence[str] = (),
    hint: str = "",
) -> PlacedBox | None:
    """Draw the architecture; return the box that was chosen just now, else None.

    label: for screen readers, and the stem of file names. provenance: lines below a saved picture. hint: what a
    click on a box does; without it boxes cannot be chosen.
    """
    data = architecture_payload(architecture, label=label, provenance=provenance, hint=hint)
    picked = report_of(_component(key=key, data=data, on_picked_change=keep_report), "picked")
    boxes = list(architecture.placed())
    if not hint or isinstance(picked, bool) or not isinstance(picked, int) or not 0 <= picked < len(boxes):
        return None
    return boxes[picked]


def architecture_payload(
    architecture: Architecture, *, label: str, provenance: Sequence[str] = (), hint: str = ""
) -> bytes:
    """Encode the drawing in both of its arrangements, the colours of both themes, and what a tooltip says."""
    notes = tuple(provenance)
    columns = (2, 1) if len(architecture.stacks) > 1 else (1,)
    header = {
        "drawings": [architecture_svg(architecture, columns=count, notes=notes) for count in columns],
        "narrowestPair": NARROWEST_PAIR,
        "styles": {"page": style_sheet("page"), "light": style_sheet("light"), "dark": style_sheet("dark")},
        "tips": [_tip(placed) for placed in architecture.placed()],
        "label": label,
        "hint": hint,
        "saveSvg": _("Download SVG"),
        "savePng": _("Download PNG"),
    }
    return encode_payload(header)


def _tip(placed: PlacedBox) -> list[str]:
    """The lines of a box's tooltip: its path, every tensor, and how often it stands there."""
    box = placed.box
    lines = [box.path, _("{count} parameters").format(count=f"{box.parameters:,}")]
    for weight in box.weights:
        shape = " × ".join(map(str, weight.shape))
        line = f"{weight.name}: {shape}"
        lines.append(f"{line} = {weight.shared_with}" if weight.shared_with else line)
    if placed.copies > 1:
        template = _("{copies} copies with weights of their own: {count} parameters")
        lines.append(template.format(copies=placed.copies, count=f"{placed.parameters:,}"))
    elif placed.runs > 1:
        lines.append(_("one set of weights, run {runs} times").format(runs=placed.runs))
    return lines
