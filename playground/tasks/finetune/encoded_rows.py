"""What the tasks of fine-tuning share: rows that were encoded for one base, and are saved as texts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from playground.tasks.finetune.reader import Reader
from playground.tasks.finetune.rows import SplitRows, save_rows
from playground.tasks.task import Batch
from playground.transformer import TransformerConfig

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedRows(Generic[Row]):
    """Rows to train on and to hold out."""

    reader: Reader
    split: SplitRows
    """The texts that were encoded."""
    train: list[Row]
    held_out: list[Row]
    left_out: int = 0
    """Texts that are longer than is read, and not trained on."""
    class_names: tuple[str, ...] = ()

    @property
    def tokenizer(self) -> Any:
        """The base's."""
        return self.reader.tokenizer

    def check_fits(self, model: TransformerConfig) -> None:
        """The rows were encoded for this model."""

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Random training rows."""
        return self.training_batch(generator.integers(0, len(self.train), rows).tolist())

    def training_batch(self, rows: list[int]) -> Batch:
        """The training rows of these numbers."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write the texts: resuming reads them, not their source."""
        save_rows(folder, self.split)
