"""Language modelling on stories: rows, the floor under the loss, what is measured, and what a short run learns."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.tasks.registry import task_from_dict, task_to_dict
from playground.tasks.tales.tales_task import FIRST_WORD, TalesConfig, prepare_tales, story_rows
from playground.training import TrainConfig, train
from playground.transformer import TransformerConfig

torch.set_num_threads(1)
TASK = prepare_tales(TalesConfig())


class Knowing:
    """A model that gives every next token the probability that it is made of."""

    def __init__(self, right: float, wrong: float) -> None:
        self.right, self.wrong = right, wrong

    def __call__(self, ids):
        stories = story_rows(TASK.chances, np.random.default_rng((20190605, 1, 2)), rows=64, length=ids.shape[1])
        rows = [next(row for row in stories.ids if torch.equal(row[:-1], given)) for given in ids]
        logits = torch.full((*ids.shape, TASK.tokenizer.get_vocab_size()), self.wrong)
        return logits.scatter(2, torch.stack(rows)[:, 1:, None], self.right)


def test_a_row_is_start_and_a_story_with_the_next_word_as_its_label():
    batch = TASK.batch(np.random.default_rng(0), rows=4, length=20, step=1)
    assert batch.ids.shape == batch.labels.shape == (4, 20)
    assert (batch.ids[:, 0] == 0).all()
    assert torch.equal(batch.ids[:, 1:], batch.labels[:, :-1])
    assert FIRST_WORD <= int(batch.labels.min()) <= int(batch.labels.max()) < TASK.tokenizer.get_vocab_size()


def test_the_tokenizer_reads_a_story_as_the_tokens_it_was_made_of():
    batch = TASK.batch(np.random.default_rng(3), rows=8, length=200, step=1)
    for row in batch.ids.tolist():
        assert TASK.tokenizer.encode(TASK.tokenizer.decode(row)).ids == row
    text = TASK.tokenizer.decode(batch.ids[0].tolist())
    assert " ." not in text
    assert " ," not in text


def test_the_same_generator_gives_the_same_rows_and_held_out_rows_never_change():
    first, again, other = (TASK.batch(np.random.default_rng((0, seed)), rows=2, length=9, step=1) for seed in (1, 1, 2))
    assert torch.equal(first.ids, again.ids)
    assert not torch.equal(first.ids, other.ids)
    before = TASK.probe(64).batch.ids
    TASK.batch(np.random.default_rng(7), rows=50, length=64, step=1)
    assert torch.equal(before, TASK.probe(64).batch.ids)
    assert torch.equal(before, prepare_tales(TalesConfig()).probe(64).batch.ids)


@pytest.mark.parametrize("length", [3, 64])
def test_measures_of_a_model_that_is_right_and_of_one_that_is_wrong_by_hand(length):
    """All weight on the right token costs nothing and passes every test; all alike costs ln(vocabulary)."""
    right = TASK.evaluate(Knowing(50.0, 0.0), rows=6, length=length)
    alike = TASK.evaluate(Knowing(0.0, 0.0), rows=6, length=length)
    wrong = TASK.evaluate(Knowing(-5.0, 0.0), rows=6, length=length)
    assert right["held_out_loss"] == pytest.approx(0, abs=1e-5)
    assert alike["held_out_loss"] == pytest.approx(math.log(TASK.tokenizer.get_vocab_size()), abs=1e-4)
    assert alike["excess"] == pytest.approx(alike["held_out_loss"] - alike["loss_floor"])
    roles = {f"{role}_accuracy" for role in ("agreement", "pronoun", "recall")}
    assert (roles <= set(right)) == (length == 64)
    assert all(right[role] == 1 and wrong[role] == 0 for role in roles & set(right))


def test_the_probe_and_the_question_are_of_a_story():
    assert TASK.probe(10).batch.ids.shape == (1, 10)
    assert TASK.probe(500).batch.ids.shape == (1, 64)
    question = TASK.tokenizer.decode(TASK._question())
    assert question.endswith(("?", "In the", ","))


@settings(max_examples=50)
@given(
    exponent=st.floats(-1, 6) | st.just(math.nan) | st.booleans() | st.just("steep"),
    names=st.integers(-1, 600) | st.just(2.5),
    world=st.integers(-1, 5) | st.none(),
)
def test_every_config_gives_rows_or_is_refused_with_a_sentence(exponent, names, world):
    try:
        config = TalesConfig(exponent=exponent, names=names, world=world)
    except UserError as error:
        refusal = str(error)
    else:
        assert task_from_dict(task_to_dict(config)) == config
        task = prepare_tales(config)
        batch = task.batch(np.random.default_rng(0), rows=2, length=30, step=1)
        assert int(batch.ids.max()) < config.needs().vocabulary == task.tokenizer.get_vocab_size()
        refusal = "none."
    assert refusal.endswith(".")


def test_a_model_with_too_few_words_is_refused():
    with pytest.raises(UserError, match="vocabulary"):
        TASK.check_fits(TransformerConfig(vocabulary=50))


# What training reaches


def trained(steps: int, every: int) -> dict[int, dict[str, float]]:
    needs = TASK.config.needs()
    shape = {"kind": needs.kind, "vocabulary": needs.vocabulary, "context": 64, "width": 64, "layers": 2, "n_heads": 4}
    config = TrainConfig(
        task=TASK.config,
        model=TransformerConfig(**shape, hidden=128),
        steps=steps,
        batch=16,
        learning_rate=5e-3,
        final_learning_rate=5e-4,
        warm_up=min(50, steps),
        evaluate_every=every,
    )
    return {step.step: step.evaluation for step in train(config, TASK) if step.evaluation is not None}


def test_a_few_steps_lower_the_loss_but_not_below_the_floor():
    measures = trained(12, every=12)[12]
    assert measures["loss_floor"] < measures["held_out_loss"] < math.log(TASK.config.needs().vocabulary) - 0.2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_short_run_learns_agreement_first_and_comes_near_the_floor():
    """What can be read off one word is learnt before what has to be looked up in the story."""
    measures = trained(900, every=150)
    assert measures[900]["agreement_accuracy"] >= 0.95
    assert measures[900]["recall_accuracy"] < measures[900]["agreement_accuracy"]
    assert 0 < measures[900]["excess"] < 0.25 < measures[150]["excess"]
