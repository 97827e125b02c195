"""A fine-tuned model as it is stored: the name of its base, and only the weights that were trained.

    finetuned.json          the base, its checksum, the labels of a new head, LoRA's factor (FinetunedRecord)
    trained.safetensors     trained tensors by their name in the base; of LoRA NAME.lora_A.weight and NAME.lora_B.weight

`load` puts them into the base: LoRA becomes part of its matrices, W + (alpha / r) B A.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from playground.errors import UserError
from playground.models.adapters.low_rank import with_low_rank
from playground.text import N_
from playground.transformer import Transformer

if TYPE_CHECKING:
    from playground.models.heads import ModelHead
    from playground.models.loading import LoadedModel

ONE_STACK = N_("{name} reads with one stack and writes with another; choose an encoder or a decoder to classify texts.")
RECORD, TRAINED = "finetuned.json", "trained.safetensors"
LORA_A, LORA_B = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True, kw_only=True)
class FinetunedRecord:
    """What a fine-tuned model was made of."""

    base: str
    """The name under which `load` finds it."""
    revision: str | None
    sha256: str
    """Of the base's weights: on other weights the trained ones mean nothing."""
    labels: tuple[str, ...] = ()
    """Of a new head; empty without one."""
    padding: int = 0
    """The token that fills short rows."""
    scale: float = 0.0
    """alpha / rank of LoRA; 0 without."""


def is_finetuned(folder: Path) -> bool:
    """Whether a folder holds a fine-tuned model that needs its base."""
    return (folder / RECORD).is_file()


def read_record(folder: Path, name: str) -> FinetunedRecord:
    """The record in a folder. Raises UserError for a damaged one."""
    try:
        values = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        values["labels"] = tuple(str(label) for label in values["labels"])
        return FinetunedRecord(**values)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError("The {file} of {name} is damaged; export the run again.", file=RECORD, name=name) from error


def weights_hash(folder: Path) -> str:
    """The SHA-256 of all safetensors files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class Tunable:
    """A model of which parts can be trained."""

    whole: nn.Module
    """Our transformer, or a module of transformers with its head."""
    is_head: Callable[[str], bool]
    """Whether a parameter of it belongs to a new head."""


def tunable(base: "LoadedModel", labels: tuple[str, ...], padding: int) -> Tunable:
    """The base's module, with a new head for these labels if there are any. Raises UserError where it can have none."""
    if not labels:
        return Tunable(whole=base.module, is_head=lambda name: False)
    if base.kind == "encoder-decoder":
        raise UserError(ONE_STACK, name=base.name)
    if isinstance(base.module, Transformer):
        return Tunable(whole=_own_classifier(base.module, len(labels)), is_head=lambda n: n.startswith("classifier."))
    from playground.models.adapters.hub_model import classifier_of

    whole, is_head = classifier_of(base, labels, padding)
    return Tunable(whole=whole, is_head=is_head)


def _own_classifier(module: Transformer, classes: int) -> Transformer:
    """The model with a new output layer of its classifier; what an encoder has learned to pool stays."""
    new = Transformer(dataclasses.replace(module.config, classes=classes))
    kept = {k: v for k, v in module.state_dict().items() if not k.startswith("classifier.output.")}
    new.load_state_dict({name: tensor for name, tensor in kept.items() if name in new.state_dict()}, strict=False)
    return new.eval()


def merge(module: nn.Module, trained: Mapping[str, Tensor], scale: float) -> None:
    """Put trained tensors into a module; LoRA's pairs are added to their matrices. Raises UserError for others."""
    parameters = dict(module.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        # A matrix may stand in the file, too (peft): first as it is, then changed.
        for name, tensor in sorted(trained.items(), key=lambda item: item[0].endswith(LORA_A)):
            target = parameters.get(_target_of(name))
            try:
                if target is None:
                    raise ValueError(name)
                if name.endswith(LORA_A):
                    path = name.removesuffix(LORA_A)
                    target.copy_(with_low_rank(module.get_submodule(path), tensor, trained[path + LORA_B], scale))
                elif not name.endswith(LORA_B):
                    target.copy_(tensor)
            except (RuntimeError, ValueError, KeyError, AttributeError) as error:
                raise UserError("The trained weights do not belong to this base ({name}).", name=name) from error


def _target_of(name: str) -> str:
    for ending in (LORA_A, LORA_B):
        if name.endswith(ending):
            return name.removesuffix(ending) + ".weight"
    return name


def load_finetuned(folder: Path, name: str, *, device: str, dtype: str, load: Callable[..., "LoadedModel"]) -> Any:
    """The base with its trained weights, as a LoadedModel. Raises UserError where the base is gone or another one."""
    from safetensors.torch import load_file

    record = read_record(folder, name)
    base = load(record.base, revision=record.revision, device="cpu", dtype="float32")
    refuse_other_base(record, base)
    made = tunable(base, record.labels, record.padding)
    merge(made.whole, load_file(folder / TRAINED), record.scale)
    whole = made.whole.to(device=device, dtype=getattr(torch, dtype)).eval().requires_grad_(False)
    return dataclasses.replace(put_together(base, whole, record.labels), folder=folder, device=device, dtype=dtype)


def put_together(base: "LoadedModel", whole: nn.Module, labels: tuple[str, ...]) -> "LoadedModel":
    """The base with other weights, and with a head for these labels if there are any."""
    parameters = list(whole.parameters())
    counted = sum(parameter.numel() for parameter in parameters)
    changes = _own_fields(labels, base, whole) if base.is_own else _hub_fields(labels, base, whole)
    return dataclasses.replace(base, parameters=counted, bytes=counted * parameters[0].element_size(), **changes)


def refuse_other_base(record: FinetunedRecord, base: "LoadedModel") -> None:
    """Raise UserError if the base's weights are not those that were fine-tuned."""
    if weights_hash(base.folder) != record.sha256:
        raise UserError(
            "The weights of {name} are not those that were fine-tuned; put the old ones back, or fine-tune again.",
            name=base.name,
        )


def _own_fields(labels: tuple[str, ...], base: "LoadedModel", whole: nn.Module) -> dict[str, Any]:
    assert isinstance(whole, Transformer)
    has_head = base.has_output_head and (whole.config.kind != "encoder" or whole.config.tied or not labels)
    if not labels:
        return {"module": whole, "has_output_head": has_head}
    from playground.models.adapters.own_head import head_of

    head = head_of(whole, labels)
    return {"module": whole, "has_output_head": has_head, "classes": len(labels), "head": head}


def _hub_fields(labels: tuple[str, ...], base: "LoadedModel", whole: nn.Module) -> dict[str, Any]:
    if not labels:
        return {"module": whole}
    from playground.models.adapters.pretrained_head import pretrained_head

    head: ModelHead = pretrained_head(whole, base.tokenizer, "text", ())
    part: Any = whole
    fields = {"module": part.base_model, "has_output_head": False}
    return {**fields, "classes": len(labels), "head": head}
