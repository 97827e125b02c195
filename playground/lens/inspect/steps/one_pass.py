"""A layer kept whole and a token followed through all layers, read from one pass instead of two."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.layer import LayerInside, look_inside
from playground.lens.inspect.steps.token_rows import TokenRows, read_rows
from playground.lens.inspect.steps.whole_token import WholeToken, follow_rows
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


def layer_and_token(
    model: "LoadedModel",
    arguments: dict[str, Any],
    layer: int,
    kind: SiteKind,
    position: int,
    kinds: Sequence[SiteKind],
    on_progress: OnProgress = no_progress,
) -> tuple[LayerInside | UserError, WholeToken | UserError]:
    """`look_inside` and `follow_token`; in place of either the error that says why it cannot be told.

    kinds: of every call of `attend`, in their order. on_progress: called after each.
    """
    read: list[TokenRows] = []

    def run() -> None:
        read.append(read_rows(model, arguments, kinds, [position], on_progress))

    inside = _told(lambda: look_inside(model, arguments, layer, kind, run))
    if not read and isinstance(error := _told(run), UserError):
        return inside, error
    return inside, _told(lambda: follow_rows(read[0], "encoder" if kind == "encoder" else "decoder"))


def _told(make: Any) -> Any:
    """What is made, or the error that says why it cannot be."""
    try:
        return make()
    except UserError as error:
        return error
