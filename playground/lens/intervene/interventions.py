"""Run a model with some of its activations replaced: the one operation behind ablation and patching.

Each row of a batch is the same text with its own replacements. What lies below the lowest replaced layer is not
computed again: the rows start from the residual stream that entered that layer in the clean pass.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground import attention
from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.activations import Activations, logits_of
from playground.lens.capture.anatomy import Parts
from playground.lens.capture.hooks import Edit, editing
from playground.lens.capture.site import SiteKind
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

Part = Literal["head", "attention", "feed_forward", "layer", "residual"]
ROW_BYTES = 256 * 2**20
"""The most memory that one batch's logits may take; more rows are run one batch after another."""
MOST_ROWS = 32


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of the model that can be replaced: a head's z, what a layer writes, or the stream before a block.

    kind cross is a decoder's cross-attention. layer, as a part, is everything that the block adds.
    """

    part: Part
    layer: int
    head: int | None = None
    kind: SiteKind = "decoder"

    def __post_init__(self) -> None:
        if (self.part == "head") != (self.head is not None):
            raise UserError(
                "A head is named by its number, and nothing else is; give a head exactly for the part head."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Replacement:
    """What stands in a component's place: a tensor [token, width], or [width] at every token; None for zero.

    position: only at this token; None at all.
    """

    component: Component
    value: Tensor | None = None
    position: int | None = None

    def put(self, row: Float[Tensor, "token width"], base: Tensor | None = None) -> None:
        """Write into a row; what a layer adds stands upon `base`, the stream that entered it."""
        where = slice(None) if self.position is None else self.position
        value = torch.zeros_like(row) if self.value is None else self.value.expand_as(row)
        row[where] = value[where] if base is None else base[where] + value[where]


Row = Sequence[Replacement]


def run_replaced(
    model: "LoadedModel", clean: Activations, rows: Sequence[Row], on_progress: OnProgress = no_progress
) -> Iterator[tuple[int, Float[Tensor, "token vocabulary"]]]:
    """The logits of each row, with its number; rows that begin in the same layer share a pass.

    Raises UserError for a part that the model does not have.
    """
    logits = clean.predicted()
    most = max(1, min(MOST_ROWS, ROW_BYTES // logits.nbytes))
    batches: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        batches[_first_layer(clean.parts, row)].append(number)
    done = 0
    on_progress(0, len(rows))
    for first, numbers in sorted(batches.items()):
        for begin in range(0, len(numbers), most):
            chosen = numbers[begin : begin + most]
            found = _run_batch(model, clean, [rows[number] for number in chosen], first)
            done += len(chosen)
            on_progress(done, len(rows))
            yield from zip(chosen, found, strict=True)


@torch.inference_mode()
def _run_batch(model: "LoadedModel", clean: Activations, rows: Sequence[Row], first: int) -> Tensor:
    edits, handler = _edits(clean.parts, rows)
    resumes = first >= 0 and can_resume(model, clean)
    with editing(edits), handling(handler):
        if resumes:
            return _resume(model, clean, first, len(rows))
        arguments = {name: _repeated(value, len(rows)) for name, value in clean.reading.arguments.items()}
        logits = logits_of(model, model.module(**arguments))
    assert logits is not None
    return logits


def _first_layer(parts: Parts, row: Row) -> int:
    """The lowest layer that a row replaces something in; -1 where that is in the stack before (an encoder's)."""
    layers = [0 if _stack(item.component) == parts.kind else -1 for item in row]
    if not row or min(layers) < 0:
        return -1
    return min(item.component.layer for item in row)


def _stack(component: Component) -> SiteKind:
    return "decoder" if component.kind == "cross" else component.kind


def _repeated(value: Any, rows: int) -> Any:
    """A tensor of one row as so many; everything else as it is, tuples inside out."""
    if isinstance(value, tuple):
        return tuple(_repeated(part, rows) for part in value)
    if isinstance(value, Tensor) and value.ndim > 1 and value.shape[0] == 1:
        return value.expand(rows, *value.shape[1:])
    return value


def _resume(model: "LoadedModel", clean: Activations, first: int, rows: int) -> Tensor:
    """The logits from the stream that entered the first replaced layer, for so many rows at once."""
    blocks = clean.parts.stack
    residual = clean.residual[clean.parts.kind, first].expand(rows, -1, -1)
    for block in blocks[first:]:
        args, kwargs = (_repeated_call(part, rows) for part in clean.resumed[block.layer])
        if args and isinstance(args[0], Tensor):
            output = block.module(residual, *args[1:], **kwargs)
        else:
            output = block.module(**{**kwargs, "hidden_states": residual})
        residual = output[0] if isinstance(output, tuple) else output
    return read_out(model, clean.parts, residual)


def _repeated_call(part: Any, rows: int) -> Any:
    if isinstance(part, dict):
        return {name: _repeated(value, rows) for name, value in part.items()}
    return _repeated(part, rows)


def read_out(model: "LoadedModel", parts: Parts, residual: Tensor) -> Tensor:
    """The logits of a stream after its last block. Soft-capped where the configuration says so (Gemma 2)."""
    assert parts.unembedding is not None
    logits: Tensor = parts.unembedding(residual if parts.final_norm is None else parts.final_norm(residual))
    cap = getattr(getattr(model.module, "config", None), "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.tanh(logits / cap)


_resumes: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_resumes_lock = Lock()


def can_resume(model: "LoadedModel", clean: Activations) -> bool:
    """Whether running the blocks alone gives the model's own logits: tried once for each model."""
    with _resumes_lock:
        known = _resumes.get(model.module)
    if known is None:
        known = _resume_agrees(model, clean)
        with _resumes_lock:
            _resumes[model.module] = known
    return known


def _resume_agrees(model: "LoadedModel", clean: Activations) -> bool:
    if clean.parts.unembedding is None or not clean.parts.reads_out:
        return False
    expected = clean.predicted()
    # Two rows, so that whatever does not take a batch shows.
    with handling(attention.z):
        try:
            found = _resume(model, clean, 0, 2)
        except (RuntimeError, TypeError, ValueError, AttributeError):
            return False
    return found.shape[1:] == expected.shape and bool(
        (found - expected).abs().max() <= 1e-4 * expected.abs().max().clamp(min=1.0)
    )


def _edits(parts: Parts, rows: Sequence[Row]) -> tuple[dict[Any, Edit], attention.Handler]:
    """The rows' replacements as edits of modules and as a handler at the seam."""
    items = [(number, item) for number, row in enumerate(rows) for item in row]
    # The stream is replaced before anything reads it; what a layer adds stands upon the stream that it was given.
    edits: dict[Any, list[Edit]] = defaultdict(list)
    heads: dict[int, list[tuple[int, Replacement]]] = defaultdict(list)
    for number, item in sorted(items, key=lambda found: ORDER[found[1].component.part]):
        part, kind, layer = item.component.part, item.component.kind, item.component.layer
        if part == "head":
            heads[id(parts.attention(kind, layer).module)].append((number, item))
        elif part == "layer":
            entered: list[Tensor] = []
            module = parts.block(kind, layer).module
            edits[module, "input"].append(_keep(entered))
            edits[module, "output"].append(_put(number, item, len(rows), entered))
        else:
            edits[_place(parts, item.component)].append(_put(number, item, len(rows), []))
    return {place: _chain(found) for place, found in edits.items()}, _head_handler(heads)


ORDER: dict[Part, int] = {"residual": 0, "head": 1, "attention": 1, "feed_forward": 1, "layer": 2}


def _place(parts: Parts, component: Component) -> tuple[nn.Module, Literal["input", "output"]]:
    """The module, and the side of it, where a component can be replaced. Raises UserError where there is none."""
    if component.part == "attention":
        return parts.attention(component.kind, component.layer).writer, "output"
    block = parts.block(component.kind, component.layer)
    if component.part == "residual":
        return block.module, "input"
    if block.feed_forward is None:
        raise UserError("This model has no feed-forward layers; choose a head or a layer.")
    return block.feed_forward, "output"


def _keep(entered: list[Tensor]) -> Edit:
    def keep(tensor: Tensor) -> None:
        entered.append(tensor)

    return keep


def _put(number: int, item: Replacement, rows: int, entered: list[Tensor]) -> Edit:
    def put(tensor: Tensor) -> Tensor:
        # Some families (OPT) lay all rows' tokens in one for the feed-forward layer.
        changed = tensor.reshape(rows, -1, tensor.shape[-1]).clone()
        item.put(changed[number], entered[0][number] if entered else None)
        return changed.view_as(tensor)

    return put


def _chain(edits: list[Edit]) -> Edit:
    def edit(tensor: Tensor) -> Tensor:
        for one in edits:
            changed = one(tensor)
            tensor = tensor if changed is None else changed
        return tensor

    return edit


def _head_handler(heads: dict[int, list[tuple[int, Replacement]]]) -> attention.Handler:
    """A handler that computes each call as usual and then puts the rows' replacements into their heads."""

    def handler(call: AttentionCall) -> Tensor:
        z = attention.z(call)
        items = heads.get(id(call.module))
        if not items:
            return z
        z = z.clone()
        for number, item in items:
            head = item.component.head
            if not 0 <= (head or 0) < call.heads:
                raise UserError("There is no head {head}; choose 0 to {heads}.", head=head, heads=call.heads - 1)
            item.put(z[number, head])
        return z

    return handler
