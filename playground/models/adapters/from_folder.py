"""Build a module of transformers from a folder, with weights that are read into memory.

transformers itself maps the files: a folder that is saved again under a loaded model would change its numbers, or end
the process with SIGBUS where a file becomes shorter.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playground.models.formats.checkpoint import Checkpoint


def module_from_folder(model_class: Any, checkpoint: Checkpoint, **settings: Any) -> tuple[Any, dict[str, Any]]:
    """The module, and what transformers reports of its loading; settings: for its `from_pretrained`.

    A tensor is read when its parameter is filled, so that each is held once.
    """
    folder = checkpoint.folder
    config = settings.pop("config", None) or model_class.config_class.from_pretrained(folder, local_files_only=True)
    with _tensors_in(checkpoint.weights) as tensors:
        module, report = model_class.from_pretrained(
            None, config=config, state_dict=tensors, output_loading_info=True, **settings
        )
    module.name_or_path = module.config.name_or_path = str(folder)
    if module.can_generate():
        module.generation_config = _generation_settings(folder)
    return module, report


@contextlib.contextmanager
def _tensors_in(files: tuple[Path, ...]) -> Iterator[dict[str, Any]]:
    """The tensors of safetensors files by name, each of which is read when it is sliced."""
    from safetensors import safe_open

    with contextlib.ExitStack() as opened:
        parts = [opened.enter_context(safe_open(file, framework="pt", backend="pread")) for file in files]
        yield {name: _lazily(part, name) for part in parts for name in part.keys()}  # noqa: SIM118, no mapping


def _lazily(part: Any, name: str) -> Any:
    """What is read when it is sliced; a tensor without numbers (MobileBERT's, of equal widths) has nothing to slice."""
    sliced = part.get_slice(name)
    return part.get_tensor(name) if 0 in sliced.get_shape() else sliced


def _generation_settings(folder: Path) -> Any:
    """What the folder says of generation: in a file of its own, or as old ones do in config.json."""
    from transformers import GenerationConfig

    try:
        return GenerationConfig.from_pretrained(folder, local_files_only=True)
    except OSError:
        return GenerationConfig.from_pretrained(
            folder, config_file_name="config.json", _from_model_config=True, local_files_only=True
        )
