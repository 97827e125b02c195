"""The boxes of one block of a loaded model: norms, attention, MLP, with what each received and returned."""

import re
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from playground.architecture.architecture import Box, NormKind, Role
from playground.architecture.data_flow import RunBox
from playground.architecture.ownership import Ownership
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.capture.probe import ProbedCall, ProbePass

EXPERTS_PER_TOKEN = ("num_experts_per_tok", "num_experts_per_token", "moe_top_k", "top_k_experts", "moe_topk")
"""How configurations call the number of experts that a token goes through."""
SAME_NORM = 0.05
"""Of the largest number: half precision rounds."""

_ATTENTION = re.compile(r"attention|attn", re.IGNORECASE)


@dataclass(kw_only=True, eq=False)
class _OpenBox:
    """A box while its modules are being collected."""

    role: Role
    call: ProbedCall | None = None
    items: list[ModuleOutput] = field(default_factory=list)


def is_norm(module: nn.Module) -> bool:
    """Whether a module is a norm, one without weights included (OLMo)."""
    return "norm" in type(module).__name__.lower() and not any(True for _child in module.children())


def block_boxes(probe: ProbePass, ownership: Ownership, block: nn.Module, begin: int, end: int) -> list[RunBox]:
    """The boxes of a block whose outputs stand from `begin` to `end`, in the order in which they run."""
    inside = set(block.modules())
    items = [
        (index, item)
        for index, item in enumerate(probe.recording.outputs[begin:end], start=begin)
        if item.module in inside and (item.module in ownership.by_module or is_norm(item.module))
    ]
    calls = [call for call in probe.calls if call.module in inside and begin <= call.outputs_before <= end]
    width = int(probe.recording.outputs[end].output.shape[-1])
    attending = {part for call in calls for part in call.module.modules()} if calls else attention_by_name(block)
    collected = _collect(items, calls, attending, width)
    boxes = [_run_box(probe, ownership, block, opened, begin, end) for opened in collected]
    rest = ownership.weights_of([block])
    if rest:
        state = probe.recording.outputs[end]
        boxes.append(_loose(Box(role="other", path=ownership.paths[block], weights=rest), state.output))
    return boxes


def _loose(box: Box, state: Tensor) -> RunBox:
    """A box for weights that belong to no module of the block; what it reads is not known."""
    nothing = torch.full_like(state, torch.nan)
    return RunBox(box=box, received=nothing, output=nothing)


def norm_kind(item: ModuleOutput) -> NormKind | None:
    """Which norm a module is, by what it does and not by its name: T5's LayerNorm takes no mean away.

    A LayerNorm returns the same for numbers that are all larger by one; an RMSNorm does not.
    """
    if item.received is None or item.received.shape != item.output.shape:
        return None
    rows = item.received.float()
    try:
        weight = next(item.module.parameters(), rows)
        moved = item.module((rows + rows.std()).to(weight.dtype)).float()
        again = item.module(rows.to(weight.dtype)).float()
    except Exception:  # one that takes more than the stream
        return None
    largest = float(again.abs().max())
    return "LayerNorm" if float((moved - again).abs().max()) < SAME_NORM * max(largest, 1e-6) else "RMSNorm"


def attention_by_name(root: nn.Module) -> set[nn.Module]:
    """The modules of attention layers that do not pass the seam: the names of their classes have to tell."""
    return {part for around in root.modules() if _ATTENTION.search(type(around).__name__) for part in around.modules()}


def _collect(
    items: list[tuple[int, ModuleOutput]], calls: list[ProbedCall], attending: set[nn.Module], width: int
) -> list[_OpenBox]:
    """Sort the modules into boxes."""
    within = {part: call for call in calls for part in call.module.modules()}
    opened: dict[int, _OpenBox] = {}
    boxes: list[_OpenBox] = []
    for index, item in items:
        call = within.get(item.module) or _projected(item, index, calls)
        if call is not None and not _follows_projection(item, index, call, width):
            if id(call) not in opened:
                role: Role = "cross_attention" if call.kind == "cross" else "attention"
                opened[id(call)] = _OpenBox(role=role, call=call)
                boxes.append(opened[id(call)])
            opened[id(call)].items.append(item)
        elif is_norm(item.module) and item.output.shape[-1] == width:
            boxes.append(_OpenBox(role="norm", items=[item]))
        else:
            role = "feed_forward" if calls or item.module not in attending else "attention"
            if boxes and boxes[-1].role == role:
                boxes[-1].items.append(item)
            else:
                boxes.append(_OpenBox(role=role, items=[item]))
    _name_mixers(boxes)
    return boxes


def _name_mixers(boxes: list[_OpenBox]) -> None:
    """In a block without attention only the last layer is an MLP: what stands before it mixes tokens (LFM2's)."""
    if not any(opened.role in ("attention", "cross_attention") for opened in boxes):
        for opened in [opened for opened in boxes if opened.role == "feed_forward"][:-1]:
            opened.role = "mixer"


def _projected(item: ModuleOutput, index: int, calls: list[ProbedCall]) -> ProbedCall | None:
    """The attention whose output projection this is: it receives what `attend` returned."""
    received = item.received
    for call in calls:
        is_after = index >= call.outputs_before and received is not None
        if is_after and received is not None and torch.equal(received.flatten(), call.z.flatten()):
            return call
    return None


def _follows_projection(item: ModuleOutput, index: int, call: ProbedCall, width: int) -> bool:
    """Whether this is the norm of the stream that ALBERT keeps inside its attention layer."""
    is_late = index > call.outputs_before and is_norm(item.module) and item.output.shape[-1] == width
    return is_late and item.received is not None and not _projected(item, index, [call])


def _run_box(
    probe: ProbePass, ownership: Ownership, block: nn.Module, opened: _OpenBox, begin: int, end: int
) -> RunBox:
    modules = list(dict.fromkeys(item.module for item in opened.items))
    weights = ownership.weights_of(modules)
    around = _smallest_around(block, modules, ownership)
    whole = _whole(probe, around, begin, end) if around is not None and _is_one_box(around, opened) else None
    first, last = opened.items[0], opened.items[-1]
    if opened.call is not None:
        last = _projection(opened) or last
    received, output = (whole or first).received, (whole or last).output
    call = opened.call
    experts = max((weight.shape[0] for weight in weights if len(weight.shape) > 2), default=0)
    box = Box(
        role=opened.role,
        path=ownership.paths[around] if around is not None else _paths_below(block, modules, ownership),
        weights=weights,
        n_heads=call.n_heads if call else probe.model.n_heads * (opened.role == "attention"),
        n_key_value_heads=call.n_key_value_heads if call else 0,
        head_width=call.head_width if call else 0,
        value_width=call.value_width if call else 0,
        experts=experts,
        experts_per_token=_experts_per_token(probe, experts),
        norm=norm_kind(first) if opened.role == "norm" else None,
    )
    inner = None if last.output is output else last.output
    return RunBox(box=box, received=output if received is None else received, output=output, inner=inner)


def _paths_below(block: nn.Module, modules: list[nn.Module], ownership: Ownership) -> str:
    """Modules that only the block itself holds together: "model.decoder.layers.0.fc1, fc2"."""
    path = ownership.paths[block]
    below = (ownership.paths[part].removeprefix(f"{path}.").partition(".")[0] for part in modules)
    return f"{path}." + ", ".join(dict.fromkeys(below))


def _smallest_around(block: nn.Module, modules: list[nn.Module], ownership: Ownership) -> nn.Module | None:
    """The smallest module of the block that holds them all; None where that is the block itself."""
    if len(modules) == 1:
        return modules[0]
    holding = [part for part in block.modules() if part is not block and set(modules) <= set(part.modules())]
    return max(holding, key=lambda part: len(ownership.paths[part]), default=None)


def _is_one_box(around: nn.Module, opened: _OpenBox) -> bool:
    """Whether a module holds nothing but the box: BERT's attention holds a norm of the stream, too."""
    own = {item.module for item in opened.items}
    return all(part in own or not is_norm(part) for part in around.modules())


def _whole(probe: ProbePass, module: nn.Module, begin: int, end: int) -> ModuleOutput | None:
    outputs = probe.recording.outputs[begin:end]
    return next((item for item in outputs if item.module is module), None)


def _projection(opened: _OpenBox) -> ModuleOutput | None:
    """The last module that ran of an attention layer, without the layer itself, which may return other things."""
    call = opened.call
    inner = [item for item in opened.items if call is None or item.module is not call.module]
    return inner[-1] if inner else None


def _experts_per_token(probe: ProbePass, experts: int) -> int:
    if not experts:
        return 0
    config: Any = getattr(probe.model.module, "config", None)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    stated = (getattr(text, name, None) for name in EXPERTS_PER_TOKEN)
    return next((int(value) for value in stated if isinstance(value, int)), experts)
