"""Find a model's parts by watching a few tokens pass through it: no list of families' names is needed.

A block is the outermost list element around an attention module; the output projection is the module that is given
what the seam returned; the writers are the modules whose outputs, added to the residual stream, give the block's own.
What does not add up is not claimed: a block of BERT has parts to ablate, but its stream is no sum.
"""

import itertools
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from playground.attention import AttentionCall, handling
from playground.errors import UserError
from playground.lens.capture.anatomy import TOLERANCE, AttentionParts, BlockParts, Parts, embedding_of
from playground.lens.capture.hooks import Edit, editing
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import SiteKind

if TYPE_CHECKING:
    from playground.models import LoadedModel

PROBE_TOKENS = 6


@dataclass(kw_only=True)
class _Watch:
    """What a pass did, in order: each module's name, what it was given and what it returned; each call's module."""

    names: dict[nn.Module, str]
    outputs: list[tuple[nn.Module, Tensor]] = field(default_factory=list)
    inputs: dict[nn.Module, Tensor] = field(default_factory=dict)
    calls: list[tuple[SiteKind, int, nn.Module, Tensor, int]] = field(default_factory=list)

    def given_to(self, module: nn.Module) -> Edit:
        """An edit that notes what the module is given and changes nothing."""
        return lambda tensor: self.inputs.update({module: tensor.clone()})

    def returned_by(self, module: nn.Module) -> Edit:
        """An edit that notes what the module returns and changes nothing."""
        return lambda tensor: self.outputs.append((module, tensor.clone()))

    def output(self, module: nn.Module) -> Tensor:
        """The last that the module returned."""
        return next(tensor for found, tensor in reversed(self.outputs) if found is module)


_found: WeakKeyDictionary[nn.Module, Parts] = WeakKeyDictionary()
_found_lock = Lock()


def find_parts(model: "LoadedModel") -> Parts:
    """The model's parts; looked for once. Raises UserError for a model whose parts cannot be told apart."""
    with _found_lock:
        known = _found.get(model.module)
    if known is None:
        known = _parts(model)
        with _found_lock:
            _found[model.module] = known
    return known


@torch.inference_mode()
def _parts(model: "LoadedModel") -> Parts:
    if model.attention == "eager":
        raise UserError(
            "The attention of the family {family} does not go through the seam, so its parts can be looked "
            "at but not changed; choose a model of another family.",
            family=model.family,
        )
    watch, output = _watched(model)
    counts = Counter(id(module) for _, _, module, _, _ in watch.calls)
    if not counts or max(counts.values()) > 1:
        raise UserError(
            "The layers of {name} share their weights, so that one cannot be changed without the others; "
            "choose a model of another family.",
            name=model.name,
        )
    blocks = tuple(_block(model, watch, number) for number in _self_attentions(watch))
    logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    return _around(model, watch, blocks, logits)


def _watched(model: "LoadedModel") -> tuple[_Watch, Any]:
    """Run a few tokens through the model and note what every module was given and returned."""
    names = {module: name for name, module in model.module.named_modules()}
    watch = _Watch(names=names)
    recorder = recorder_for(model.module, None if model.kind == "encoder-decoder" else model.kind, None)

    def handler(call: AttentionCall) -> Tensor:
        z = recorder(call)
        site = recorder.sites[-1]
        watch.calls.append((site.kind, site.layer, call.module, z.transpose(1, 2).flatten(2), len(watch.outputs)))
        return z

    edits: dict[Any, Edit] = {}
    for module in names:
        edits[module, "input"] = watch.given_to(module)
        edits[module, "output"] = watch.returned_by(module)
    with editing(edits), handling(handler):
        return watch, model.module(**_probe(model))


def _probe(model: "LoadedModel") -> dict[str, Any]:
    """The arguments of the probing pass; the target is shorter than the source, to tell them apart."""
    rows = int(embedding_of(model).num_embeddings)  # type: ignore[arg-type]
    ids = torch.arange(min(PROBE_TOKENS, rows, model.context), device=model.device)[None]
    name, target_name = ("ids", "target_ids") if model.family == "playground" else ("input_ids", "decoder_input_ids")
    target = {target_name: ids[:, : max(1, ids.shape[1] - 1)]} if model.kind == "encoder-decoder" else {}
    return {name: ids, **target}


def _self_attentions(watch: _Watch) -> list[int]:
    """Which calls are self-attention; each is a block of its own."""
    return [number for number, call in enumerate(watch.calls) if call[0] != "cross"]


def _block(model: "LoadedModel", watch: _Watch, number: int) -> BlockParts:
    """The block around one self-attention, and the cross-attention that follows within it."""
    kind, layer, attention, _, _ = watch.calls[number]
    block = _around_attention(model, watch, attention)
    inside = set(block.modules())
    calls = [call for call in watch.calls if call[2] in inside]
    completed = [number for number, (module, _) in enumerate(watch.outputs) if module is block]
    end = completed[-1]
    windows = [*(call[4] for call in calls), end]
    projections = [_projection(model, watch, call, inside) for call in calls]
    last = _last_matrix(watch, inside, windows[-2], end)
    feed_forward = None if last is None or last in projections else last
    writers = _writers(watch, block, inside, windows, projections, feed_forward)
    parts = [
        AttentionParts(module=call[2], projection=projection, writer=writer)
        for call, projection, writer in zip(calls, projections, writers or projections, strict=False)
    ]
    return BlockParts(
        kind="encoder" if kind == "encoder" else "decoder",
        layer=layer,
        module=block,
        attention=parts[0],
        cross=parts[1] if len(parts) > 1 else None,
        feed_forward=writers[-1] if writers and feed_forward is not None else feed_forward,
        is_additive=writers is not None,
    )


def _around_attention(model: "LoadedModel", watch: _Watch, attention: nn.Module) -> nn.Module:
    """The outermost element of a list of modules on the way to the attention: its block."""
    module: Any
    module, path = model.module, watch.names[attention].split(".")
    for name in path:
        parent, module = module, getattr(module, name)
        if isinstance(parent, nn.ModuleList):
            block: nn.Module = module
            return block
    raise UserError("The layers of {name} cannot be told apart; choose a model of another family.", name=model.name)


def _projection(model: "LoadedModel", watch: _Watch, call: Any, inside: set[nn.Module]) -> nn.Module:
    """The module that is given what the seam returned."""
    z = call[3]
    for module, _ in watch.outputs[call[4] :]:
        given = watch.inputs.get(module)
        if module in inside and given is not None and getattr(module, "weight", None) is not None:
            if given.numel() == z.numel() and torch.equal(given.flatten(), z.flatten()):
                return module
            break
    raise UserError(
        "{name} changes what its heads mixed before projecting it, so that their parts cannot be told "
        "apart; choose a model of another family.",
        name=model.name,
    )


def _last_matrix(watch: _Watch, inside: set[nn.Module], begin: int, end: int) -> nn.Module | None:
    """The last layer with a matrix that a block runs after its attention: the end of its feed-forward layer."""
    for module, _ in reversed(watch.outputs[begin:end]):
        weight = getattr(module, "weight", None)
        if module in inside and isinstance(weight, Tensor) and weight.ndim == 2:
            return module
    return None


def _writers(
    watch: _Watch,
    block: nn.Module,
    inside: set[nn.Module],
    windows: list[int],
    projections: list[nn.Module],
    feed_forward: nn.Module | None,
) -> list[nn.Module] | None:
    """One module for each layer of the block, such that input plus outputs is what the block returns; else None."""
    before, after = watch.inputs[block], watch.output(block)
    choices = []
    for begin, end in itertools.pairwise(windows):
        made = [(module, out) for module, out in watch.outputs[begin:end] if module in inside and module is not block]
        # Some families (OPT) lay all tokens in one row for the feed-forward layer.
        choices.append([(module, out) for module, out in made if out.numel() == after.numel()])
    wanted = len(projections) + (feed_forward is not None)
    if feed_forward is not None:
        choices.append(choices[-1])
    for chosen in itertools.product(*choices[:wanted]):
        modules = [module for module, _ in chosen]
        if len(set(modules)) == wanted and _same(sum((out.view_as(after) for _, out in chosen), start=before), after):
            return modules
    return None


def _around(model: "LoadedModel", watch: _Watch, blocks: tuple[BlockParts, ...], logits: Tensor | None) -> Parts:
    """The final norm, the unembedding, and whether the logits are one of the other."""
    residual = watch.output(blocks[-1].module)
    after = max(number for number, (module, _) in enumerate(watch.outputs) if module is blocks[-1].module)
    norm = next(
        (module for module, out in watch.outputs[after + 1 :] if _is_norm(module) and _given(watch, module, residual)),
        None,
    )
    module: Any = model.module
    head = module.head if model.family == "playground" else module.get_output_embeddings()
    head = head if model.has_output_head and isinstance(head, nn.Module) else None
    reads_out = False
    if head is not None and logits is not None and isinstance(getattr(head, "weight", None), Tensor):
        weight: Any = head.weight
        read = residual if norm is None else norm(residual)
        reads_out = read.shape[-1] == weight.shape[-1] and _same(head(read), logits)
    return Parts(blocks=blocks, embedding=embedding_of(model), final_norm=norm, unembedding=head, reads_out=reads_out)


def _is_norm(module: nn.Module) -> bool:
    return "norm" in type(module).__name__.lower()


def _given(watch: _Watch, module: nn.Module, residual: Tensor) -> bool:
    given = watch.inputs.get(module)
    return given is not None and torch.equal(given, residual)


def _same(found: Tensor, expected: Tensor) -> bool:
    """Whether two computations of the same numbers agree up to rounding."""
    largest = TOLERANCE.get(found.dtype, 1e-4) * float(expected.abs().max().clamp(min=1e-3))
    return found.shape == expected.shape and float((found - expected).abs().max()) <= largest
