"""Inspect a model folder without loading it: configuration, weight files, safetensors headers.

Only safetensors is accepted: pickled weights and a model's own Python files can run code.
"""

import json
import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from playground.errors import UserError

PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
SHARD = re.compile(r"[^/\\]*\d+-of-\d+[^/\\]*(\.safetensors)?")
"""A part of the weights, as the libraries that write them name it; which ones belong together, the index says."""
LARGEST_HEADER, LARGEST_CONFIG = 16 << 20, 4 << 20
"""Bytes. A header has some hundred for each tensor; the safetensors library would take 100 MB."""
MOST_BRACKETS = 1_000_000
"""Lists and objects in a header: two for each tensor. Python's take many times the bytes of their text."""

WITHOUT_VOCABULARY = ("ByT5Tokenizer", "CanineTokenizer", "PerceiverTokenizer")
"""Tokenizers whose vocabulary is arithmetic: bytes or code points."""
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tekken.json",
    "vocab.txt",
    "vocab.json",
    "vocab-src.json",
    "spiece.model",
    "spm.model",
    "spm_char.model",
    "source.spm",
    "sentencepiece.model",
    "sentencepiece.bpe.model",
    "prophetnet.tokenizer",
    "byte_maps.json",
)
"""A vocabulary, as transformers' tokenizers call their files."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model folder that can be loaded safely."""

    folder: Path
    config: dict[str, Any]
    """config.json."""
    weights: tuple[Path, ...]
    """The safetensors files."""
    tensors: int
    """How many the weights hold."""
    parameters: int
    bytes: int
    """Size of the weight files."""

    @property
    def family(self) -> str:
        """The configuration's model_type: "gpt2", "bert", …; "playground" for our own."""
        return str(self.config.get("model_type", ""))


def inspect(folder: Path, name: str) -> Checkpoint:
    """Inspect a model folder. Raises UserError for anything missing, damaged or unsafe.

    name: what the user calls the model.
    """
    config = read_config(folder, name)
    refuse_configuration(name, config)
    names = {path.name for path in folder.iterdir() if path.is_file()}
    weights = tuple(folder / file for file in sorted(_expand(folder, name, weight_files_among(name, names))))
    if not any(file in names for file in TOKENIZER_FILES) and not _needs_no_vocabulary(folder):
        raise UserError("{name} has no tokenizer; put tokenizer.json beside its weights.", name=name)
    sizes = [size for path in weights for size in tensor_sizes(path)]
    return Checkpoint(
        folder=folder,
        config=config,
        weights=weights,
        tensors=len(sizes),
        parameters=sum(sizes),
        bytes=sum(path.stat().st_size for path in weights),
    )


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """The folder's config.json. Raises UserError if it is missing, unreadable or names no model_type."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError("{name} has no config.json; open a folder that save_pretrained has written.", name=name)
    try:
        values = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size <= LARGEST_CONFIG else None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            "The config.json of {name} cannot be read; fetch or save the model again.", name=name
        ) from error
    if not isinstance(values, dict) or not values.get("model_type"):
        raise UserError("The config.json of {name} names no model_type, so its family is unknown.", name=name)
    return values


def refuse_configuration(name: str, config: dict[str, Any]) -> None:
    """Raise UserError for a model that needs Python code of its own."""
    if config.get("auto_map") and not _is_native(str(config.get("model_type"))):
        raise UserError(
            "{name} brings Python code of its own, which is never run here; choose a model whose family "
            "transformers itself knows.",
            name=name,
        )


def _is_native(family: str) -> bool:
    """Whether transformers has the family's code, so that a model's own copy of it is not needed."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return family in CONFIG_MAPPING_NAMES


def weight_files_among(name: str, files: set[str]) -> set[str]:
    """The safetensors files to load among a folder's or repository's files, index included.

    Raises UserError if there are none, naming what there is instead.
    """
    if SINGLE in files:
        return {SINGLE}
    if INDEX in files:
        shards = {file for file in files if SHARD.fullmatch(file)}
        return (shards or {file for file in files if is_weights(file)}) | {INDEX}
    if "adapter_model.safetensors" in files:
        raise UserError(
            "{name} is an adapter, not a whole model; merge it into its base model and open that.", name=name
        )
    pickled = sorted(file for file in files if PurePosixPath(file).suffix in PICKLED and file != "training_args.bin")
    if pickled:
        raise UserError(
            "{name} has only pickle weights ({pickled}), which can run code when opened; ask for "
            "safetensors, or convert it yourself with save_pretrained.",
            name=name,
            pickled=pickled[0],
        )
    if any(file.endswith(".gguf") for file in files):
        raise UserError("{name} has only GGUF weights; open the safetensors version of it.", name=name)
    raise UserError("{name} has no weights: model.safetensors is missing.", name=name)


def is_weights(file: str) -> bool:
    """Whether a file of a repository's own folder may hold a part of its weights, whatever its name."""
    return file.endswith(".safetensors") and "/" not in file and not file.startswith("adapter_model.")


def _needs_no_vocabulary(folder: Path) -> bool:
    """Whether the folder's tokenizer reads bytes or code points, and so has no file of its own."""
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.get("tokenizer_class") in WITHOUT_VOCABULARY


def indexed_shards(folder: Path, name: str) -> set[str]:
    """The files that the index of the weights names; none without an index. Raises UserError if it is unreadable."""
    if not (folder / INDEX).is_file():
        return set()
    try:
        return set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            "The index of {name}'s weights cannot be read; fetch or save the model again.", name=name
        ) from error


def _expand(folder: Path, name: str, files: set[str]) -> set[str]:
    """The weight files, as the index lists them if there is one."""
    if INDEX not in files:
        return files
    shards = indexed_shards(folder, name)
    missing = sorted(shard for shard in shards if "/" in shard or "\\" in shard or not (folder / shard).is_file())
    if missing:
        raise UserError(
            "{name} is incomplete: {missing} is missing; fetch the model again.", name=name, missing=missing[0]
        )
    return shards


def parameters_in(path: Path) -> int:
    """Number of parameters in a safetensors file. Raises UserError as `tensor_sizes` does."""
    return sum(tensor_sizes(path))


def tensor_sizes(path: Path) -> list[int]:
    """How many numbers each tensor of a safetensors file holds. Raises UserError if it is damaged or cut short."""
    header, start = read_header(path)
    tensors = [entry for key, entry in header.items() if key != "__metadata__"]
    try:
        sizes = [_tensor_size(entry["shape"], *entry["data_offsets"]) for entry in tensors]
        end = max((entry["data_offsets"][1] for entry in tensors), default=0)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise _damaged(path) from error
    if start + end != path.stat().st_size:
        raise _damaged(path)
    return sizes


def _tensor_size(shape: list[int], begin: int, end: int) -> int:
    """The product of a shape. Raises ValueError for one that is none, or that its bytes cannot hold.

    Checked before it is multiplied: [1000000000, "a"] would make a text of a gigabyte.
    """
    if not all(type(number) is int and 0 <= number < 1 << 48 for number in (*shape, begin, end)) or len(shape) > 16:
        raise ValueError("no shape")
    size = math.prod(shape)
    if size > 2 * (end - begin):  # no number is stored in less than four bits
        raise ValueError("more numbers than bytes")
    return size


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """A safetensors file's header, and the offset of its data. Raises UserError if it is damaged."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            text = file.read(length) if length <= LARGEST_HEADER else b""
            header = json.loads(text) if text.count(b"[") + text.count(b"{") <= MOST_BRACKETS else None
    except (struct.error, ValueError, RecursionError) as error:
        raise _damaged(path) from error
    except OSError as error:
        raise UserError(
            "{name} cannot be read ({reason}); check the folder's permissions.", name=path.name, reason=error.strerror
        ) from error
    if not isinstance(header, dict):
        raise _damaged(path)
    return header, 8 + length


def _damaged(path: Path) -> UserError:
    return UserError(
        "{name} is damaged or cut short; delete its folder, and fetch or save the model again.", name=path.name
    )
