"""Which blocks of a model attend, known without a text: what a head is called before anything was read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from playground.errors import UserError
from playground.lens.capture.anatomy import find_parts
from playground.lens.capture.site import SiteKind

if TYPE_CHECKING:
    from playground.models import LoadedModel


def attending_blocks(model: "LoadedModel", kind: SiteKind = "decoder") -> Sequence[int]:
    """The numbers of the blocks with attention of that kind: [2, 5] in a mixed stack in which only these attend.

    Every block's where all are built alike, or where the model's parts cannot be told apart.
    """
    if not _is_mixed(model.module):
        return range(model.layers)
    try:
        blocks = find_parts(model).blocks
    except UserError:
        return range(model.layers)
    stack = "decoder" if kind == "cross" else kind
    mine = [
        (block.layer, block.cross if kind == "cross" else block.attention) for block in blocks if block.kind == stack
    ]
    return [layer for layer, attention in mine if attention is not None] or range(model.layers)


def _is_mixed(root: nn.Module) -> bool:
    """Whether some list holds blocks of different parts.

    >>> block = lambda name: nn.ModuleDict({name: nn.Linear(1, 1)})
    >>> [_is_mixed(nn.ModuleList([block("attention"), block(name)])) for name in ("attention", "conv")]
    [False, True]
    """
    for stack in (module for module in root.modules() if isinstance(module, nn.ModuleList)):
        kinds = {tuple((name, type(part).__name__) for name, part in block.named_children()) for block in stack}
        if len(kinds) > 1:
            return True
    return False
