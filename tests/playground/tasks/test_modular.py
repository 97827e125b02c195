"""Addition modulo p: every pair stands in one part, answers are sums, and the spectrum of known waves is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.tasks.modular import KIND, ModularConfig, prepare_modular, spectrum
from playground.tasks.task import IGNORED, AnswerSample, SpectrumSample
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)


@settings(max_examples=25)
@given(st.integers(3, 23), st.floats(0.01, 0.99), st.integers(0, 5))
def test_every_pair_stands_once_in_one_part_and_its_answer_is_the_sum(modulus, share, split):
    config = ModularConfig(modulus=modulus, train_share=share, split=split)
    task = prepare_modular(config)
    rows = [task.tokenizer.decode(row[1:].tolist()).split() for row in torch.cat([task.train_rows, task.test_rows])]
    assert len(task.train_rows) == config.train_pairs >= 1
    assert len(task.test_rows) >= 1
    assert {(int(row[0]), int(row[2])) for row in rows} == {(a, b) for a in range(modulus) for b in range(modulus)}
    assert len(rows) == modulus**2
    assert all(row[1::2] == ["+", "="] and int(row[4]) == (int(row[0]) + int(row[2])) % modulus for row in rows)


def test_a_batch_is_different_training_pairs_or_all_of_them():
    task = prepare_modular(ModularConfig(modulus=11))
    training = {tuple(row) for row in task.train_rows.tolist()}
    batch = task.batch(np.random.default_rng(0), rows=20, length=5, step=1)
    rows = {(*ids, labels[-1]) for ids, labels in zip(batch.ids.tolist(), batch.labels.tolist(), strict=True)}
    assert len(rows) == 20
    assert rows <= training
    assert (batch.labels[:, :-1] == IGNORED).all()
    whole = task.batch(np.random.default_rng(0), rows=1000, length=5, step=1)
    assert len(whole.ids) == len(training) == round(121 * 0.4)


class Knows(torch.nn.Module):
    """Right at the training pairs alone: probability 1/2 there; elsewhere an even guess over 10 tokens."""

    def __init__(self, rows: torch.Tensor) -> None:
        super().__init__()
        self.answers = {tuple(row[:-1].tolist()): int(row[-1]) for row in rows}

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*ids.shape, 10)
        for place, row in enumerate(ids.tolist()):
            if tuple(row) in self.answers:
                logits[place, -1, self.answers[tuple(row)]] = math.log(9)
        return logits


def test_measures_tell_what_is_learnt_by_heart_from_what_is_understood_by_hand():
    """With logit log 9 against nine zeros the answer has 9/18 = 1/2; an even guess over ten costs log 10."""
    task = prepare_modular(ModularConfig(modulus=5))
    measures = task.evaluate(Knows(task.train_rows), rows=1, length=5)
    assert measures["train_accuracy"] == 1
    assert measures["train_loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert measures["held_out_loss"] == pytest.approx(math.log(10), abs=1e-6)
    assert measures["test_accuracy"] < 0.5


@pytest.mark.parametrize("count", [7, 8, 53])
def test_a_wave_has_all_its_power_at_its_frequency(count):
    numbers = torch.arange(count)[:, None] * 2 * math.pi / count
    for frequency in range(1, count // 2 + 1):
        power = spectrum(torch.cat([(frequency * numbers).cos() + 5, 0.3 * (frequency * numbers).sin()], dim=1))
        assert len(power) == count // 2 + 1
        assert power[frequency] == pytest.approx(1, abs=1e-5)


@settings(max_examples=25)
@given(st.integers(3, 20), st.integers(0, 1000))
def test_the_power_is_that_of_the_whole_transform(count, seed):
    """Parseval: the squares of the centred embeddings, times p, are the power of all terms."""
    embeddings = torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))
    whole = np.abs(np.fft.fft(embeddings.numpy() - embeddings.numpy().mean(0), axis=0)) ** 2
    by_frequency = np.zeros(count // 2 + 1)
    for index, power in enumerate(whole.sum(1)):
        by_frequency[min(index, count - index)] += power
    assert np.allclose(spectrum(embeddings), by_frequency / by_frequency.sum(), atol=1e-5)


def test_equal_embeddings_have_no_spectrum():
    assert spectrum(torch.ones(7, 3)).tolist() == [0] * 4


def test_samples_are_the_spectrum_of_the_numbers_and_answers_to_unseen_pairs(tmp_path):
    task = prepare_modular(ModularConfig(modulus=7))
    needs = task.config.needs()
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(vocabulary=needs.vocabulary, context=5, width=8, layers=1, n_heads=2)).eval()
    first, *answers = task.samples(model)
    assert isinstance(first, SpectrumSample)
    assert sum(first.power) == pytest.approx(1, abs=1e-5)
    numbers = [task.tokenizer.token_to_id(str(number)) for number in range(7)]
    assert torch.equal(task.number_embeddings(model), model.embedding.weight[numbers])
    for answer in answers:
        assert isinstance(answer, AnswerSample)
        a, plus, b, equals = answer.question.split()
        assert (plus, equals, int(answer.right)) == ("+", "=", (int(a) + int(b)) % 7)
    task.save(tmp_path)
    assert torch.equal(KIND.restore(task.config, tmp_path).test_rows, task.test_rows)
    assert torch.equal(task.probe(5).batch.ids, task.test_rows[:1, :-1])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"modulus": 2}, "modulus is 2"),
        ({"modulus": 200}, "at most 199"),
        ({"train_share": 0.0}, "share of pairs"),
        ({"train_share": float("nan")}, "share of pairs"),
        ({"split": -1}, "split is -1"),
    ],
)
def test_impossible_sums_are_refused(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        ModularConfig(**changes)


def test_a_small_model_is_refused():
    task = prepare_modular(ModularConfig())
    with pytest.raises(UserError, match="context of at least 5"):
        task.check_fits(TransformerConfig(vocabulary=100, context=4))
