"""Copy, reverse and sort: right answers, padding, gold alignments, and what counts as an exact match."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.special_tokens import END_ID, PAD_ID, START_ID
from playground.tasks.rewriting import (
    FIRST_DIGIT,
    KIND,
    RewritingConfig,
    alignment,
    prepare_rewriting,
    rewritten,
)
from playground.tasks.task import IGNORED
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)
operations = pytest.mark.parametrize("operation", ["copy", "reverse", "sort"])


def small_model(config: RewritingConfig) -> Transformer:
    needs = config.needs()
    torch.manual_seed(0)
    shape = TransformerConfig(
        kind="encoder-decoder", vocabulary=needs.vocabulary, context=needs.context, width=16, layers=1, n_heads=2
    )
    return Transformer(shape).eval()


def test_answers_by_hand():
    digits = np.array([3, 1, 4, 1])
    assert rewritten("copy", digits).tolist() == [3, 1, 4, 1]
    assert rewritten("reverse", digits).tolist() == [1, 4, 1, 3]
    assert rewritten("sort", digits).tolist() == [1, 1, 3, 4]


def test_alignments_by_hand():
    """The source is START 3 1 4 1 END; sorted, 3 and 4 stand at 2 and 3, and the two 1s could be either."""
    digits = np.array([3, 1, 4, 1])
    assert alignment("copy", digits) == ((0, 1), (1, 2), (2, 3), (3, 4))
    assert alignment("reverse", digits) == ((0, 4), (1, 3), (2, 2), (3, 1))
    assert alignment("sort", digits) == ((2, 1), (3, 3))


@operations
@settings(max_examples=20)
@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 2**32))
def test_rows_are_framed_padded_and_answered(operation, shortest, more, seed):
    config = RewritingConfig(operation=operation, shortest=shortest, longest=shortest + more)
    task = prepare_rewriting(config)
    batch = task.batch(np.random.default_rng(seed), rows=6, length=99, step=1)
    for ids, target, labels in zip(batch.ids.tolist(), batch.target_ids.tolist(), batch.labels.tolist(), strict=True):
        source = [index for index in ids if index >= FIRST_DIGIT]
        count = len(source)
        assert shortest <= count <= shortest + more
        assert ids == [START_ID, *source, END_ID] + [PAD_ID] * (len(ids) - count - 2)
        right = {"copy": source, "reverse": source[::-1], "sort": sorted(source)}[operation]
        assert target == [START_ID, *right] + [PAD_ID] * (len(target) - count - 1)
        assert labels == [*right, END_ID] + [IGNORED] * (len(labels) - count - 1)
    if batch.mask is None:
        assert (batch.ids != PAD_ID).all()
    else:
        assert torch.equal(batch.mask, batch.ids != PAD_ID)


@operations
def test_the_probes_alignment_points_at_the_same_digit(operation):
    probe = prepare_rewriting(RewritingConfig(operation=operation, shortest=5, longest=9)).probe(99)
    assert probe.alignment
    for position, source in probe.alignment:
        assert probe.batch.labels[0, position] == probe.batch.ids[0, source]


def test_padding_changes_no_measure():
    """The same rows, once with a longer neighbour that pads them: the model answers alike."""
    task = prepare_rewriting(RewritingConfig(shortest=3, longest=9))
    batch = task.batch(np.random.default_rng(0), rows=8, length=99, step=1)
    model = small_model(task.config)
    with torch.no_grad():
        padded = model(batch.ids, batch.target_ids, mask=batch.mask)
        for row in range(8):
            count = int((batch.ids[row] >= FIRST_DIGIT).sum())
            alone = model(batch.ids[row : row + 1, : count + 2], batch.target_ids[row : row + 1, : count + 1])
            assert torch.allclose(padded[row, : count + 1], alone[0], atol=1e-5)


def test_an_exact_match_is_the_whole_answer(monkeypatch):
    """Four rows: two answered rightly, one with a wrong digit, one that never ends."""
    task = prepare_rewriting(RewritingConfig(operation="copy", shortest=3, longest=3))
    ids = task.batch(np.random.default_rng((20170612, 1, 1)), rows=4, length=5, step=0).ids
    answers = ids[:, 1:].clone()
    answers[1, 0] = FIRST_DIGIT if answers[1, 0] != FIRST_DIGIT else FIRST_DIGIT + 1
    answers[2, 3] = FIRST_DIGIT
    monkeypatch.setattr("playground.tasks.rewriting.greedy_answers", lambda *_, **__: answers)
    measures = task.evaluate(small_model(task.config), rows=4, length=5)
    assert measures["exact_match"] == 0.5
    assert 0 <= measures["token_accuracy"] <= 1
    shown = [sample.is_right for sample in task.samples(small_model(task.config))]
    assert shown == [True, False, False, True]


def test_an_untrained_model_is_measured_alike_every_time_and_the_task_comes_back(tmp_path):
    task = prepare_rewriting(RewritingConfig(shortest=4, longest=8))
    model = small_model(task.config)
    assert task.evaluate(model, rows=16, length=10) == task.evaluate(model, rows=16, length=10)
    sample = task.samples(model)[0]
    assert sample.right == sample.question[::-1]
    assert task.tokenizer.encode("314").tokens == ["<|start|>", "3", "1", "4", "<|end|>"]
    task.save(tmp_path)
    assert KIND.restore(task.config, tmp_path).tokenizer.to_str() == task.tokenizer.to_str()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"operation": "shuffle"}, "copy, reverse or sort"),
        ({"shortest": 0}, "shortest is 0"),
        ({"shortest": 9}, "longer than the longest"),
        ({"longest": 300}, "at most 256"),
    ],
)
def test_impossible_rows_are_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        RewritingConfig(**changes)


def test_a_decoder_is_refused():
    task = prepare_rewriting(RewritingConfig())
    with pytest.raises(UserError, match="encoder-decoder"):
        task.check_fits(TransformerConfig(vocabulary=99, context=99))
