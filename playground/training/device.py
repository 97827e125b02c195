"""Where a run computes: found by name, and refused with a sentence where this machine cannot."""

import torch
from torch import nn

from playground.errors import UserError
from playground.training.config import DeviceName, TrainConfig


def choose_device(config: TrainConfig) -> torch.device:
    """The device that the config names; auto takes the fastest that is there.

    Raises UserError for a device that this machine lacks, and for bfloat16 where it would only slow the run down.
    """
    device = torch.device(_fastest() if config.device == "auto" else config.device)
    if not _is_there(device.type):
        raise UserError("This machine has no {type} device; choose auto or cpu.", type=device.type)
    if config.precision == "bfloat16" and device.type == "cpu":
        raise UserError("bfloat16 is two to three times slower than float32 on a processor; choose float32.")
    return device


def device_of(model: nn.Module) -> torch.device:
    """Where the model's weights are."""
    return next(model.parameters()).device


def _fastest() -> DeviceName:
    return next((name for name in ("cuda", "mps") if _is_there(name)), "cpu")


def _is_there(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available()
    return kind == "cpu" or (kind == "mps" and torch.backends.mps.is_available())
