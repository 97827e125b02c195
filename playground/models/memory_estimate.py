"""Estimate the memory that a model needs, and compare it with what the machine has."""

import os
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.models.formats.checkpoint import Checkpoint
from playground.text import N_

BYTES_PER_NUMBER = {"float32": 4, "float16": 2, "bfloat16": 2}
TRACED_TOKENS = 2048
"""Length of the longest text that is traced."""
VECTORS_PER_LAYER = 6
"""Per token and layer a trace keeps query, key, value, output and two residual vectors of the model's width."""
FIXED_ALLOWANCE = 256 * 2**20
"""Bytes for torch's own buffers, whatever the model."""
UNLIMITED = 1 << 60
"""Control groups write a number near 2^63 for no limit."""
DOES_NOT_FIT = N_(
    "{name} does not fit: {parameters:,} parameters in {dtype} need about {needed} with working memory, and "
    "{available} are available on {device}. Choose a smaller model."
)
DOES_NOT_FIT_WIDE = N_(
    "{name} does not fit: {parameters:,} parameters in {dtype} need about {needed} with working memory, and "
    "{available} are available on {device}. Choose a smaller model, or choose dtype bfloat16, which halves it."
)


class DoesNotFitError(UserError):
    """The model needs more memory than is available."""


def bytes_needed(checkpoint: Checkpoint, dtype: str) -> int:
    """Bytes to load a model and trace a long text: its weights in `dtype`, plus a working allowance.

    The allowance: FIXED_ALLOWANCE, and for each token VECTORS_PER_LAYER vectors per layer and the logits in float32.
    Tokens: TRACED_TOKENS or the model's context, whichever is less.
    """
    return checkpoint.parameters * BYTES_PER_NUMBER[dtype] + _allowance(checkpoint.config, dtype)


def _allowance(config: dict[str, Any], dtype: str) -> int:
    """Bytes of the working allowance; a size that the configuration does not state counts as 0."""
    # A multimodal configuration nests that of its language model.
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    assert isinstance(text, dict)
    tokens = min(_size_in(text, "max_position_embeddings", "n_positions", "context") or TRACED_TOKENS, TRACED_TOKENS)
    width = _size_in(text, "hidden_size", "d_model", "n_embd", "dim", "width")
    layers = _size_in(text, "num_hidden_layers", "n_layer", "num_layers", "n_layers", "layers")
    vocabulary = _size_in(text, "vocab_size", "vocabulary")
    vectors = VECTORS_PER_LAYER * layers * width * BYTES_PER_NUMBER[dtype]
    return tokens * (vectors + 4 * vocabulary) + FIXED_ALLOWANCE


def _size_in(config: dict[str, Any], *names: str) -> int:
    """The first of these keys with an integer value; 0 without one."""
    return next((config[name] for name in names if isinstance(config.get(name), int)), 0)


def check_fits(checkpoint: Checkpoint, *, name: str, device: str, dtype: str) -> int:
    """The bytes needed. Raises DoesNotFitError, with both numbers, if the device has less available."""
    needed, available = bytes_needed(checkpoint, dtype), available_bytes(device)
    if needed > available:
        raise DoesNotFitError(
            DOES_NOT_FIT_WIDE if dtype == "float32" else DOES_NOT_FIT,
            name=name,
            parameters=checkpoint.parameters,
            dtype=dtype,
            needed=_gigabytes(needed),
            available=_gigabytes(available),
            device=device,
        )
    return needed


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def available_bytes(device: str = "cpu") -> int:
    """Free bytes on the device; MPS shares the machine's memory."""
    if device.startswith("cuda"):
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        return free
    import psutil

    return int(min([psutil.virtual_memory().available, *_control_group_room()]))


def machine_bytes() -> int:
    """Memory of the machine, or the limit of the control group (container) if that is less."""
    import psutil

    limits = [limit for limit, _ in _control_groups()]
    return int(min([psutil.virtual_memory().total, *limits]))


def _control_group_room() -> list[int]:
    """What is left of each control group's limit; file caches count as free."""
    return [max(limit - used, 0) for limit, used in _control_groups()]


def _control_groups(
    root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> list[tuple[int, int]]:
    """(limit, used) in bytes of each limited control group of this process, version 2 before version 1."""
    folders = [*_lineage(root, own), root / "memory"]
    version2 = [_limit(folder, "memory.max", "memory.current", "inactive_file") for folder in folders[:-1]]
    version1 = _limit(folders[-1], "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    return [pair for pair in (*version2, version1) if pair is not None]


def _lineage(root: Path, own: Path) -> list[Path]:
    """The process's own version 2 group and its ancestors, up to the root."""
    path = next((line[3:].strip() for line in _read_text(own).splitlines() if line.startswith("0::")), "/")
    folder = Path(os.path.normpath(root / path.lstrip("/")))
    return [group for group in (folder, *folder.parents) if group == root or root in group.parents]


def _limit(folder: Path, limit_file: str, used_file: str, cache_key: str) -> tuple[int, int] | None:
    """A group's limit and its use without file caches; None without a limit."""
    limit = _read_text(folder / limit_file).strip()
    if not limit.isdigit() or int(limit) > UNLIMITED:
        return None
    used = _read_text(folder / used_file).strip()
    entries = [line.split() for line in _read_text(folder / "memory.stat").splitlines()]
    cached = next((int(entry[1]) for entry in entries if len(entry) == 2 and entry[0] == cache_key), 0)
    return int(limit), max((int(used) if used.isdigit() else 0) - cached, 0)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
