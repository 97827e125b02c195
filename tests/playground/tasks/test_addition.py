"""Long addition: right sums in both orders, what is held out, and what counts as an exact match."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.tasks.addition import (
    EQUALS,
    FIRST_DIGIT,
    KIND,
    MOST_DIGITS,
    PLUS,
    AdditionConfig,
    digits_of,
    is_held_out_sum,
    prepare_addition,
    reference_tokens,
    sample_numbers,
)
from playground.tasks.task import IGNORED
from playground.training.presets import config_for
from playground.training.trainer import start_state, take_step
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)


def small_model(config: AdditionConfig) -> Transformer:
    needs = config.needs()
    torch.manual_seed(0)
    shape = TransformerConfig(vocabulary=needs.vocabulary, context=needs.context, width=16, layers=1, n_heads=2)
    return Transformer(shape).eval()


def numbers(row: list[int]) -> list[str]:
    return ["".join(str(index - FIRST_DIGIT) for index in part) for part in split(row)]


def split(row: list[int]) -> list[list[int]]:
    plus, equals = row.index(PLUS), row.index(EQUALS)
    return [row[1:plus], row[plus + 1 : equals], row[equals + 1 :]]


def test_digits_by_hand():
    assert digits_of(np.array([57, 468]), 3).tolist() == [[0, 5, 7], [4, 6, 8]]


@settings(max_examples=30)
@given(st.integers(1, MOST_DIGITS), st.sampled_from(["as-written", "units-first"]), st.integers(0, 2**32))
def test_every_row_is_a_right_sum_with_only_its_answer_counted(digits, order, seed):
    task = prepare_addition(AdditionConfig(digits=digits, answer_order=order))
    batch = task.batch(np.random.default_rng(seed), rows=5, length=99, step=1)
    assert batch.ids.shape[1] == task.config.needs().context
    for ids, answer in zip(batch.ids.tolist(), reference_tokens(batch), strict=True):
        first, second, read = numbers(ids)
        written = "".join(str(index - FIRST_DIGIT) for index in answer)
        assert written[:-1] == read
        total = written if order == "as-written" else written[::-1]
        assert int(total) == int(first) + int(second)
        assert len(written) == digits + 1
    assert (batch.labels != IGNORED).sum(1).tolist() == [digits + 1] * 5


@settings(max_examples=20)
@given(st.integers(1, MOST_DIGITS), st.integers(0, 2**32))
def test_a_held_out_question_is_never_trained_on(digits, seed):
    config = AdditionConfig(digits=digits)
    trained = sample_numbers(config, np.random.default_rng(seed), 64, held_out=False)
    held_out = sample_numbers(config, np.random.default_rng(seed), 16, held_out=True)
    assert not is_held_out_sum(trained).any()
    assert is_held_out_sum(held_out).all()


def test_about_one_question_in_eight_is_held_out_wherever_one_looks():
    """The hash favours no last digit: every one of the ten has its share."""
    first, second = np.divmod(np.arange(1_000_000), 1000)
    chosen = is_held_out_sum(np.stack([first, second], axis=1))
    assert chosen.mean() == pytest.approx(1 / 8, abs=0.003)
    for digit in range(10):
        assert chosen[second % 10 == digit].mean() == pytest.approx(1 / 8, abs=0.01)


def test_an_exact_match_is_the_whole_sum(monkeypatch):
    """Four questions: two answered rightly, two with one digit wrong."""
    task = prepare_addition(AdditionConfig(digits=2))
    rights = torch.tensor(reference_tokens(task.held_out(4)))
    rights[1, 0] = FIRST_DIGIT + (rights[1, 0] - FIRST_DIGIT + 1) % 10
    rights[2, 2] = FIRST_DIGIT + (rights[2, 2] - FIRST_DIGIT + 1) % 10
    monkeypatch.setattr("playground.tasks.addition.greedy_continuation", lambda *_, **__: rights)
    assert task.evaluate(small_model(task.config), rows=4, length=9)["exact_match"] == 0.5
    shown = task.samples(small_model(task.config))
    assert [sample.is_right for sample in shown] == [True, False, False, True]
    first, second = shown[0].question.replace("<|start|>", "").removesuffix("=").split("+")
    assert int(shown[0].right) == int(first) + int(second)


def test_a_model_writes_exactly_the_answers_length_and_the_task_comes_back(tmp_path):
    task = prepare_addition(AdditionConfig(digits=3))
    model = small_model(task.config)
    assert {len(answer) for answer in task.answers(model, task.held_out(7))} == {4}
    assert task.evaluate(model, rows=9, length=9) == task.evaluate(model, rows=9, length=9)
    assert task.tokenizer.encode("057+9=").tokens == ["<|start|>", "0", "5", "7", "+", "9", "="]
    task.save(tmp_path)
    assert KIND.restore(task.config, tmp_path).tokenizer.to_str() == task.tokenizer.to_str()


def test_the_loss_falls_when_it_is_trained():
    task = AdditionConfig(digits=1)
    shape = {"width": 16, "layers": 1, "n_heads": 2}
    config = config_for(task, shape=shape, steps=60, batch=32, warm_up=5, learning_rate=1e-2)
    state, prepared = start_state(config), prepare_addition(task)
    losses = [take_step(config, prepared, state, rate=1e-2).loss for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


@pytest.mark.parametrize("settings", [{"digits": 0}, {"digits": 10}, {"digits": True}, {"answer_order": "random"}])
def test_what_cannot_be_asked_is_refused_with_what_can(settings):
    with pytest.raises(UserError, match=r"choose|at least"):
        AdditionConfig(**settings)
