"""Copying: what repeats can be foreseen, and only that is counted."""

import numpy as np

from playground.tasks.copying import LENGTH, SHORTEST, copying_rows
from playground.tasks.task import IGNORED


def test_every_counted_label_is_the_token_one_block_before():
    batch = copying_rows(500, 64, np.random.default_rng(0))
    assert batch.ids.shape == batch.labels.shape == (64, LENGTH)
    assert (batch.ids[:, 0] == 0).all()
    assert (batch.ids[:, 1:] > 0).all()
    blocks = set()
    for ids, labels in zip(batch.ids.tolist(), batch.labels.tolist(), strict=True):
        row = [*ids[1:], labels[-1]]
        block = next(place for place, label in enumerate(labels) if label != IGNORED)
        assert labels[:block] == [IGNORED] * block
        assert labels[block:] == row[block:] == [row[place - block] for place in range(block, LENGTH)]
        blocks.add(block)
    assert min(blocks) >= SHORTEST
    assert max(blocks) == LENGTH // 2


def test_rows_are_as_long_as_asked_and_begin_with_the_start_token_asked_for():
    batch = copying_rows(500, 3, np.random.default_rng(0), start=7, length=20)
    assert batch.ids.shape == (3, 20)
    assert (batch.ids[:, 0] == 7).all()
