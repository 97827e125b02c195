import itertools

import pytest
import torch

from playground.errors import UserError
from playground.jobs.range_test import range_test
from playground.tasks.registry import task_kind_of
from playground.training.lr_finder import find_rate
from tests.helpers.small_training import train_config

torch.set_num_threads(1)


@pytest.mark.slow
def test_the_process_finds_what_the_function_finds_and_ends_when_nobody_looks(tmp_path):
    config = train_config(tmp_path)
    expected = list(find_rate(config, task_kind_of(config.task).prepare(config.task), steps=8))
    seen = list(range_test(config, steps=8))
    assert seen[-1] == expected
    assert all(len(earlier) <= len(later) for earlier, later in itertools.pairwise(seen))
    watched = range_test(config, steps=100)
    next(watched)
    watched.close()


@pytest.mark.slow
def test_a_test_that_cannot_be_made_says_why(tmp_path):
    config = train_config(tmp_path)
    (tmp_path / "text.txt").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"There is no file|cannot be read"):
        list(range_test(config, steps=4))
