"""LoRA's numbers as they are stored: B, A and alpha / r of each matrix, and single entries of their product."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.models.adapters.finetuned import LORA_A, LORA_B, TRAINED, is_finetuned, read_record


@dataclass(frozen=True, kw_only=True, eq=False)
class LowRankChange:
    """The change of one matrix: scale · B A (Hu et al. 2022, equation 3)."""

    path: str
    """Of the layer."""
    a: Float[np.ndarray, "rank inputs"]
    b: Float[np.ndarray, "outputs rank"]
    scale: float
    """alpha / r."""

    @property
    def rank(self) -> int:
        """r."""
        return len(self.a)

    @property
    def change(self) -> Float[np.ndarray, "outputs inputs"]:
        """scale · B A."""
        return np.asarray(self.scale * (self.b @ self.a))

    @property
    def largest(self) -> tuple[int, int]:
        """Row and column of the entry that moved furthest."""
        row, column = np.unravel_index(int(np.abs(self.change).argmax()), self.change.shape)
        return int(row), int(column)

    def terms(self, row: int, column: int) -> Float[np.ndarray, "rank"]:
        """B[row, k] · A[k, column] for each k: the entry is scale times their sum. Raises UserError outside."""
        if not 0 <= row < len(self.b) or not 0 <= column < self.a.shape[1]:
            raise UserError(
                "The matrix has rows 0 to {rows} and columns 0 to {columns}.",
                rows=len(self.b) - 1,
                columns=self.a.shape[1] - 1,
            )
        return np.asarray(self.b[row] * self.a[:, column])


def read_low_rank(folder: Path) -> dict[str, LowRankChange]:
    """The changes in a fine-tuned model's folder by the layer's path; empty where none were trained."""
    from safetensors.numpy import load_file

    if not is_finetuned(folder) or not (folder / TRAINED).is_file():
        return {}
    record, trained = read_record(folder, folder.name), load_file(folder / TRAINED)
    paths = [name.removesuffix(LORA_A) for name in trained if name.endswith(LORA_A)]
    return {
        path: LowRankChange(path=path, a=trained[path + LORA_A], b=trained[path + LORA_B], scale=record.scale)
        for path in paths
        if path + LORA_B in trained
    }


def trained_numbers(folder: Path) -> int:
    """How many numbers a fine-tuned model's folder holds: what was trained."""
    from safetensors.numpy import load_file

    return sum(tensor.size for tensor in load_file(folder / TRAINED).values())
