"""Which step of the whole token a box of the drawing leads to."""

from collections.abc import Iterator, Sequence

from playground.architecture import Architecture
from playground.architecture.architecture import Box, LayerGroup, ModelStack, Role

OF_ROLE: dict[Role, str] = {
    "embedding": "embedding",
    "position": "embedding",
    "segment": "embedding",
    "attention": "projection",
    "cross_attention": "projection",
    "feed_forward": "up",
    "head": "output_head",
}
NORM_BEFORE: dict[Role, str] = {"attention": "norm", "cross_attention": "norm", "feed_forward": "feed_forward_norm"}
"""Of a norm that reads the stream, by the layer that it stands before."""
NORM_AFTER: dict[Role, str] = {
    "attention": "residual",
    "cross_attention": "residual",
    "feed_forward": "feed_forward_residual",
}
"""Of a norm of what a layer wrote, or of the stream after it."""


def box_steps(architecture: Architecture) -> list[str | None]:
    """The step of every box, in the order of `Architecture.placed`; None for weights that no step shows."""
    steps: list[str | None] = []
    for stack in architecture.stacks:
        steps += _outside(stack.before, "embedding")
        for group in stack.groups:
            steps += _inside(group)
        steps += _after(stack)
    return [*steps, *(None for _box in architecture.unused)]


def _outside(boxes: Sequence[Box], otherwise: str) -> Iterator[str]:
    for box in boxes:
        yield OF_ROLE.get(box.role, otherwise)


def _after(stack: ModelStack) -> Iterator[str | None]:
    """The first norm is the final one; what follows it belongs to the output head."""
    for index, box in enumerate(stack.after):
        is_final = box.role == "norm" and index == 0
        yield None if box.role == "pooler" else "final_norm" if is_final else "output_head"


def _inside(group: LayerGroup) -> Iterator[str | None]:
    """The boxes of one layer: a norm belongs to the layer before which, or else after which, it stands."""
    written: Role | None = None
    for stage in group.stages:
        layers = [box for box in stage.boxes if box.role in NORM_BEFORE]
        for box in stage.boxes:
            if box.role in NORM_BEFORE:
                written = box.role
                yield "router" if box.experts else OF_ROLE[box.role]
            elif box.role == "norm":
                following = _following(stage.boxes, box, layers)
                yield NORM_BEFORE[following] if following else NORM_AFTER.get(written or "attention")
            else:
                yield None  # weights beside the layers, and mixers


def _following(boxes: Sequence[Box], norm: Box, layers: Sequence[Box]) -> Role | None:
    """The role of the layer that stands behind a norm in the same stage."""
    rest = list(boxes)[list(boxes).index(norm) + 1 :]
    return next((box.role for box in rest if box in layers), None)
