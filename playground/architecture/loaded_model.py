"""The architecture of a loaded model, from the module itself: a few tokens run through it, and its parts are watched.

No family is named: a block is an element of the list around an attention layer, what runs before and after the blocks
stands around them, and what each box reads and writes tells how they are connected (data_flow.py).
"""

import re
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import nn

from playground.architecture.architecture import Architecture, Box, LayerGroup, ModelStack, Role
from playground.architecture.block_boxes import attention_by_name, block_boxes, is_norm, norm_kind
from playground.architecture.data_flow import find_stages
from playground.architecture.ownership import Ownership, own_weights
from playground.errors import UserError
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.capture.probe import ProbePass, run_probe

if TYPE_CHECKING:
    from playground.models import LoadedModel

StackKind = Literal["encoder", "decoder"]
_POSITION = re.compile(r"(^|\.|_)(position\w*|wpe|pos_emb\w*|relative\w*)(\.|$)")
_SEGMENT = re.compile(r"(^|\.)(token_type\w*|segment\w*|type_embed\w*)(\.|$)")

_known: WeakKeyDictionary[nn.Module, Architecture] = WeakKeyDictionary()
_known_lock = Lock()


class BlockRun(NamedTuple):
    """A block's run: where its outputs begin and end among all."""

    module: nn.Module
    begin: int
    end: int
    kind: StackKind


def architecture_of(model: "LoadedModel") -> Architecture:
    """The model's architecture; its parts are watched once. Raises UserError where no layers can be found."""
    with _known_lock:
        known = _known.get(model.module)
    if known is None:
        known = _describe(model)
        with _known_lock:
            _known[model.module] = known
    return known


@torch.inference_mode()
def _describe(model: "LoadedModel") -> Architecture:
    probe = run_probe(model)
    outputs = probe.recording.outputs
    runs = _block_runs(probe)
    blocks = {run.module for run in runs}
    containers = _containers(model.module, blocks)
    ownership = own_weights(model.module, {item.module for item in outputs} - containers, containers)
    outside = _outside(probe, runs, ownership)
    stacks = []
    for kind in dict.fromkeys(run.kind for run in runs):
        own = [run for run in runs if run.kind == kind]
        before = tuple(box for box in (_box(probe, ownership, item) for item in outside[kind, "before"]) if box)
        groups = tuple(_groups(probe, ownership, own))
        after = tuple(box for box in (_box(probe, ownership, item) for item in outside[kind, "after"]) if box)
        stacks.append(ModelStack(kind=kind, before=before, groups=groups, after=after))
    first = next(item.received for item in outputs[: runs[0].end + 1] if item.module is runs[0].module)
    left = [(path, ownership.weights_of([part])) for part, path in ownership.paths.items() if part in containers]
    unused = [Box(role="other", path=path, weights=weights) for path, weights in left if weights]
    unused += [Box(role="unused", path=path, weights=weights) for path, weights in ownership.never_run()]
    width = 0 if first is None else int(first.shape[-1])
    return Architecture(name=model.name, width=width, stacks=tuple(stacks), unused=tuple(unused))


def _block_runs(probe: ProbePass) -> list[BlockRun]:
    """The runs of all blocks in their order. Raises UserError where there are none."""
    root = probe.model.module
    paths = {part: path for path, part in root.named_modules()}
    kinds = {call.module: call.kind for call in probe.calls}
    attending = set(kinds) or attention_by_name(root)
    lists = {found for part in attending if (found := _outermost_list(root, paths[part])) is not None}
    of_block = {
        block: kind
        for part, kind in kinds.items()
        if kind != "cross" and (block := _element_around(root, paths[part])) is not None
    }
    blocks = {block for found in lists for block in found}
    fallback: StackKind = "encoder" if probe.model.kind == "encoder" else "decoder"
    runs, begin = [], 0
    for index, item in enumerate(probe.recording.outputs):
        if item.module in blocks:
            kind: StackKind = "encoder" if of_block.get(item.module, fallback) == "encoder" else "decoder"
            runs.append(BlockRun(item.module, begin, index, kind))
            begin = index + 1
    if not runs:
        raise UserError(
            "The layers of {name} cannot be told apart; choose a model of another family.", name=probe.model.name
        )
    return runs


def _outermost_list(root: nn.Module, path: str) -> nn.ModuleList | None:
    """The outermost list of modules on the way to a module."""
    module = root
    for name in path.split("."):
        inner = getattr(module, name)
        if isinstance(module, nn.ModuleList) and not isinstance(inner, nn.ModuleList):  # Funnel has lists of lists
            return module
        module = inner
    return None


def _element_around(root: nn.Module, path: str) -> nn.Module | None:
    """The element of the outermost list on the way to a module."""
    found = _outermost_list(root, path)
    return None if found is None else next(block for block in found if _is_below(root, block, path))


def _is_below(root: nn.Module, block: nn.Module, path: str) -> bool:
    target = root.get_submodule(path)
    return any(part is target for part in block.modules())


def _containers(root: nn.Module, blocks: set[nn.Module]) -> set[nn.Module]:
    """The modules around the blocks, the root included."""
    return {part for part in root.modules() if part not in blocks and not blocks.isdisjoint(part.modules())}


Place = tuple[StackKind, Literal["before", "after"]]


def _outside(probe: ProbePass, runs: list[BlockRun], ownership: Ownership) -> dict[Place, list[ModuleOutput]]:
    """What ran outside the blocks, by stack, before and after its layers."""
    inside = {part for run in runs for part in run.module.modules()}
    kinds = list(dict.fromkeys(run.kind for run in runs))
    places: dict[Place, list[ModuleOutput]] = {(kind, side): [] for kind in kinds for side in ("before", "after")}
    first, last = kinds[0], kinds[-1]
    ends = [run.end for run in runs if run.kind == first]
    root = ownership.paths[runs[0].module].rsplit(".", 2)[0] + "."
    for index, item in enumerate(probe.recording.outputs):
        if item.module in inside or not (item.module in ownership.by_module or is_norm(item.module)):
            continue
        if index < ends[0]:
            places[first, "before"].append(item)
        elif index > runs[-1].end:
            places[last, "after"].append(item)
        elif first != last and not ownership.paths[item.module].startswith(root):
            places[last, "before"].append(item)
        else:
            places[first, "after"].append(item)
    return places


def _box(probe: ProbePass, ownership: Ownership, item: ModuleOutput) -> Box | None:
    """A box outside the blocks; None for one that only names a bias which another box has."""
    weights = ownership.weights_of([item.module])
    if weights and all(weight.shared_with and not weight.is_matrix for weight in weights):
        return None
    received, path = item.received, ownership.paths[item.module]
    is_lookup = received is not None and not received.is_floating_point()
    source = next(iter(probe.recording.inputs.values())).shape[-1]
    tokens = source if is_lookup or received is None else received.numel() // received.shape[-1]
    role = _role(probe, item.module, path, is_lookup=is_lookup)
    return Box(
        role=role,
        path=path,
        weights=weights,
        norm=norm_kind(item) if role == "norm" else None,
        is_per_token=tokens >= source - 1,  # a target is one token shorter
    )


def _role(probe: ProbePass, module: nn.Module, path: str, *, is_lookup: bool) -> Role:
    adapter = probe.model.adapter
    if module is adapter.output_head():
        return "head"
    if is_norm(module):
        return "norm"
    if _POSITION.search(path):
        return "position"
    if _SEGMENT.search(path):
        return "segment"
    if is_lookup or module is adapter.embedding():
        return "embedding"
    return "pooler" if "pool" in path else "projection"


def _groups(probe: ProbePass, ownership: Ownership, runs: list[BlockRun]) -> list[LayerGroup]:
    """The layers, those that are alike and follow each other together."""
    repeats = [(module, len(list(same))) for module, same in groupby(run.module for run in runs)]
    groups: list[LayerGroup] = []
    signatures: list[object] = []
    position = 0
    for module, count in repeats:
        run = runs[position]
        boxes = block_boxes(probe, ownership, module, run.begin, run.end)
        block = probe.recording.outputs[run.end]
        stages = find_stages(boxes, block.output if block.received is None else block.received, block.output)
        group = LayerGroup(first=position, count=count, stages=stages, shares_weights=count > 1)
        signature = (_signature(group, ownership.paths[module]), count)
        if signatures and signature == signatures[-1] and count == 1:
            earlier = groups.pop()
            group = LayerGroup(first=earlier.first, count=earlier.count + 1, stages=earlier.stages)
        else:
            signatures.append(signature)
        groups.append(group)
        position += count
    return groups


def _signature(group: LayerGroup, path: str) -> object:
    """What makes two layers alike: the same boxes with the same shapes, connected alike."""

    def of_box(box: Box) -> object:
        facts = (box.role, box.n_heads, box.n_key_value_heads, box.head_width, box.experts, box.experts_per_token)
        weights = ((w.name.removeprefix(path), w.shape, bool(w.shared_with)) for w in box.weights)
        return (*facts, box.path.removeprefix(path), tuple(weights))

    return tuple(
        (
            tuple(map(of_box, stage.shared)),
            tuple(tuple(map(of_box, branch)) for branch in stage.branches),
            stage.adds,
            round(stage.factor, 4),
        )
        for stage in group.stages
    )
