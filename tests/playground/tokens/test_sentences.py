"""Sentence embeddings: the recipe of sentence-transformers' model cards, written out."""

import json

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.lens.capture.tokens import EmptyTextError, encode
from playground.models import load
from playground.tokens.sentences import (
    MOST_LINES,
    embed_sentence,
    lines_that_fit,
    recipe_of,
    sentence_vectors,
    token_shares,
    word_shares,
)
from tests.helpers.families import small_model
from tests.helpers.own_models import own_model

LINES = ["the cat sat", "a dog", "it rains over the hill in may", "the", "one", *["the dog ran"] * 20]


def published_recipe(model, lines: list[str]) -> torch.Tensor:
    """A padded batch, the mean over the attention mask, length 1: what a model card tells its readers to do."""
    ids = [[token.id for token in encode(model.tokenizer, line)] for line in lines]
    longest = max(map(len, ids))
    batch = torch.tensor([[*row, *[0] * (longest - len(row))] for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
    with torch.no_grad():
        states = model.module.base_model(input_ids=batch, attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).expand(states.size()).float()
    pooled = torch.sum(states * weights, 1) / torch.clamp(weights.sum(1), min=1e-9)
    return F.normalize(pooled, p=2, dim=1)


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "modernbert"])
def test_vectors_are_those_of_the_published_recipe(family):
    model = small_model(family)
    vectors = published_recipe(model, LINES)
    ours = sentence_vectors(model, LINES)
    assert ours.units == pytest.approx(vectors.numpy(), abs=2e-5)
    assert ours.cosines == pytest.approx((vectors @ vectors.T).numpy(), abs=2e-5)
    assert embed_sentence(model, LINES[2]).unit == pytest.approx(vectors[2].numpy(), abs=2e-5)
    assert ours.cut == (False,) * len(LINES)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.text("abc xyz", min_size=1, max_size=20), st.text("abc xyz", min_size=1, max_size=20))
def test_shares_sum_to_the_cosine(encoder, first, second):
    left, right = embed_sentence(encoder, first), embed_sentence(encoder, second)
    total = sentence_vectors(encoder, [first, second]).cosines[0, 1]
    assert token_shares(left, right).sum() == pytest.approx(total, abs=1e-5)
    assert sum(share.share for share in word_shares(right, left)) == pytest.approx(total, abs=1e-5)


@pytest.fixture(scope="module")
def encoder():
    return own_model("encoder")


def test_words_hold_all_their_tokens():
    model = load("books-encoder")
    shares = word_shares(*(embed_sentence(model, text) for text in ("unbelievable, it’s", "a")))
    assert [share.text for share in shares] == ["<|start|>", "unbelievable", ",", "it", "’s", "<|end|>"]
    assert [share.is_special for share in shares] == [True, False, False, False, False, True]
    assert len(shares[1].positions) == 6


@pytest.mark.parametrize("kind", ["decoder", "encoder-decoder"])
def test_other_kinds_have_vectors_too(kind):
    model = own_model(kind)
    embedding = embed_sentence(model, "the cat")
    ids = torch.tensor([[token.id for token in encode(model.tokenizer, "the cat")]])
    expected = model.module.encode(ids)[0].mean(0)
    assert embedding.mean == pytest.approx(expected.numpy(), abs=1e-5)


def test_a_long_sentence_is_cut_and_keeps_its_frame(encoder):
    embedding = embed_sentence(encoder, "a" * 100)
    assert embedding.is_cut
    assert len(embedding.tokens) == encoder.context == 64
    assert [embedding.tokens[n].token.text for n in (0, -1)] == ["<|start|>", "<|end|>"]


def test_the_recipe_stands_in_the_folder(tmp_path):
    model = small_model("bert")
    object.__setattr__(model, "folder", tmp_path)
    assert not recipe_of(model).is_published
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 16}))
    (tmp_path / "1_Pooling").mkdir()
    pooling = tmp_path / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_mean_tokens": True, "word_embedding_dimension": 32}))
    assert (recipe_of(model).most_tokens, recipe_of(model).is_published) == (16, True)
    assert len(embed_sentence(model, "the cat sat on a mat").tokens) == 16
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    with pytest.raises(UserError, match="another pooling than the mean \\(cls token\\)"):
        recipe_of(model)
    pooling.write_text("[broken")
    assert recipe_of(model).is_published


def test_what_has_no_vector_is_told():
    model = small_model("bert")
    with pytest.raises(EmptyTextError):
        embed_sentence(model, "")
    with pytest.raises(UserError, match=f"201 lines to compare with the first; give 1 to {MOST_LINES}"):
        sentence_vectors(model, ["a"] * (MOST_LINES + 2))
    for parameter in model.module.parameters():
        torch.nn.init.constant_(parameter, torch.nan)
    with pytest.raises(UserError, match="not a number"):
        embed_sentence(model, "a")


@given(st.lists(st.text("ab", max_size=9), max_size=12), st.integers(0, 60))
def test_the_lines_that_fit_are_whole_and_the_next_one_would_not(lines, characters):
    taken = lines_that_fit(lines, characters)
    assert taken == lines[: len(taken)]
    assert len("\n".join(taken)) <= characters
    assert len(taken) == len(lines) or len("\n".join(lines[: len(taken) + 1])) > characters


def test_no_more_lines_than_are_compared_fit():
    assert len(lines_that_fit(["a"] * 300, 40_000)) == MOST_LINES
