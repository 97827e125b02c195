"""A folder that the library peft wrote: LoRA for a base that it names. `load` opens it as the base with LoRA merged."""

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from playground.errors import UserError
from playground.models.adapters.adapter_parts import changed_name, written_out
from playground.models.adapters.finetuned import LORA_A, LORA_B, merge, put_together, tunable
from playground.models.cache import is_folder
from playground.models.catalogue import catalogue
from playground.models.sources import local_folder

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."
WRAPPED = ".base_layer."
"""In the name of a matrix that stands in the file as it was, beside its LoRA: an embedding, or the output head."""


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter."""
    return (folder / CONFIG).is_file()


def adapter_config(folder: Path) -> dict[str, Any]:
    """The configuration of an adapter. Raises UserError for what is none, and for other kinds than plain LoRA."""
    try:
        values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        kind, unlike = values["peft_type"], _unlike(values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError("{folder} holds no adapter that can be read.", folder=folder.name) from error
    if kind != "LORA":
        raise UserError(
            "{folder} holds an adapter of the kind {kind}; only plain LoRA is read.", folder=folder.name, kind=kind
        )
    if unlike:
        raise UserError(
            "{folder} holds an adapter with {setting}; only plain LoRA is read.", folder=folder.name, setting=unlike
        )
    return dict(values)


UNLIKE = (
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "monteclora_config",
    "velora_config",
    "layer_replication",
    "megatron_config",
    "target_parameters",
)
"""Settings with which peft computes another thing than W + scale · B A on the base as it stands."""
CHANGES_BASE = ("pissa", "corda", "olora", "loftq", "lora_ga", "mica")
"""Beginnings of first values for which peft changes the base's matrices, too, whenever it opens the adapter."""


def _unlike(values: dict[str, Any]) -> str:
    """The setting by which a configuration asks for more than plain LoRA; empty without one."""
    start = values.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(CHANGES_BASE):
        return f"init_lora_weights={start[:40]}"
    return next((name for name in UNLIKE if values.get(name)), "")


def adapter_tensors(folder: Path) -> dict[str, Tensor]:
    """The tensors of an adapter by their names in the base. Raises UserError for a damaged file."""
    try:
        tensors = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise UserError("The adapter in {folder} is damaged; save it again.", folder=folder.name) from error
    return {name.removeprefix(PREFIX).replace(WRAPPED, "."): tensor for name, tensor in tensors.items()}


def lora_scale(values: dict[str, Any], path: str, rank: int, folder: Path) -> float:
    """alpha / r of the layer at a path, or alpha / sqrt(r) (Kalajdzievski 2023). Raises UserError without an alpha."""
    try:
        alpha = float(_stated_for(path, values.get("alpha_pattern") or {}, values["lora_alpha"]))
        return alpha / (rank**0.5 if values.get("use_rslora") else rank)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError, re.error) as error:
        raise UserError("{folder} holds no adapter that can be read.", folder=folder.name) from error


def _stated_for(path: str, patterns: dict[str, Any], otherwise: Any) -> Any:
    """The value of the first pattern that fits the end of a path, as peft finds it (get_pattern_key)."""
    fitting = (value for pattern, value in patterns.items() if _fits(pattern, path))
    return next(fitting, otherwise)


def _fits(pattern: str, path: str) -> bool:
    """Whether a path ends with a pattern. Raises ValueError for one that could take for ever."""
    if len(pattern) > LONGEST_PATTERN or REPEATED_GROUP.search(pattern) or len(REPEATS.findall(pattern)) > MOST_REPEATS:
        raise ValueError("a pattern that nobody writes")
    return re.match(rf"(.*\.)?({pattern})$", path) is not None


LONGEST_PATTERN, MOST_REPEATS = 500, 4
REPEATS, REPEATED_GROUP = re.compile(r"[*+{]"), re.compile(r"\)[*+{?]*[*+{]")
"""Each repeat multiplies the time by the path's length, a repeated group raises it to that power."""


def load_adapter(
    folder: Path, name: str, *, device: str, dtype: str, load: Callable[..., "LoadedModel"]
) -> "LoadedModel":
    """The base with an adapter merged. Raises UserError where the base is not here, or is another one."""
    values, tensors = adapter_config(folder), adapter_tensors(folder)
    base = load(_base_of(folder, values), device="cpu", dtype="float32")
    for key in [key for key in tensors if key.endswith(LORA_A)]:
        path, rank = key.removesuffix(LORA_A), len(tensors[key])
        b = tensors.get(path + LORA_B)
        if b is None:
            raise UserError("The adapter in {folder} is damaged; save it again.", folder=folder.name)
        tensors[path + LORA_B] = b * lora_scale(values, path, rank, folder)
    labels = _labels_of(values, tensors)
    made = tunable(base, labels, 0)
    if not values.get("ensure_weight_tying"):
        _untie(made.whole, tensors)
    scale = partial(lora_scale, values, folder=folder)
    rows = values.get("trainable_token_indices") or ()
    merge(made.whole, written_out(made.whole, tensors, scale=scale, tokens=rows), 1.0)
    whole = made.whole.to(device=device, dtype=getattr(torch, dtype)).eval().requires_grad_(False)
    return dataclasses.replace(
        put_together(base, whole, labels), folder=folder, device=device, dtype=dtype, name=name.strip()
    )


def _untie(whole: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Give each changed layer a matrix of its own: with peft an output head that was tied to the embedding is no more.

    tensors: the adapter's, by their names in the base.
    """
    owners = Counter(id(weight) for _name, weight in whole.named_parameters(remove_duplicate=False))
    changed = set(map(changed_name, tensors))
    for name, weight in list(whole.named_parameters(remove_duplicate=False)):
        if name in changed and owners[id(weight)] > 1:
            path, _dot, own = name.rpartition(".")
            setattr(whole.get_submodule(path), own, nn.Parameter(weight.detach().clone(), requires_grad=False))


def _base_of(folder: Path, values: dict[str, Any]) -> str:
    """What `load` calls the base. Raises UserError where it is not on this machine: nothing is fetched unasked."""
    stated = str(values.get("base_model_name_or_path") or "")[:500]
    entry = next((e for e in catalogue() if any(s.reference == stated for s in e.sources)), None)
    name = entry.name if entry else stated
    place = _place_of(name) if name.strip() and "://" not in name else None
    if place is None:
        raise UserError(
            "The adapter in {folder} belongs to {base}, which is not on this machine; load that model first.",
            folder=folder.name,
            base=stated or "?",
        )
    if is_adapter(place):
        raise UserError("The adapter in {folder} belongs to another adapter; merge that one first.", folder=folder.name)
    return name


def _place_of(name: str) -> Path | None:
    return Path(name).expanduser() if is_folder(name) else local_folder(name)


def _labels_of(values: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[str, ...]:
    """The labels of a classifier by number, as many as its output layer has: peft's files do not name them."""
    if values.get("task_type") != "SEQ_CLS" and not any(name.startswith("classifier.output.") for name in tensors):
        return ()
    heads = [
        name
        for name in tensors
        if name.endswith(".weight") and not name.endswith((LORA_A, LORA_B)) and name.partition(".")[0] in HEADS
    ]
    # Of a head of two layers, such as classifier.dense and classifier.out_proj, the one that answers.
    answering = max(heads, key=lambda name: ".out" in name, default=None)
    return () if answering is None else tuple(map(str, range(len(tensors[answering]))))


HEADS = ("classifier", "score", "classification_head", "summary")
"""The first word of what transformers and we call a classifier's layers."""
