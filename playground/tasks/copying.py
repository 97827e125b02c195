"""Copying: a block of random tokens again and again. Right is the token that followed last time.

Nothing but an induction head can do it (Olsson et al. 2022), so a short time of it makes one, and text that is
learnt afterwards keeps it. Only the repeats are counted: the first block cannot be foreseen, and its surprise
would drown the signal.
"""

import numpy as np
import torch

from playground.tasks.task import IGNORED, Batch

LENGTH = 48
SHORTEST = 6


def copying_rows(
    vocabulary: int, rows: int, generator: np.random.Generator, *, start: int = 0, length: int = LENGTH
) -> Batch:
    """Rows of a start token and tokens in a block that repeats; labels count the repeats only."""
    ids = np.full((rows, length + 1), start)
    labels = np.full((rows, length), IGNORED)
    for row in range(rows):
        block = int(generator.integers(SHORTEST, length // 2 + 1))
        ids[row, 1:] = np.resize(generator.integers(1, vocabulary, block), length)
        labels[row, block:] = ids[row, block + 1 :]
    return Batch(ids=torch.from_numpy(ids[:, :-1]), labels=torch.from_numpy(labels))
