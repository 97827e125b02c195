"""Forgetting: bits per byte as the perplexity page counts them, paired over passages."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.finetuning.forgetting import Passage, forgetting
from playground.finetuning.general_texts import GENERAL_TEXTS
from playground.lens.generate.surprisal import text_surprisal
from tests.helpers.model_pairs import pair_of

PASSAGES = [Passage(text=text) for text in ("A cat.", "Dogs bark.", "It is late now.", "We go home.", "Who knows?")]


@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_bits_are_those_of_all_passages_together(kind):
    pair = pair_of(kind, scale=2.0)
    found = forgetting(pair, PASSAGES)
    scores = [text_surprisal(pair.after, passage.text) for passage in PASSAGES]
    nats = sum(score.surprisal[score.predicted].sum() for score in scores)
    assert found.bits.second.value == pytest.approx(nats / np.log(2) / sum(score.bytes for score in scores))
    assert found.bits.difference.value == pytest.approx(found.bits.second.value - found.bits.first.value)
    assert found.is_masked == (kind == "encoder")
    assert found.of_passages()[1] == pytest.approx([score.bits_per_byte for score in scores])
    assert found.bits.difference.low <= found.bits.difference.value <= found.bits.difference.high


def test_a_copy_has_forgotten_nothing():
    found = forgetting(pair_of(rank=0), PASSAGES)
    assert found.bits.difference.value == found.bits.difference.low == found.bits.difference.high == 0.0
    assert not found.bits.is_told_apart


def test_a_translator_is_scored_on_targets():
    pairs = [Passage(text="A cat", target=text) for text in ("a", "be", "see", "deed", "eerie")]
    found = forgetting(pair_of("encoder-decoder", scale=2.0), pairs)
    assert np.isfinite(found.nats).all()
    with pytest.raises(UserError, match="scores a target"):
        forgetting(pair_of("encoder-decoder"), PASSAGES)


def test_a_passage_in_which_nothing_is_predicted_is_named():
    with pytest.raises(UserError, match="In passage 2 no token is predicted"):
        forgetting(pair_of("encoder-decoder"), [Passage(text="a", target=text) for text in ("ab", "", "c", "d", "e")])


def test_few_passages_make_no_interval():
    with pytest.raises(UserError, match="5 to 200 passages"):
        forgetting(pair_of(), PASSAGES[:4])


def test_the_general_texts_are_many_enough_and_all_different():
    assert len(set(GENERAL_TEXTS)) == len(GENERAL_TEXTS) >= 12
    assert all(120 < len(text) < 400 for text in GENERAL_TEXTS)
