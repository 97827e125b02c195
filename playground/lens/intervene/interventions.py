"""Interventions: run a model with some activations replaced, the one operation behind ablation and patching.

Each row of a batch is the same text under its own intervention. Layers below the lowest replaced one are not run again:
the batch resumes from the residual stream that entered that layer in the clean pass.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground import attention
from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.activations import Activations, Component, Part, logits_of
from playground.lens.capture.anatomy import Parts
from playground.lens.capture.hooks import Edit, apply_edits, editing
from playground.lens.capture.site import SiteKind
from playground.lens.tolerances import LOGITS
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

BATCH_BYTES = 256 * 2**20
"""The most memory for the logits of one batch."""
MOST_ROWS = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Replacement:
    """What replaces one component's activation."""

    component: Component
    value: Tensor | None = None
    """[token, width], or [width] for every token; None for zero."""
    position: int | None = None
    """Replace at this token only; None replaces at all."""

    def write(self, row: Float[Tensor, "token width"], base: Tensor | None = None) -> None:
        """Write into one row of the batch; what a layer adds is added to `base`, the stream that entered it."""
        where = slice(None) if self.position is None else self.position
        value = torch.zeros_like(row) if self.value is None else self.value.expand_as(row)
        row[where] = value[where] if base is None else base[where] + value[where]


Intervention = Sequence[Replacement]
"""All replacements of one pass; none leaves the pass as it is."""


def run_interventions(
    model: "LoadedModel",
    clean: Activations,
    interventions: Sequence[Intervention],
    on_progress: OnProgress = no_progress,
) -> Iterator[tuple[int, Float[Tensor, "token vocabulary"]]]:
    """The index and the logits of each intervention; those that begin in the same layer share a batch.

    Raises UserError for a component that the model does not have.
    """
    logits = clean.predicted()
    most = max(1, min(MOST_ROWS, BATCH_BYTES // logits.nbytes))
    by_first_layer: dict[int, list[int]] = defaultdict(list)
    for index, intervention in enumerate(interventions):
        by_first_layer[_first_replaced_layer(clean.parts, intervention)].append(index)
    done = 0
    on_progress(0, len(interventions))
    for first, indices in sorted(by_first_layer.items()):
        for begin in range(0, len(indices), most):
            batch = indices[begin : begin + most]
            logits_by_row = _run_batch(model, clean, [interventions[index] for index in batch], first)
            done += len(batch)
            on_progress(done, len(interventions))
            yield from zip(batch, logits_by_row, strict=True)


@torch.inference_mode()
def _run_batch(model: "LoadedModel", clean: Activations, rows: Sequence[Intervention], first: int) -> Tensor:
    resumes = first >= 0 and can_resume(model, clean)

    def run(copies: int) -> Tensor:
        if resumes:
            return _resume_pass(model, clean, first, copies)
        logits = logits_of(model, model.module(**_repeated_values(clean.encoded.arguments, copies)))
        assert logits is not None
        return logits

    return run_replaced(clean.parts, rows, run)


@torch.inference_mode()
def run_replaced(parts: Parts, rows: Sequence[Intervention], run: Callable[[int], Tensor]) -> Tensor:
    """What `run` makes of so many copies of one text, each under its own intervention."""
    edits, handler = _edits(parts, rows)
    with editing(edits), handling(handler):
        return run(len(rows))


def _first_replaced_layer(parts: Parts, intervention: Intervention) -> int:
    """The lowest replaced layer of the predicting stack; -1 for no replacement or one in the stack before (an encoder).

    A pass resumes from here: with blocks 0 1 2 3 and replacements in 2 and 3, blocks 0 and 1 are not run.
    """
    if not intervention or any(_stack(item.component) != parts.kind for item in intervention):
        return -1
    return min(item.component.layer for item in intervention)


def _stack(component: Component) -> SiteKind:
    return "decoder" if component.kind == "cross" else component.kind


def _repeated(value: Any, rows: int) -> Any:
    """A tensor of one row expanded to `rows`; tuples item by item, everything else as it is."""
    if isinstance(value, tuple):
        return tuple(_repeated(part, rows) for part in value)
    if isinstance(value, Tensor) and value.ndim > 1 and value.shape[0] == 1:
        return value.expand(rows, *value.shape[1:])
    return value


def _repeated_values(arguments: dict[str, Any], rows: int) -> dict[str, Any]:
    return {name: _repeated(value, rows) for name, value in arguments.items()}


def _resume_pass(model: "LoadedModel", clean: Activations, first: int, rows: int) -> Tensor:
    """The logits of the blocks from `first` on, begun with the clean stream that entered it, in `rows` copies."""
    blocks = [block for block in clean.parts.stack if block.layer >= first]
    residual = clean.residual[clean.parts.kind, first].expand(rows, -1, -1)
    for block in blocks:
        args, kwargs = clean.block_calls[block.layer]
        args, kwargs = _repeated(args, rows), _repeated_values(kwargs, rows)
        if args and isinstance(args[0], Tensor):
            output = block.module(residual, *args[1:], **kwargs)
        else:
            output = block.module(**{**kwargs, "hidden_states": residual})
        residual = output[0] if isinstance(output, tuple) else output
    return read_out(model, clean.parts, residual)


def read_out(model: "LoadedModel", parts: Parts, residual: Tensor) -> Tensor:
    """Logits of the stream after the last block: final norm, unembedding, and the soft cap of Gemma 2."""
    assert parts.unembedding is not None
    logits: Tensor = parts.unembedding(residual if parts.final_norm is None else parts.final_norm(residual))
    cap = getattr(getattr(model.module, "config", None), "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.tanh(logits / cap)


_resumes: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_resumes_lock = Lock()


def can_resume(model: "LoadedModel", clean: Activations) -> bool:
    """Whether running the blocks alone gives the model's own logits; tried once for each model."""
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
    # Two rows, so that blocks which cannot take a batch are found out.
    with handling(attention.z):
        try:
            logits = _resume_pass(model, clean, clean.parts.stack[0].layer, 2)
        except (RuntimeError, TypeError, ValueError, AttributeError):
            return False
    return logits.shape[1:] == expected.shape and bool(
        (logits - expected).abs().max() <= LOGITS * expected.abs().max().clamp(min=1.0)
    )


APPLIED: dict[Part, int] = {"residual": 0, "head": 1, "attention": 1, "mixer": 1, "feed_forward": 1, "layer": 2}
"""In which order replacements apply: the stream before what reads it; what a layer adds to the stream that it read."""


def _edits(parts: Parts, rows: Sequence[Intervention]) -> tuple[dict[Any, Edit], attention.Handler]:
    """The rows' replacements as edits of modules, and those of heads as a handler at the seam."""
    items = [(row, item) for row, intervention in enumerate(rows) for item in intervention]
    edits: dict[Any, list[Edit]] = defaultdict(list)
    heads: dict[int, list[tuple[int, Replacement]]] = defaultdict(list)
    for row, item in sorted(items, key=lambda numbered: APPLIED[numbered[1].component.part]):
        part, kind, layer = item.component.part, item.component.kind, item.component.layer
        if part == "head":
            heads[id(parts.attention(kind, layer).module)].append((row, item))
        elif part == "layer":
            entered: list[Tensor] = []
            module = parts.block(kind, layer).module
            edits[module, "input"].append(entered.append)
            edits[module, "output"].append(_replace_row(row, item, len(rows), entered))
        else:
            edits[_hook_point(parts, item.component)].append(_replace_row(row, item, len(rows), []))
    return {point: partial(apply_edits, edits=chain) for point, chain in edits.items()}, _head_handler(heads)


def _hook_point(parts: Parts, component: Component) -> tuple[nn.Module, Literal["input", "output"]]:
    """The module, and the side of it, where a component can be replaced. Raises UserError where there is none."""
    if component.part == "attention":
        return parts.attention(component.kind, component.layer).writer, "output"
    block = parts.block(component.kind, component.layer)
    if component.part == "residual":
        return block.module, "input"
    if component.part == "mixer" and block.mixer is not None:
        return block.mixer, "output"
    if block.feed_forward is None:
        raise UserError("This model has no feed-forward layers; choose a head or a layer.")
    return block.feed_forward, "output"


def _replace_row(row: int, item: Replacement, rows: int, entered: list[Tensor]) -> Edit:
    def edit(tensor: Tensor) -> Tensor:
        # Some families (OPT) flatten batch and tokens for the feed-forward layer: [row * token, width].
        edited = tensor.reshape(rows, -1, tensor.shape[-1]).clone()
        item.write(edited[row], entered[0][row] if entered else None)
        return edited.view_as(tensor)

    return edit


def _head_handler(heads: dict[int, list[tuple[int, Replacement]]]) -> attention.Handler:
    """A handler that computes each call as usual and then writes the rows' replacements into their heads."""

    def handler(call: AttentionCall) -> Tensor:
        z = attention.z(call)
        items = heads.get(id(call.module))
        if not items:
            return z
        z = z.clone()
        for row, item in items:
            head = item.component.head
            if not 0 <= (head or 0) < call.n_heads:
                raise UserError("There is no head {head}; choose 0 to {last}.", head=head, last=call.n_heads - 1)
            item.write(z[row, head])
        return z

    return handler
