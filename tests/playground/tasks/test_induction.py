"""Induction: repeated blocks, what counts in them, and that perfect and blind models measure as such."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.tasks.induction import (
    COPYING_LENGTH,
    KIND,
    SHORTEST_BLOCK,
    SPECIALS,
    InductionConfig,
    block_rows,
    induction_scores,
    prepare_induction,
    repeated_block_batch,
)
from playground.tasks.task import IGNORED
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)


def small_model(config: InductionConfig, **changes) -> Transformer:
    needs = config.needs()
    shape = {"width": 16, "layers": 2, "n_heads": 2, "feed_forward": "none", **changes}
    torch.manual_seed(0)
    return Transformer(TransformerConfig(vocabulary=needs.vocabulary, context=needs.context, **shape)).eval()


@settings(max_examples=50)
@given(st.integers(1, 9), st.integers(0, 9), st.integers(1, 20), st.integers(0, 2**32))
def test_every_repeat_is_the_symbol_one_block_before(shortest, more, beyond, seed):
    config = InductionConfig(symbols=9, shortest=shortest, longest=shortest + more, length=shortest + more + beyond)
    ids, repeats = block_rows(config, 5, np.random.default_rng(seed))
    assert ids.shape == (5, config.length + 1)
    assert (ids[:, 0] == 0).all()
    assert int(ids[:, 1:].min()) >= SPECIALS
    assert int(ids.max()) < config.needs().vocabulary
    for row, marks in zip(ids[:, 1:].tolist(), repeats.tolist(), strict=True):
        block = marks.index(True)
        assert shortest <= block <= shortest + more
        assert marks == [place >= block for place in range(config.length)]
        assert all(row[place] == row[place - block] for place in range(block, config.length))


def test_a_row_by_hand():
    """A block of 3 in a row of 8 leaves 5 repeats; the model reads START and all but the last symbol."""
    config = InductionConfig(symbols=5, shortest=3, longest=3, length=8, counted="repeats")
    batch = prepare_induction(config).batch(np.random.default_rng(0), rows=2, length=8, step=1)
    assert batch.ids.shape == batch.labels.shape == (2, 8)
    assert (batch.labels != IGNORED).sum(1).tolist() == [5, 5]
    assert torch.equal(batch.labels[:, 3:], batch.ids[:, 1:6])
    everything = prepare_induction(InductionConfig(symbols=5, shortest=3, longest=3, length=8))
    labels = everything.batch(np.random.default_rng(0), rows=2, length=8, step=1).labels
    assert (labels != IGNORED).all()


class Perfect(torch.nn.Module):
    """Foresees what followed the last copy of each token, with logit 20, and nothing where there is none."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*ids.shape, 300)
        for row in range(len(ids)):
            for place in range(ids.shape[1]):
                earlier = [p for p in range(place) if ids[row, p] == ids[row, place]]
                if earlier:
                    logits[row, place, ids[row, earlier[-1] + 1]] = 20.0
        return logits


def test_the_measures_tell_foresight_from_blindness(monkeypatch):
    """Where no symbol stands twice in a block, copying the last time is always right; an even guess costs log n."""
    config = InductionConfig(symbols=60, shortest=2, longest=2, length=10, counted="repeats")
    task = prepare_induction(config)
    monkeypatch.setattr("playground.tasks.induction.induction_scores", lambda *_: np.zeros((1, 1)))
    measures = task.evaluate(Perfect(), rows=20, length=10)
    assert measures["repeat_accuracy"] > 0.85
    assert measures["first_loss"] == pytest.approx(math.log(300), abs=0.3)
    assert measures["repeat_loss"] == measures["held_out_loss"] < measures["first_loss"]


def test_scores_are_one_per_head_and_an_even_gaze_is_low():
    config = InductionConfig(symbols=20, shortest=8, longest=8, length=32)
    model = small_model(config)
    ids, _ = block_rows(config, 3, np.random.default_rng(0))
    scores = induction_scores(model, ids[:, :-1])
    assert scores.shape == (2, 2)
    assert (scores > 0).all()
    assert (scores < 0.2).all()


def test_held_out_rows_never_change_and_the_task_comes_back(tmp_path):
    task = prepare_induction(InductionConfig())
    model = small_model(task.config)
    assert task.evaluate(model, rows=8, length=64) == task.evaluate(model, rows=8, length=64)
    assert torch.equal(task.probe(64).batch.ids, task.probe(64).batch.ids)
    task.save(tmp_path)
    assert (tmp_path / "tokenizer.json").is_file()
    assert KIND.restore(task.config, tmp_path).tokenizer.to_str() == task.tokenizer.to_str()


def test_samples_name_the_symbols_as_the_tokenizer_does():
    task = prepare_induction(InductionConfig())
    sample = task.samples(small_model(task.config))[0]
    ids = task.probe(64).batch.ids[0].tolist()
    assert task.tokenizer.encode(sample.question).ids == ids[: len(sample.question) + 1]
    assert len(sample.answer) == len(sample.right) == 64 - len(sample.question)
    assert not sample.is_right


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"symbols": 1}, "symbols is 1"),
        ({"symbols": 1000}, "choose fewer"),
        ({"shortest": 0}, "shortest is 0"),
        ({"shortest": 33}, "longer than the longest"),
        ({"length": 32}, "does not repeat"),
        ({"counted": "first"}, "all or repeats"),
    ],
)
def test_impossible_rows_are_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        InductionConfig(**changes)


def test_a_model_that_is_too_small_is_refused():
    task = prepare_induction(InductionConfig())
    with pytest.raises(UserError, match="context of at least 64"):
        task.check_fits(TransformerConfig(vocabulary=66, context=63))
    with pytest.raises(UserError, match="66 tokens"):
        task.check_fits(TransformerConfig(vocabulary=65, context=64))


# Blocks of random tokens, for text to be mixed with


def test_every_counted_label_is_the_token_one_block_before():
    batch = repeated_block_batch(500, 64, np.random.default_rng(0))
    assert batch.ids.shape == batch.labels.shape == (64, COPYING_LENGTH)
    assert (batch.ids[:, 0] == 0).all()
    assert (batch.ids[:, 1:] > 0).all()
    blocks = set()
    for ids, labels in zip(batch.ids.tolist(), batch.labels.tolist(), strict=True):
        row = [*ids[1:], labels[-1]]
        block = next(index for index, label in enumerate(labels) if label != IGNORED)
        assert labels[:block] == [IGNORED] * block
        assert labels[block:] == row[block:] == [row[index - block] for index in range(block, COPYING_LENGTH)]
        blocks.add(block)
    assert min(blocks) >= SHORTEST_BLOCK
    assert max(blocks) == COPYING_LENGTH // 2


def test_rows_are_as_long_as_asked_and_begin_with_the_start_token_asked_for():
    batch = repeated_block_batch(500, 3, np.random.default_rng(0), start=7, length=20)
    assert batch.ids.shape == (3, 20)
    assert (batch.ids[:, 0] == 7).all()
