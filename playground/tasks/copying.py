"""Copying: a block of random tokens again and again. Right is the token that followed last time.

Nothing but an induction head can do it (Olsson et al. 2022), so a short time of it makes one, and text that is
learnt afterwards keeps it. Only the repeats are counted: the first block cannot be foreseen, and its surprise
would drown the signal.
"""

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

LENGTH = 48
SHORTEST = 6


def copying_rows(
    vocabulary: int, rows: int, generator: np.random.Generator, *, start: int = 0
) -> tuple[Int[Tensor, "row position"], Bool[Tensor, "row target"]]:
    """Rows of a start token and LENGTH tokens; and which targets (the tokens after the first) are repeats."""
    ids = np.full((rows, LENGTH + 1), start)
    counted = np.zeros((rows, LENGTH), dtype=bool)
    for row in range(rows):
        block = int(generator.integers(SHORTEST, LENGTH // 2 + 1))
        ids[row, 1:] = np.resize(generator.integers(1, vocabulary, block), LENGTH)
        counted[row, block:] = True
    return torch.from_numpy(ids), torch.from_numpy(counted)
