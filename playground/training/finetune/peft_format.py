"""LoRA adapters in the files of the library peft: adapter_config.json and adapter_model.safetensors.

A tensor NAME of the base is called base_model.model.NAME there; of a new head the whole modules are saved.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from playground.errors import UserError
from playground.models.adapters.finetuned import LORA_A, LORA_B
from playground.models.adapters.peft_adapter import (
    CONFIG,
    PREFIX,
    WEIGHTS,
    adapter_config,
    adapter_tensors,
    lora_scale,
)
from playground.training.lora import LoraLinear, add_lora

TASK_TYPES = {"labels": "SEQ_CLS", "passages": "CAUSAL_LM", "prompts": "CAUSAL_LM", "pairs": "SEQ_2_SEQ_LM"}
"""peft's name for what a task trains; our own models it knows by none."""


def write_adapter(
    folder: Path, trained: Mapping[str, Tensor], *, base: str, rank: int, alpha: float, task_type: str | None
) -> None:
    """Write an adapter: LoRA's pairs and the trained modules of a head.

    trained: tensors by their name in the base, as a run's checkpoint holds them.
    """
    modules = sorted(name.removesuffix(LORA_A) for name in trained if name.endswith(LORA_A))
    others = [name for name in trained if not name.endswith((LORA_A, LORA_B))]
    values = {
        "peft_type": "LORA",
        "task_type": task_type,
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "target_modules": modules,
        "modules_to_save": sorted({_saved_module(name, modules) for name in others}) or None,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "use_rslora": False,
        "inference_mode": True,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    tensors = {PREFIX + name: tensor.contiguous() for name, tensor in trained.items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def _saved_module(name: str, modules: list[str]) -> str:
    """The module that peft is to save for a trained tensor: the whole head, but of a stack with LoRA only a layer.

    >>> _saved_module("classifier.dense.weight", ["bert.q"]), _saved_module("bert.pooler.dense.weight", ["bert.q"])
    ('classifier', 'bert.pooler.dense')
    """
    outermost = name.partition(".")[0]
    is_stack = any(path.startswith(f"{outermost}.") for path in modules)
    return name.rpartition(".")[0] if is_stack else outermost


def read_adapter(folder: Path, model: nn.Module) -> tuple[str, ...]:
    """Put an adapter's LoRA beside a model's matrices, and its head's weights into the model; returns LoRA's paths.

    Raises UserError for another kind of adapter, and for one of another base.
    """
    values, named = adapter_config(folder), adapter_tensors(folder)
    paths = tuple(sorted(name.removesuffix(LORA_A) for name in named if name.endswith(LORA_A)))
    try:
        for path in paths:
            rank = int(named[path + LORA_A].shape[0])
            add_lora(model, path, rank=rank, alpha=1.0).scale = lora_scale(values, path, rank, folder)
        parameters = dict(model.named_parameters())
        with torch.no_grad():
            for name, tensor in named.items():
                parameters[name].copy_(tensor)
    except (KeyError, AttributeError, RuntimeError) as error:
        raise UserError("The adapter in {folder} belongs to another base.", folder=folder.name) from error
    return paths


@torch.no_grad()
def merged_state(model: nn.Module) -> dict[str, Tensor]:
    """The weights of a model with LoRA as of one without: detours become part of their matrices."""
    layers = {path: layer for path, layer in model.named_modules() if isinstance(layer, LoraLinear)}
    state = {}
    for name, tensor in model.state_dict().items():
        path = next((path for path in layers if name.startswith(f"{path}.")), None)
        if path is None:
            state[name] = tensor
        elif name == f"{path}.base.weight":
            state[f"{path}.weight"] = layers[path].merged()
        elif name == f"{path}.base.bias":
            state[f"{path}.bias"] = tensor
    return state
