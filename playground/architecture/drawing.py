"""Where the boxes and lines of an architecture stand: a layout in pixels, from the tokens at the top to the logits.

The residual stream runs down the middle of its column; a residual connection leaves it above a stage and comes back
below it, on the right; the encoder's output comes in on the left. Two columns stand side by side, or below each other
where there is little room.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import wrap
from typing import Literal

from playground.architecture.architecture import Architecture, Box, LayerGroup, ModelStack, Stage
from playground.architecture.captions import box_caption, group_caption, group_count, stack_title
from playground.text import _

LineKind = Literal["stream", "residual", "unknown", "cross"]

COLUMN = 330
"""Of one stack, its margins included."""
BOX_WIDTH = 236
BRANCH_GAP = 8
GAP = 16
"""Between two boxes."""
MARGIN = 12
LINE_HEIGHT, TITLE_HEIGHT, PADDING = 14, 17, 7
FRAME_PADDING = 12
LETTER, BOLD_LETTER = 5.7, 7.4
"""The mean width of a letter of a box's lines, and of its title."""
NARROW = 180
"""Below it a box's count stands under its title."""
SIDE = (COLUMN - BOX_WIDTH) // 2
"""Between a box and the edge of its column: the lines run there."""


@dataclass(frozen=True, kw_only=True)
class DrawnBox:
    """A box where it stands."""

    index: int
    """In the order of `Architecture.placed`."""
    box: Box
    x: float
    y: float
    width: float
    height: float
    title: tuple[str, ...]
    """Its lines."""
    count: str
    lines: tuple[str, ...]
    names: tuple[str, ...]
    """Below the lines: the model's own names, which are not translated."""


@dataclass(frozen=True, kw_only=True)
class DrawnLine:
    """A line through points."""

    kind: LineKind
    points: tuple[tuple[float, float], ...]
    has_arrow: bool = False


@dataclass(frozen=True, kw_only=True)
class DrawnSum:
    """Where a residual connection comes back: the sign of a sum."""

    x: float
    y: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DrawnText:
    """A text beside or between the boxes."""

    x: float
    y: float
    text: str
    is_heading: bool = False
    anchor: Literal["start", "middle", "end"] = "middle"


@dataclass(frozen=True, kw_only=True)
class LayerFrame:
    """The frame around the layers that are alike."""

    x: float
    y: float
    width: float
    height: float


@dataclass(kw_only=True)
class Drawing:
    """Everything on the sheet."""

    width: float = 0.0
    height: float = 0.0
    boxes: list[DrawnBox] = field(default_factory=list)
    lines: list[DrawnLine] = field(default_factory=list)
    sums: list[DrawnSum] = field(default_factory=list)
    texts: list[DrawnText] = field(default_factory=list)
    frames: list[LayerFrame] = field(default_factory=list)


def draw_architecture(architecture: Architecture, *, columns: int = 2) -> Drawing:
    """Lay out an architecture. columns: 1 puts an encoder's decoder below it."""
    drawing = Drawing()
    indices = iter(range(sum(1 for _placed in architecture.placed())))
    bottoms: list[float] = []
    top, left = float(MARGIN), 0.0
    encoder_end: tuple[float, float] | None = None
    for number, stack in enumerate(architecture.stacks):
        if number:
            left, top = (left + COLUMN, float(MARGIN)) if columns > 1 else (left, bottoms[-1] + 2 * GAP)
        column = _Column(drawing=drawing, left=left, y=top, indices=indices, source=encoder_end)
        column.draw(stack, is_last=number == len(architecture.stacks) - 1)
        bottoms.append(column.y)
        encoder_end = (column.middle, column.y)
    height = max(bottoms, default=float(MARGIN))
    height = _draw_unused(drawing, architecture.unused, indices, height)
    drawing.width = COLUMN * (min(columns, len(architecture.stacks)) or 1)
    drawing.height = height + MARGIN
    return drawing


def _draw_unused(drawing: Drawing, boxes: Sequence[Box], indices: Iterator[int], y: float) -> float:
    """Weights that a prediction does not run through, below everything else."""
    if not boxes:
        return y
    y += GAP
    drawing.texts.append(DrawnText(x=COLUMN / 2, y=y + 10, text=_("Not part of this pass")))
    y += GAP + 4
    for box in boxes:
        y = _put_box(drawing, next(indices), box, x=SIDE, y=y, width=BOX_WIDTH) + GAP / 2
    return y


def _put_box(drawing: Drawing, index: int, box: Box, *, x: float, y: float, width: float) -> float:
    """Draw a box; returns its lower edge."""
    caption = box_caption(box)
    is_narrow = width < NARROW
    letters = int((width - 2 * PADDING) / LETTER)
    lines = (*((caption.count,) if is_narrow else ()), *_wrapped(caption.lines, letters))
    names = tuple(_wrapped((caption.names,), letters))
    beside = 0.0 if is_narrow else LETTER * len(caption.count) + PADDING
    title = tuple(wrap(caption.title, int((width - 2 * PADDING - beside) / BOLD_LETTER)))
    height = TITLE_HEIGHT * len(title) + LINE_HEIGHT * (len(lines) + len(names)) + 2 * PADDING
    drawing.boxes.append(
        DrawnBox(
            index=index,
            box=box,
            x=x,
            y=y,
            width=width,
            height=height,
            title=title,
            count="" if is_narrow else caption.count,
            lines=lines,
            names=names,
        )
    )
    return y + height


def _wrapped(lines: Sequence[Sequence[str]], letters: int) -> Iterator[str]:
    """The lines, each of at most so many letters; their pieces stay whole where they are not too long."""
    for pieces in lines:
        line = ""
        for piece in pieces:
            joined = f"{line} · {piece}" if line else piece
            if line and len(joined) > letters:
                yield line
                joined = piece
            *full, line = wrap(joined, letters)
            yield from full
        if line:
            yield line


@dataclass(kw_only=True)
class _Column:
    """One stack being drawn from top to bottom; y is the end of its stream so far."""

    drawing: Drawing
    left: float
    y: float
    indices: Iterator[int]
    source: tuple[float, float] | None
    """Where the encoder's output begins."""

    @property
    def middle(self) -> float:
        return self.left + COLUMN / 2

    def draw(self, stack: ModelStack, *, is_last: bool) -> None:
        title, begin = stack_title(stack, has_source=self.source is not None)
        self.drawing.texts.append(DrawnText(x=self.middle, y=self.y + 12, text=title, is_heading=True))
        self.drawing.texts.append(DrawnText(x=self.middle, y=self.y + 29, text=begin))
        self.y += 34
        for is_added, boxes in groupby(stack.before, lambda box: box.role in ("position", "segment")):
            (self._add if is_added else self._chain)(tuple(boxes))
        for group in stack.groups:
            self._group(group)
        for box in stack.after:
            self._chain((box,))
        end = _("logits") if is_last and any(box.role == "head" for box in stack.after) else _("last states")
        self._stream(GAP, has_arrow=True)
        self.y += 13
        self.drawing.texts.append(DrawnText(x=self.middle, y=self.y, text=end))
        self.y += 4

    def _stream(self, length: float, *, has_arrow: bool = False) -> None:
        points = ((self.middle, self.y), (self.middle, self.y + length))
        self.drawing.lines.append(DrawnLine(kind="stream", points=points, has_arrow=has_arrow))
        self.y += length

    def _chain(self, boxes: Sequence[Box]) -> None:
        for box in boxes:
            self._stream(GAP, has_arrow=True)
            x = self.middle - BOX_WIDTH / 2
            top = self.y
            self.y = _put_box(self.drawing, next(self.indices), box, x=x, y=self.y, width=BOX_WIDTH)
            self._cross(box, x, (top + self.y) / 2)

    def _add(self, boxes: Sequence[Box]) -> None:
        """Embeddings that are added to the tokens': they read positions or segments, not the stream."""
        self._stream(6)
        begin = self.y
        self.y += GAP / 2
        self._side_by_side([[box] for box in boxes], has_input=False)
        self._close(begin, "residual")

    def _group(self, group: LayerGroup) -> None:
        self._stream(GAP)
        top = self.y
        self.y += FRAME_PADDING + 10
        left, right = self.left + 28, self.left + COLUMN - 16
        self.drawing.texts.append(DrawnText(x=left, y=top + 15, text=group_caption(group), anchor="start"))
        self.drawing.texts.append(DrawnText(x=right, y=top + 15, text=group_count(group), anchor="end"))
        self.drawing.lines.append(DrawnLine(kind="stream", points=((self.middle, top), (self.middle, self.y))))
        for stage in group.stages:
            self._stage(stage)
        self._stream(FRAME_PADDING)
        self.drawing.frames.append(LayerFrame(x=self.left + 6, y=top, width=COLUMN - 12, height=self.y - top))

    def _stage(self, stage: Stage) -> None:
        self._stream(6)
        begin = self.y
        self._chain(stage.shared)
        if len(stage.branches) == 1:
            self._chain(stage.branches[0])
        else:
            self._side_by_side(stage.branches)
        if stage.adds is not False:
            note = "" if stage.factor == 1.0 else f"× {stage.factor:.4g}"
            self._close(begin, "residual" if stage.adds else "unknown", note)

    def _close(self, begin: float, kind: LineKind, note: str = "") -> None:
        """Lead a line from where the stage began around its boxes, and add."""
        self._stream(GAP, has_arrow=True)
        self.drawing.sums.append(DrawnSum(x=self.middle, y=self.y + 7, note=note))
        right = self.middle + BOX_WIDTH / 2 + 16
        points = ((self.middle, begin), (right, begin), (right, self.y + 7), (self.middle + 8, self.y + 7))
        self.drawing.lines.append(DrawnLine(kind=kind, points=points, has_arrow=True))
        self.y += 14

    def _side_by_side(self, branches: Sequence[Sequence[Box]], *, has_input: bool = True) -> None:
        """Parallel branches: each has its part of the width, and all end together."""
        width = (BOX_WIDTH - BRANCH_GAP * (len(branches) - 1)) / len(branches)
        top, bottoms = self.y, []
        for number, branch in enumerate(branches):
            x, y = self.middle - BOX_WIDTH / 2 + number * (width + BRANCH_GAP), top
            centre = x + width / 2
            for box in branch:
                points = ((self.middle, top), (centre, top), (centre, y + GAP))
                if box is not branch[0]:
                    points = ((centre, y), (centre, y + GAP))  # type: ignore[assignment]
                if has_input:
                    self.drawing.lines.append(DrawnLine(kind="stream", points=points, has_arrow=True))
                y = _put_box(self.drawing, next(self.indices), box, x=x, y=y + GAP, width=width)
            bottoms.append((centre, y))
        self.y = max(y for _x, y in bottoms) + 6
        for x, y in bottoms:
            points = ((x, y), (x, self.y), (self.middle, self.y))
            self.drawing.lines.append(DrawnLine(kind="stream", points=points))

    def _cross(self, box: Box, x: float, y: float) -> None:
        """The encoder's output into a cross-attention, through the channel on the left."""
        if box.role != "cross_attention" or self.source is None:
            return
        channel = self.left + 20
        start_x, start_y = self.source
        points = ((start_x, start_y), (start_x, start_y + 8), (channel, start_y + 8), (channel, y), (x, y))
        self.drawing.lines.append(DrawnLine(kind="cross", points=points, has_arrow=True))
