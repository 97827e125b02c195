"""Copying: what repeats can be foreseen, and only that is counted."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.tasks.copying import LENGTH, SHORTEST, copying_rows
from playground.training import TrainConfig, train
from playground.training.trainer import tokens_seen
from tests.playground.training.small import task_of, train_config


def test_every_counted_target_is_the_token_one_block_before():
    ids, counted = copying_rows(500, 64, np.random.default_rng(0))
    assert (ids.shape, counted.shape) == ((64, LENGTH + 1), (64, LENGTH))
    assert (ids[:, 0] == 0).all()
    assert (ids[:, 1:] > 0).all()
    blocks = set()
    for row, marks in zip(ids[:, 1:].tolist(), counted.tolist(), strict=True):
        block = marks.index(True)
        assert marks == [False] * block + [True] * (LENGTH - block)
        assert all(row[i] == row[i - block] for i in range(block, LENGTH))
        blocks.add(block)
    assert min(blocks) >= SHORTEST
    assert max(blocks) == LENGTH // 2


def test_the_first_steps_copy_and_the_rest_read_the_text(tmp_path):
    plain = train_config(tmp_path, {"context": LENGTH})
    copying = TrainConfig.from_dict({**plain.to_dict(), "copying_steps": 3, "copying_rows": 4})
    task = task_of(plain)
    steps = list(train(copying, task))
    assert [step.tokens for step in steps[:3]] == [4 * LENGTH * n for n in (1, 2, 3)]
    assert steps[-1].tokens == tokens_seen(copying, 6) == 12 * LENGTH + 3 * plain.batch * plain.model.context
    assert all(np.isfinite(step.loss) for step in steps)
    assert steps[0].loss != next(train(plain, task)).loss


def test_a_context_shorter_than_the_rows_is_refused(tmp_path):
    with pytest.raises(UserError, match="at least 48"):
        train_config(tmp_path, copying_steps=1)


def test_only_the_repeats_move_the_loss():
    _, counted = copying_rows(50, 2, np.random.default_rng(1))
    losses = torch.arange(counted.numel(), dtype=torch.float32)
    block = counted[0].int().argmax()
    assert not counted[0, :block].any()
    assert losses[counted.flatten()].min() == float(block)
