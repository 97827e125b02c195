"""Load a model by catalogue name, folder, hub id or run: `load("smollm2-135m")`."""

import contextlib
import dataclasses
import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playground.errors import UserError
from playground.models.cache import (
    HUB_SOURCE,
    folder_stamp,
    is_folder,
    is_run_name,
    looks_like_path,
    read_provenance,
    run_checkpoint_folder,
    shipped_folder,
)
from playground.models.cache_bound import mark_used
from playground.models.catalogue import OWN_FAMILY, Kind, find
from playground.models.download_progress import (
    DownloadProgress,
    IsCancelled,
    OnDownload,
    never_cancelled,
    no_download_progress,
)
from playground.models.formats.checkpoint import Checkpoint, inspect
from playground.models.memory_estimate import BYTES_PER_NUMBER, check_fits
from playground.models.rehearsal import check_decoder, is_panic, rehearse_file
from playground.models.sources import fetch

if TYPE_CHECKING:
    from torch import nn

    from playground.models.adapters.adapter import ModelAdapter
    from playground.models.heads import ModelHead

NO_STATED_LIMIT = 2048
"""Context of a model that states none (relative positions): the longest text that is traced."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedModel:
    """A model ready to run, and its provenance."""

    name: str
    """Its catalogue name, or what `load` was called with."""
    kind: Kind
    family: str
    """The configuration's model_type; "playground" for our own."""
    module: "nn.Module"
    """In evaluation mode, without gradients."""
    tokenizer: Any
    """Of transformers; for our own models a `tokenizers.Tokenizer`."""
    context: int
    """Most tokens it reads."""
    device: str
    """"cpu", "cuda:1", …"""
    dtype: str
    """"float32", …"""
    revision: str | None
    """Commit, version or checksum; None for a folder of the user's own."""
    source: str
    """Readable: "Hugging Face hub owner/name", "training run", "folder /…"."""
    note: str
    """What was done to the weights, such as rounding; usually empty."""
    folder: Path
    """The folder that it was loaded from."""
    parameters: int
    bytes: int
    """Size of the weights in memory."""
    layers: int
    """Blocks of the only stack, or of the decoder."""
    n_heads: int
    """Query heads in each of these layers."""
    has_output_head: bool
    """Whether it predicts tokens (an encoder: masked ones)."""
    attention: Literal["interface", "eager"]
    """"interface": its calls pass through `playground.attention`; "eager": it only reports its weights itself."""
    classes: int = 0
    """Classes of its classifier; 0 without one."""
    head: "ModelHead | None" = None
    """Its classifier, or what finds an answer in a text; None without one."""
    stamp: int = 0
    """The state of its folder's files (`folder_stamp`); 0 for a model of the catalogue or the hub."""

    @property
    def is_own(self) -> bool:
        """Whether it is a `playground.transformer.Transformer`."""
        return self.family == OWN_FAMILY

    @property
    def adapter(self) -> "ModelAdapter":
        """The adapter of its family."""
        from playground.models.adapters.adapter import adapter_of

        return adapter_of(self)


def load(
    name: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    progress: OnDownload = no_download_progress,
    cancelled: IsCancelled = never_cancelled,
) -> LoadedModel:
    """Load a model, downloading it first if necessary.

    name: a catalogue name, a local folder, a hub id, or run/<id>/<step> for a training run's checkpoint. device:
    auto, cpu, cuda, cuda:1, mps. dtype: auto, float32, float16, bfloat16; auto is the checkpoint's own on CUDA and
    float32 elsewhere. Raises UserError for everything that can go wrong.
    """
    from playground.models.adapters.weight_checks import guard_embedding, refuse_not_a_number
    from playground.models.build_bounds import bounded_build, check_counts

    folder, stamp = find_folder(name, revision, progress, cancelled), folder_stamp(name)
    mark_used(folder)
    if (folder / FINETUNED).is_file():
        return _load_finetuned(folder, name, stamp, device, dtype)
    if (folder / ADAPTER).is_file():
        return _load_adapter(folder, name, stamp, device, dtype)
    with _user_errors(name):
        checkpoint = inspect(folder, name)
        check_counts(checkpoint.config, name)
        device = resolve_device(device)
        dtype = resolve_dtype(dtype, device, checkpoint.config)
        check_fits(checkpoint, name=name, device=device, dtype=dtype)
        progress(DownloadProgress(stage="loading"))
        _try_tokenizer(folder, name)
        with BUILD_LOCK, bounded_build(checkpoint, name):
            parts = _build(checkpoint, name, device, dtype)
        origin = _origin(name, checkpoint)
        model = LoadedModel(folder=folder, stamp=stamp, device=device, dtype=dtype, **origin, **parts)
        refuse_not_a_number(model.module, name)
        check_decoder(model.tokenizer, name)
        guard_embedding(model)
    return model


def _load_finetuned(folder: Path, name: str, stamp: int, device: str, dtype: str) -> LoadedModel:
    """A fine-tuned model: its base, with the weights that were trained."""
    from playground.models.adapters.finetuned import TRAINED, load_finetuned

    with _user_errors(name):
        device = resolve_device(device)
        kept = "float32" if dtype == "auto" else resolve_dtype(dtype, device, {})
        model: LoadedModel = load_finetuned(folder, name, device=device, dtype=kept, load=load)
        checksum = hashlib.sha256((folder / TRAINED).read_bytes()).hexdigest()
    origin: dict[str, Any] = {"name": name.strip(), "source": f"folder {folder}", "revision": None}
    if is_run_name(name):
        origin |= {"source": "training run", "revision": f"step {int(folder.name)}, sha256:{checksum[:12]}"}
    elif entry := find(name):
        origin |= {"name": entry.name, "source": str(entry.sources[0]), "revision": f"sha256:{checksum}"}
    return dataclasses.replace(model, **origin, note="", stamp=stamp)


def _load_adapter(folder: Path, name: str, stamp: int, device: str, dtype: str) -> LoadedModel:
    """An adapter of the library peft, merged into the base that it names."""
    from playground.models.adapters.peft_adapter import load_adapter

    with _user_errors(name):
        device = resolve_device(device)
        kept = "float32" if dtype == "auto" else resolve_dtype(dtype, device, {})
        model = load_adapter(folder, name, device=device, dtype=kept, load=load)
    return dataclasses.replace(model, source=f"folder {folder}", revision=None, note="", stamp=stamp)


FINETUNED = "finetuned.json"
"""Beside it lies only what was trained of a model."""
ADAPTER = "adapter_config.json"
"""Beside it lies LoRA for a base, as peft writes it."""
LONGEST_ID = 96
"""Characters of a hub id."""
BUILD_LOCK = threading.Lock()
"""transformers sets process-wide defaults while it builds a model, so that only one may be built at a time."""
PROBE_TEXT = "The cat sat on the mat."
"""What a new model reads first, to find out how its attention is seen."""


def _try_tokenizer(folder: Path, name: str) -> None:
    """Raise UserError for a stranger's tokenizer that cannot be opened, or not read a few words, in good time."""
    path = folder / "tokenizer.json"
    if find(name) is None and not is_run_name(name) and path.is_file():
        rehearse_file(path, name, PROBE_TEXT)


def _build(checkpoint: Checkpoint, name: str, device: str, dtype: str) -> dict[str, Any]:
    """The fields of LoadedModel that depend on the checkpoint."""
    if checkpoint.family == OWN_FAMILY:
        from playground.models.adapters.own import build_own

        return build_own(checkpoint, name, device, dtype)
    from playground.models.adapters.pretrained import build_pretrained

    return build_pretrained(checkpoint, name, device, dtype)


def find_folder(name: str, revision: str | None, progress: OnDownload, cancelled: IsCancelled) -> Path:
    """The model's folder: the user's own, a run's checkpoint, or a downloaded one. Raises UserError as `load` does."""
    entry = find(name)
    if not name.strip():
        raise UserError("No model is named; give a catalogue name, a folder or a hub id.")
    if is_run_name(name):
        if revision is not None:
            raise UserError("{name} is a checkpoint, which has no revisions; leave the revision empty.", name=name)
        return run_checkpoint_folder(name)
    if entry is None and is_folder(name):
        if revision is not None:
            raise UserError("{name} is a local folder, which has no revisions; leave the revision empty.", name=name)
        return Path(name).expanduser().resolve()
    if "://" in name:
        raise UserError("{name} is an address; give only the model's id, which looks like owner/name.", name=name)
    if entry is None and looks_like_path(name):
        raise UserError("There is no folder {name}; check the path.", name=name)
    if len(name) > LONGEST_ID:
        raise UserError("{name!r} is not a model id; a hub id looks like owner/name.", name=f"{name[:LONGEST_ID]}…")
    return fetch(name, revision=revision, progress=progress, cancelled=cancelled)


def resolve_device(device: str) -> str:
    """The device, auto resolved. Raises UserError if this machine does not have it."""
    import torch

    kinds = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(kind for kind, is_available in kinds.items() if is_available)
    kind, _, index = device.partition(":")
    if kind not in kinds or (index and not index.isdigit()):
        raise UserError("There is no device {device!r}; choose auto, cpu, cuda or mps.", device=device)
    if not kinds[kind] or (kind == "cuda" and index and int(index) >= torch.cuda.device_count()):
        raise UserError("This machine has no {device} that torch can use; choose auto or cpu.", device=device)
    return device


def resolve_dtype(dtype: str, device: str, config: dict[str, Any]) -> str:
    """The dtype, auto resolved: the checkpoint's own on CUDA, float32 elsewhere. Raises UserError for another name."""
    if dtype == "auto":
        stored = str(config.get("dtype") or config.get("torch_dtype") or "float32").removeprefix("torch.")
        return stored if device.startswith("cuda") and stored in BYTES_PER_NUMBER else "float32"
    if dtype not in BYTES_PER_NUMBER:
        raise UserError("There is no dtype {dtype!r} here; choose auto, float32, float16 or bfloat16.", dtype=dtype)
    return dtype


def _origin(name: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """name, source, revision and note of LoadedModel: from the folder's provenance file, or else from its path.

    The revision is a shipped model's SHA-256, or the commit after which huggingface_hub's cache names a folder. For a
    run's checkpoint it is the step with the beginning of the SHA-256, since a rewound run writes the step again. A
    folder of the user's own has none.
    """
    entry, folder = find(name), checkpoint.folder
    recorded = read_provenance(folder)
    origin = {"name": entry.name if entry else name.strip(), "note": recorded.get("note", "")}
    if recorded.get("source"):
        return {**origin, "source": recorded["source"], "revision": recorded.get("revision")}
    if entry and folder == shipped_folder(entry.name):
        return {**origin, "source": str(entry.sources[0]), "revision": _checksum(checkpoint)}
    if is_run_name(name):
        return {
            **origin,
            "source": "training run",
            "revision": f"step {int(folder.name)}, {_checksum(checkpoint)[:19]}",
        }
    if folder.parent.name == "snapshots" and re.fullmatch("[0-9a-f]{40}", folder.name):
        return {**origin, "source": HUB_SOURCE, "revision": folder.name}
    return {**origin, "source": f"folder {folder}", "revision": None}


def _checksum(checkpoint: Checkpoint) -> str:
    """The SHA-256 of the first weights file; our own models have only one."""
    return f"sha256:{hashlib.sha256(checkpoint.weights[0].read_bytes()).hexdigest()}"


MISMATCHED = "ignore_mismatched_sizes"
"""What transformers' error about tensors of other sizes names, such as a head for another number of labels."""


@contextlib.contextmanager
def _user_errors(name: str) -> Iterator[None]:
    """Turn every exception of the libraries into a UserError."""
    from safetensors import SafetensorError

    try:
        yield
    except UserError:
        raise
    except MemoryError as error:
        raise UserError("The memory ran out while loading {name}; choose a smaller model.", name=name) from error
    except SafetensorError as error:
        raise UserError("The weights of {name} are damaged; fetch or save the model again.", name=name) from error
    except Exception as error:
        if MISMATCHED in str(error):
            raise UserError("The weights of {name} have other sizes than its config.json says.", name=name) from error
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError("{name} could not be loaded: {reason}", name=name, reason=reason[:300]) from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise UserError("{name} could not be loaded: {reason}", name=name, reason=str(error)[:300]) from error
