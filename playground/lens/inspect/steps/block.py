"""How a block combines its layers with the residual stream, found by which sums give the numbers it returned.

Each layer writes into the stream: its output, in some families normed (Gemma 2) or multiplied (Granite), is added to
it. A block of BERT norms the sum; one of GPT-NeoX, Phi or Cohere gives attention and feed-forward layer the same
stream. What does not add up is not claimed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.inspect.steps.activation import agrees
from playground.lens.inspect.steps.feed_forward import FeedForward, find_feed_forward, has_matrix, linear_map
from playground.lens.inspect.steps.gate import Gate, find_gate
from playground.lens.inspect.steps.norm_map import LinearMap, NormMap, find_norm_map
from playground.lens.inspect.steps.token_rows import SeamRows, TokenRows
from playground.lens.tolerances import tolerance

LayerKind = Literal["attention", "cross_attention", "mixer", "feed_forward"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sublayer:
    """One layer of a block, and how its output reaches the stream."""

    kind: LayerKind
    output: Float[Tensor, "row width"]
    """What its last matrix returned; a mixer's is the model's own, which nothing recomputes."""
    projection: LinearMap | None = None
    """Attention's output projection."""
    seam: SeamRows | None = None
    gate: Gate | None = None
    """What multiplies z before the projection (Qwen3-Next)."""
    feed_forward: FeedForward | None = None
    input_norm: NormMap | None = None
    """Of a feed-forward layer; None where it reads the stream as it is."""
    reads_start: bool = False
    """Whether it reads the stream from before the block: attention and feed-forward layer run side by side."""
    written_norm: NormMap | None = None
    """What norms the output before it is added."""
    sum_norm: NormMap | None = None
    """What norms the stream after it was added (post-norm)."""
    factor: float = 1.0
    """What the output is multiplied by before it is added."""

    replaces: bool = False
    """Whether what it writes takes the stream's place: a model without residual connections."""

    def after(self, stream: Float[Tensor, "row width"], written: Float[Tensor, "row width"]) -> Tensor:
        """The stream after the layer has written, normed where the sum is."""
        total = written if self.replaces else stream + written
        return total if self.sum_norm is None else self.sum_norm(total)

    def written(self, output: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        """What is added to the stream for an output."""
        return self.factor * (output if self.written_norm is None else self.written_norm(output))


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockRows:
    """One block at some tokens."""

    layer: int
    start: Float[Tensor, "row width"]
    """The stream before it."""
    end: Float[Tensor, "row width"]
    """The stream after it, as the model has it."""
    sublayers: tuple[Sublayer, ...]

    @property
    def feed_forward(self) -> Sublayer | None:
        """Its feed-forward layer; None where it has none."""
        return next((one for one in self.sublayers if one.kind == "feed_forward"), None)

    @property
    def is_parallel(self) -> bool:
        """Whether attention and feed-forward layer read the same stream."""
        return any(one.reads_start for one in self.sublayers)

    @property
    def is_post_norm(self) -> bool:
        """Whether the sums are normed, so that the stream is no sum of what was written."""
        return any(one.sum_norm is not None for one in self.sublayers)


class _Combination(NamedTuple):
    """A block's layers with what stands between them and the stream."""

    layers: tuple[Sublayer, ...]
    error: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """The part of a pass in which one block ran."""

    rows: TokenRows
    layer: int
    module: nn.Module
    calls: tuple[SeamRows, ...]
    outputs: tuple[ModuleOutput, ...]
    """Of the modules inside the block."""
    moments: tuple[int, ...]
    """Where in the pass each of the outputs stands."""
    last: ModuleOutput
    """The block's own."""
    mixer: nn.Module | None = None
    """What mixes tokens in a block without attention (LFM2, Jamba)."""


def find_block(window: Window) -> BlockRows:
    """The block's layers and how they are combined. Raises UserError where no sum gives what the block returned."""
    start, end = window.last.received, window.last.output
    layers = [_attention(window, call) for call in window.calls] or _mixers(window)
    feed_forward = find_feed_forward(window.rows, _outside_attention(window)) if layers else _alone(window)
    if feed_forward is not None:
        layers.append(Sublayer(kind="feed_forward", output=feed_forward.output, feed_forward=feed_forward))
    if start is None or start.shape != end.shape:
        raise _refusal(window)
    combined = _clearest(list(_combinations(window, layers, start, [], ())))
    if combined is None:
        raise _refusal(window)
    return BlockRows(layer=window.layer, start=start, end=end, sublayers=_with_inputs(window, combined, start))


def _clearest(found: Sequence[_Combination]) -> tuple[Sublayer, ...] | None:
    """The first combination, the simplest, unless another comes much closer; None where there is none."""
    best = next(iter(found), None)
    for other in found:
        if best is not None and other.error < best.error / 10:
            best = other
    return None if best is None else best.layers


def _refusal(window: Window) -> UserError:
    return UserError(
        "How block {layer} of the family {family} combines its layers cannot be told: no sum of what they return gives "
        "what the block returns. Choose a model of another family.",
        layer=window.layer,
        family=window.rows.model.family,
    )


def _attention(window: Window, call: SeamRows) -> Sublayer:
    """An attention layer: the first matrix after the seam that receives what `attend` returned, or that gated."""
    own = set(call.module.modules())
    for moment, item in zip(window.moments, window.outputs, strict=True):
        if moment >= call.outputs_before and has_matrix(item.module) and item.received is not None:
            is_direct = agrees(item.received, call.z, window.rows.dtype)
            gate = None if is_direct else _gate(window, call, item)
            if not is_direct and gate is None:
                if item.module in own:
                    continue  # a matrix that makes the gate itself (NeoMME)
                break
            projection = linear_map(item.module)
            kind: LayerKind = "cross_attention" if call.kind == "cross" else "attention"
            return Sublayer(kind=kind, output=item.output, projection=projection, seam=call, gate=gate)
    raise UserError(
        "The family {family} changes what its heads mixed before projecting it; choose a model of another family.",
        family=window.rows.model.family,
    )


def _gate(window: Window, call: SeamRows, projection: ModuleOutput) -> Gate | None:
    """The gate between a call of `attend` and this projection."""
    own, received = set(call.module.modules()), projection.received
    if received is None or received.shape != call.z.shape:
        return None
    outputs = [item.output for item in window.outputs if item.module in own and item is not projection]
    return find_gate(outputs, call.z, received, heads=call.heads, dtype=window.rows.dtype)


def _mixers(window: Window) -> list[Sublayer]:
    """What stands in the place of attention in a block without it; nothing in a feed-forward layer's own block."""
    if window.mixer is None:
        raise _refusal(window)
    output = next(item.output for item in window.outputs if item.module is window.mixer)
    alone = _alone(window)
    return [] if alone is not None and torch.equal(alone.output, output) else [Sublayer(kind="mixer", output=output)]


def _alone(window: Window) -> FeedForward | None:
    """A block's only layer, if that is a feed-forward layer (Nemotron-H)."""
    assert window.mixer is not None
    inside = set(window.mixer.modules())
    if any(has_matrix(item.module) and item.module not in inside for item in window.outputs):
        return None
    try:
        return find_feed_forward(window.rows, window.outputs)
    except UserError:
        return None


def _outside_attention(window: Window) -> list[ModuleOutput]:
    """The outputs that belong to no attention layer."""
    inside = {module for call in window.calls for module in call.module.modules()}
    if window.mixer is not None:
        inside |= set(window.mixer.modules())
    projections = {id(_projection_item(window, call)) for call in window.calls}
    return [item for item in window.outputs if item.module not in inside and id(item) not in projections]


def _projection_item(window: Window, call: SeamRows) -> ModuleOutput | None:
    after = (item for moment, item in zip(window.moments, window.outputs, strict=True) if moment >= call.outputs_before)
    return next((item for item in after if has_matrix(item.module)), None)


def _combinations(
    window: Window, layers: Sequence[Sublayer], stream: Tensor, pending: list[Tensor], done: tuple[Sublayer, ...]
) -> Iterator[_Combination]:
    """Every way in which the layers' outputs give what the block returned, the simplest first.

    pending: what was added since the stream was last the output of a norm.
    """
    if len(done) == len(layers):
        yield from _closed(window, stream, pending, done)
        return
    layer = layers[len(done)]
    for written_norm, written in _written(window, layer):
        one = replace(layer, written_norm=written_norm)
        # Either all layers of a block write into the stream, or each takes its place.
        if not any(other.replaces for other in done):
            yield from _combinations(window, layers, stream, [*pending, written], (*done, one))
            total = stream + written + sum(pending, start=torch.zeros_like(stream))
            for norm, normed in _norms_of(window, total):
                yield from _combinations(window, layers, normed, [], (*done, replace(one, sum_norm=norm)))
        if all(other.replaces for other in done):
            yield from _combinations(window, layers, written, [], (*done, replace(one, replaces=True)))


def _closed(
    window: Window, stream: Tensor, pending: list[Tensor], done: tuple[Sublayer, ...]
) -> Iterator[_Combination]:
    """The combination, if what is pending gives the block's output, as it is or multiplied by one factor."""
    end, dtype = window.last.output, window.rows.dtype
    written = sum(pending, start=torch.zeros_like(stream))
    error = _error(stream, written, end)
    if _adds_up(stream, written, end, dtype):
        yield _Combination(done, error)
        return
    square = float(written.double().square().sum())
    factor = float((written.double() * (end - stream).double()).sum()) / square if square else 0.0
    if factor and _adds_up(stream, factor * written, end, dtype):
        scaled = tuple(one if one.sum_norm is not None or one.replaces else replace(one, factor=factor) for one in done)
        yield _Combination(scaled, _error(stream, factor * written, end))


def _adds_up(stream: Tensor, written: Tensor, end: Tensor, dtype: torch.dtype) -> bool:
    """Whether stream + written = end, measured by what was written: some streams are thousands of times larger."""
    rounding = 8 * torch.finfo(dtype).eps * float(stream.abs().max())
    return _error(stream, written, end) <= tolerance("module", dtype) * float(written.abs().max()) + rounding


def _error(stream: Tensor, written: Tensor, end: Tensor) -> float:
    return float((stream + written - end).abs().max())


def _written(window: Window, layer: Sublayer) -> Iterator[tuple[NormMap | None, Tensor]]:
    """What the layer may have added: its output, or what a norm made of it."""
    yield None, layer.output
    yield from _norms_of(window, layer.output)


def _norms_of(window: Window, received: Tensor) -> list[tuple[NormMap, Tensor]]:
    """What the block's norms made of these numbers."""
    found = []
    for item in window.outputs:
        if item.received is not None and agrees(item.received, received, window.rows.dtype):
            norm = find_norm_map(item.module, item.received, item.output, window.rows.dtype)
            if norm is not None:
                found.append((norm, item.output))
    return found


def _with_inputs(window: Window, layers: tuple[Sublayer, ...], start: Tensor) -> tuple[Sublayer, ...]:
    """The layers, the feed-forward one with the norm that made its input, and which stream it normed."""
    stream, read = start, []
    for layer in layers:
        if layer.feed_forward is not None:
            layer = _with_input(window, layer, start, stream)
        read.append(layer)
        stream = layer.after(stream, layer.written(layer.output))
    return tuple(read)


def _with_input(window: Window, layer: Sublayer, start: Tensor, stream: Tensor) -> Sublayer:
    assert layer.feed_forward is not None
    x, dtype = layer.feed_forward.input, window.rows.dtype
    found: list[tuple[float, Sublayer]] = []
    for reads_start, source in ((False, stream), (True, start)):
        if agrees(source, x, dtype):
            found.append((float((source - x).abs().max()), replace(layer, reads_start=reads_start)))
        for norm, normed in _norms_of(window, source):
            if agrees(normed, x, dtype):
                error = float((norm(source) - x).abs().max())
                found.append((error, replace(layer, input_norm=norm, reads_start=reads_start)))
    if found:
        return min(found, key=lambda pair: pair[0])[1]
    raise UserError(
        "What the feed-forward layer of block {layer} of the family {family} receives is no norm of the stream, so its "
        "numbers cannot be told. Choose a model of another family.",
        layer=window.layer,
        family=window.rows.model.family,
    )
