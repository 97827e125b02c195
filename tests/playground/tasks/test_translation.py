"""Translation as a task: rows, what is held out, measures, and what a minute of training reaches."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.special_tokens import END_ID, PAD_ID, START_ID
from playground.tasks.registry import task_from_dict, task_to_dict
from playground.tasks.task import IGNORED
from playground.tasks.translation import (
    CONTEXT,
    PREFIX,
    TranslationConfig,
    gold_links,
    is_held_out_sentence,
    pad_pairs,
    prepare_translation,
    translation_words,
)
from playground.training import TrainConfig, train
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)
CONFIG = TranslationConfig()
TASK = prepare_translation(CONFIG)


def pairs(rows: int, *, seed: int = 0, held_out: bool = False):
    return TASK._pairs(np.random.default_rng(seed), rows, held_out=held_out)


def small_model() -> Transformer:
    needs = CONFIG.needs()
    torch.manual_seed(0)
    return Transformer(
        TransformerConfig(
            kind=needs.kind, vocabulary=needs.vocabulary, context=needs.context, width=16, layers=1, n_heads=2
        )
    )


def test_a_row_is_source_target_and_labels_one_apart():
    batch = TASK.batch(np.random.default_rng(0), rows=20, length=CONTEXT, step=1)
    sampled = pairs(20)
    assert batch.ids.shape[1] <= CONTEXT
    assert batch.target_ids.shape[1] <= CONTEXT
    assert torch.equal(batch.mask, batch.ids != PAD_ID)
    for ids, target, labels, pair in zip(batch.ids, batch.target_ids, batch.labels, sampled, strict=True):
        ids, target = ids[ids != PAD_ID].tolist(), target[target != PAD_ID].tolist()
        labels = labels[labels != IGNORED].tolist()
        assert ids[0] == target[0] == START_ID
        assert ids[-1] == labels[-1] == END_ID
        assert target[1:] == labels[:-1]
        assert [TASK.tokenizer.id_to_token(index) for index in ids[1:-1]] == pair.source
        assert [TASK.tokenizer.id_to_token(index) for index in labels[:-1]] == pair.answer
        assert pair.source[:2] == [pair.language, ":"]


def test_the_tokenizer_reads_every_sentence_as_the_words_it_is_made_of():
    for pair in pairs(2000):
        for words in (pair.source, pair.answer):
            text = TASK._text(words)
            assert TASK.tokenizer.encode(text).tokens[1:-1] == words
        assert (" " in TASK._text(pair.answer)) == (pair.language == "french")


def test_what_is_held_out_is_never_trained_on():
    train = {" ".join(pair.source[2:]) for pair in pairs(3000)}
    held_out = {" ".join(pair.source[2:]) for pair in pairs(300, held_out=True)}
    assert not train & held_out
    assert len(held_out) > 100
    assert all(is_held_out_sentence(pair.english) for pair in pairs(20, held_out=True))


def test_the_same_generator_gives_the_same_rows_and_the_probe_never_changes():
    first, again, other = (
        TASK.batch(np.random.default_rng((0, seed)), rows=3, length=CONTEXT, step=1) for seed in (1, 1, 2)
    )
    assert torch.equal(first.ids, again.ids)
    assert first.ids.shape != other.ids.shape or not torch.equal(first.ids, other.ids)
    assert torch.equal(TASK.probe(64).batch.ids, prepare_translation(CONFIG).probe(64).batch.ids)


def test_the_probe_is_aligned_with_the_positions_that_the_model_sees():
    probe = TASK.probe(CONTEXT)
    positions, tokens = probe.batch.target_ids.shape[1], probe.batch.ids.shape[1]
    assert probe.alignment
    for place, token in probe.alignment:
        assert 0 <= place < positions - 1
        assert PREFIX <= token < tokens - 1


def test_gold_links_stand_behind_the_language_by_hand():
    pair = next(pair for pair in pairs(200) if pair.language == "french" and pair.source[3:5] == ["is", pair.answer[2]])
    gold = gold_links([pair], (1, 5, 8))
    assert pair.answer[:2] == ["Où", "est"]
    assert np.argwhere(gold.sure[0]).tolist() == [[0, 3], [1, 4], [2, 5], [3, 6]]


def test_measures_of_an_untrained_model():
    measures = TASK.evaluate(small_model(), rows=16, length=CONTEXT)
    assert measures["held_out_loss"] == pytest.approx(math.log(CONFIG.needs().vocabulary), rel=0.1)
    assert measures["exact_match"] == 0
    assert 0 < measures["alignment_error_rate"] <= 1
    assert measures == TASK.evaluate(small_model(), rows=16, length=CONTEXT)


def test_exact_match_and_samples_of_right_answers(monkeypatch):
    """A model that always writes what is right has every sentence right."""
    sampled = TASK._pairs(np.random.default_rng((20170612, 1, 3)), 6, held_out=True)
    monkeypatch.setattr(
        "playground.tasks.translation.greedy_answers",
        lambda model, ids, mask, **_: pad_pairs(sampled, TASK.ids).labels.masked_fill(
            pad_pairs(sampled, TASK.ids).labels == IGNORED, END_ID
        ),
    )
    assert TASK.evaluate(small_model(), rows=6, length=CONTEXT)["exact_match"] == 1
    samples = TASK.samples(small_model())
    assert all(sample.is_right and sample.answer == sample.right for sample in samples)
    assert samples[0].question.startswith(("french: ", "chinese: "))


@settings(max_examples=40)
@given(
    languages=st.lists(st.sampled_from(["french", "chinese", "latin"]), max_size=3).map(tuple) | st.just("french"),
    exponent=st.floats(-1, 5),
    names=st.integers(0, 60),
    world=st.integers(-1, 9),
)
def test_every_config_gives_rows_or_is_refused_with_a_sentence(languages, exponent, names, world):
    try:
        config = TranslationConfig(languages=languages, exponent=exponent, names=names, world=world)
    except UserError as error:
        refusal = str(error)
    else:
        assert task_from_dict(task_to_dict(config)) == config
        task = prepare_translation(config)
        batch = task.batch(np.random.default_rng(0), rows=3, length=CONTEXT, step=1)
        assert int(batch.ids.max()) < task.tokenizer.get_vocab_size() == config.needs().vocabulary
        assert {pair.language for pair in task._pairs(np.random.default_rng(0), 40, held_out=False)} == set(languages)
        refusal = "none."
    assert refusal.endswith(".")


def test_words_are_listed_once():
    words = translation_words(CONFIG.build_world())
    assert len(words) == len(set(words))
    assert not any(" " in word for word in words)


# What training reaches


def trained(steps: int, **shape) -> dict[str, float]:
    given = {"layers": 1, "width": 128, "n_heads": 4, "feed_forward": "gelu", "norm": "layer", "positions": "learned"}
    needs = CONFIG.needs()
    model = {"kind": needs.kind, "vocabulary": needs.vocabulary, "context": needs.context, "bias": True}
    settings = {"batch": 64, "learning_rate": 2e-3, "final_learning_rate": 1e-4, "warm_up": min(60, steps)}
    config = TrainConfig(
        task=CONFIG,
        model=TransformerConfig(**model, **{**given, **shape}),
        steps=steps,
        evaluate_every=steps,
        evaluate_rows=64,
        **settings,
    )
    measures = [step.evaluation for step in train(config, TASK)][-1]
    assert measures is not None
    return measures


def test_a_few_steps_lower_the_loss():
    assert trained(8, width=32)["held_out_loss"] < math.log(CONFIG.needs().vocabulary) - 0.1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_short_run_translates_whole_sentences_and_its_cross_attention_is_an_alignment():
    measures = trained(500)
    assert measures["exact_match"] >= 0.95
    assert measures["alignment_error_rate"] <= 0.2
