"""The model that learns on: opened as something to train, and its trained part as a run's state."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from playground.models import load
from playground.models.adapters.finetuned import (
    RECORD,
    TRAINED,
    FinetunedRecord,
    tunable,
    weights_hash,
)
from playground.models.adapters.hub_model import HubModel, HubShape, as_ours
from playground.models.loading import LoadedModel
from playground.tasks.finetune.reader import Reader, reader_for
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.trained_parts import TrainedParts, choose_trained
from playground.training.optimizers import make_optimizer
from playground.training.trainer import TrainingState, seeded
from playground.transformer import Transformer

_opened: dict[tuple[str, str | None], LoadedModel] = {}
"""The base that was last opened to read texts, until its training starts: it is not loaded twice."""


def open_base(name: str, revision: str | None) -> LoadedModel:
    """A copy of the base in float32 on the CPU; it is changed, so that nobody else may have it."""
    kept = _opened.pop((name, revision), None)
    return kept or load(name, revision=revision, device="cpu", dtype="float32")


def reader_of(name: str, revision: str | None) -> Reader:
    """How the base reads texts: its tokenizer, kind, and special tokens."""
    base = open_base(name, revision)
    _opened.clear()
    _opened[name, revision] = base
    return reader_for(base)


@dataclass(kw_only=True)
class FinetuningState(TrainingState):
    """The state of a fine-tuning: the whole model, of which checkpoints keep what is trained."""

    record: FinetunedRecord
    whole: nn.Module
    """The model under its own names."""
    modules: tuple[str, ...]
    """The layers that have LoRA beside them."""

    def weights(self) -> dict[str, Tensor]:
        """What is trained, by its name in the base."""
        return {
            name: parameter.detach().contiguous()
            for name, parameter in self.whole.named_parameters()
            if parameter.requires_grad
        }

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Take a checkpoint's trained weights. Raises ValueError for others."""
        parameters = {name: p for name, p in self.whole.named_parameters() if p.requires_grad}
        if weights.keys() != parameters.keys():
            raise ValueError("other weights")
        with torch.no_grad():
            for name, tensor in weights.items():
                parameters[name].copy_(tensor)

    @property
    def weights_file(self) -> str:
        """The name of the file that holds them in a checkpoint."""
        return TRAINED

    def describe(self, tokenizer: Any) -> dict[str, str]:
        """The record of the base, and the model's configuration."""
        whole: Any = self.whole
        config = whole.config.to_dict()
        labels = {"id2label": {str(index): name for index, name in enumerate(self.record.labels)}}
        values = {**config, **(labels if self.record.labels else {})}
        return {
            RECORD: json.dumps(dataclasses.asdict(self.record), indent=2, ensure_ascii=False) + "\n",
            "config.json": json.dumps(values, indent=2, ensure_ascii=False, default=str) + "\n",
        }


def start_finetuning(config: FinetuneConfig, device: Any, labels: tuple[str, ...]) -> FinetuningState:
    """The base with a new head and LoRA where they are asked for, and an optimiser for what learns.

    Raises UserError for a base that cannot be loaded, or does not have the parts.
    """
    base = open_base(config.base, config.revision)
    reader = reader_for(base)
    whole, modules = seeded(config.seed, lambda: _prepared(config, base, labels, reader.padding))
    shape = HubShape(kind=base.kind, context=base.context, classes=len(labels))
    model = as_ours(whole, shape)
    if isinstance(model, HubModel):
        model.split_where_exact(torch.tensor([reader.encode("The cat sat on the mat.")]))
    model.eval().to(device)
    record = FinetunedRecord(
        base=config.base,
        revision=config.revision,
        sha256=weights_hash(base.folder),
        labels=labels,
        padding=reader.padding,
        scale=config.parts.alpha / config.parts.rank if modules else 0.0,
    )
    return FinetuningState(
        model=cast(Transformer, model),  # a HubModel has the same methods
        optimizer=make_optimizer(config, whole),
        record=record,
        whole=whole,
        modules=modules,
    )


def _prepared(
    config: FinetuneConfig, base: LoadedModel, labels: tuple[str, ...], padding: int
) -> tuple[nn.Module, tuple[str, ...]]:
    """The module in which exactly what is to learn can learn."""
    made = tunable(base, labels, padding)
    whole = _scratch(made.whole) if config.from_scratch else made.whole
    parts = TrainedParts(method="all") if config.from_scratch else config.parts
    return whole, choose_trained(whole, parts, is_new=made.is_head)


def _scratch(whole: nn.Module) -> nn.Module:
    """The same architecture with random weights."""
    if isinstance(whole, Transformer):
        return Transformer(whole.config).eval()
    module: Any = whole
    return cast(nn.Module, type(module)._from_config(module.config)).eval()
