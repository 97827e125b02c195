"""Traces of our own models: every kind's maps are exact, and each site is what the module says."""

import re

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from playground.models.loading import LoadedModel, load
from tests.helpers.own_models import letters_tokenizer, random_model, save_model

TEXT = "The cat sat on the mat, the cat sat."
SHAPES = [
    {},
    {"positions": "learned", "norm": "layer", "norm_position": "post", "feed_forward": "gelu", "bias": True},
    {"positions": "sinusoidal", "key_value_heads": 2, "feed_forward": "none", "scaled_embedding": True},
]


def loaded(folder, **changes) -> LoadedModel:
    return load(str(save_model(random_model(**changes), folder)))


@pytest.mark.parametrize("shape", SHAPES, ids=["llama", "bert", "plain"])
@pytest.mark.parametrize(
    ("kind", "kinds"),
    [("decoder", ["decoder"]), ("encoder", ["encoder"]), ("encoder-decoder", ["encoder", "decoder", "cross"])],
)
def test_every_kind_is_traced_exactly(tmp_path, kind, kinds, shape):
    traced = trace(loaded(tmp_path, kind=kind, **shape), TEXT, "Un chat." if kind == "encoder-decoder" else None)
    assert list(traced.kinds) == kinds
    check = traced.check()
    assert check.difference is not None
    assert check.difference <= 1e-5
    assert check.rows == check.queries
    for site_kind in kinds:
        assert [site.layer for site in traced.layers(site_kind)] == [0, 1]
        maps = np.stack([traced.attention(1, head, site_kind) for head in range(4)])
        np.testing.assert_allclose(maps.sum(-1), 1, atol=1e-5)
        future = np.triu(np.ones(maps.shape[1:], dtype=bool), 1)
        assert (maps[:, future] == 0).all() == (site_kind == "decoder")


def first_map(queries: torch.Tensor, keys: torch.Tensor, *, causal: bool) -> np.ndarray:
    """The first head's pattern in plain torch, without the seam, from all heads' queries and keys side by side."""
    scores = queries[0, :, :6] @ keys[0, :, :6].T / 6**0.5
    if causal:
        scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), float("-inf"))
    return scores.softmax(-1).numpy()


def test_each_site_of_an_encoder_decoder_is_the_one_it_says(tmp_path):
    """The first layer's maps, computed by hand from the weights of the module of that name."""
    model = loaded(tmp_path, kind="encoder-decoder", positions="none")
    traced = trace(model, TEXT, "Un chat.")
    module = model.module
    source, target = torch.tensor([traced.ids]), torch.tensor([traced.target_ids])
    encoder, decoder = module.encoder.blocks[0], module.blocks[0]

    queries, keys, _ = encoder.attention.query_key_value(encoder.attention_norm(module.embedding(source))).chunk(3, -1)
    expected = first_map(queries, keys, causal=False)
    np.testing.assert_allclose(traced.attention(0, 0, "encoder"), expected, atol=1e-5)
    read = decoder.attention_norm(module.embedding(target))
    queries, keys, _ = decoder.attention.query_key_value(read).chunk(3, -1)
    expected = first_map(queries, keys, causal=True)
    np.testing.assert_allclose(traced.attention(0, 0, "decoder"), expected, atol=1e-5)
    residual = module.embedding(target) + decoder.attention(read)
    queries = decoder.cross_attention.query(decoder.cross_attention_norm(residual))
    keys = decoder.cross_attention.key_value(module.encode(source))
    expected = first_map(queries, keys, causal=False)
    np.testing.assert_allclose(traced.attention(0, 0, "cross"), expected, atol=1e-5)
    assert traced.site(0, "cross").queries == len(traced.target)
    assert traced.site(0, "cross").keys == len(traced.source)


def test_a_target_is_read_after_start_and_without_its_end(tmp_path):
    model = loaded(tmp_path, kind="encoder-decoder")
    traced = trace(model, "ab", "ba")
    a, b = model.tokenizer.token_to_id("a"), model.tokenizer.token_to_id("b")
    assert traced.ids == [0, a, b, 1]
    assert traced.target_ids == [0, b, a]
    with torch.inference_mode():
        logits = model.module(torch.tensor([traced.ids]), torch.tensor([traced.target_ids]))
    probabilities, ids = logits[0, 1].softmax(-1).topk(3)
    next_tokens = traced.next_tokens(1, 3)
    assert [word for word, _ in next_tokens] == [model.tokenizer.id_to_token(id) for id in ids.tolist()]
    assert [p for _, p in next_tokens] == pytest.approx(probabilities.tolist(), abs=1e-6)


def test_without_a_target_the_model_writes_greedily_up_to_its_end(tmp_path):
    model = loaded(tmp_path, kind="encoder-decoder")
    traced = trace(model, TEXT)
    with torch.inference_mode():
        logits = model.module(torch.tensor([traced.ids]), torch.tensor([traced.target_ids]))
    chosen = logits[0].argmax(-1).tolist()
    assert traced.target_ids[0] == 0
    assert traced.target_ids[1:] == chosen[:-1]
    assert 1 not in traced.target_ids
    assert chosen[-1] == 1 or len(traced.target_ids) == 64


@pytest.mark.parametrize(("answer", "read"), [(1, [0]), (7, [0] + [7] * 63)])
def test_the_end_is_not_read_again(tmp_path, answer, read):
    """A model that always answers END reads START alone; one that always answers 7 reads on to the limit."""
    module = random_model(kind="encoder-decoder", tied=False, norm="layer")
    module.norm.weight.zero_()
    module.norm.bias.fill_(1.0)
    module.head.weight.zero_()
    module.head.weight[answer] = 1.0
    assert trace(load(str(save_model(module, tmp_path))), TEXT).target_ids == read


def test_a_vocabulary_without_an_end_is_refused(tmp_path):
    folder = save_model(random_model(kind="encoder-decoder"), tmp_path)
    text = (folder / "tokenizer.json").read_text().replace("<|end|>", "<|stop|>")
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(UserError, match=re.escape("no token <|end|>")):
        trace(load(str(folder)), TEXT)


def test_a_pair_is_read_with_its_segments(tmp_path):
    model = loaded(tmp_path, kind="encoder", segments=2, positions="learned")
    traced = trace(model, "a cat", pair="a dog")
    assert [token.segment for token in traced.source] == [0] * 7 + [1] * 6
    encoding = letters_tokenizer("encoder").encode("a cat", "a dog")
    assert (traced.ids, [token.segment for token in traced.source]) == (encoding.ids, encoding.type_ids)
    with torch.inference_mode():
        ids, segments = torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])
        expected = model.module(ids, segments=segments)[0, -1]
        assert (model.module(ids)[0, -1] - expected).abs().max() > 1e-3
    torch.testing.assert_close(traced.last_logits, expected)
    assert traced.check().passed


def test_a_pair_is_read_without_segments_where_there_are_none(tmp_path):
    traced = trace(loaded(tmp_path, kind="encoder"), "a cat", pair="a dog")
    assert len(traced.tokens) == 13
    assert traced.check().passed


def test_an_encoder_whose_head_is_untrained_predicts_nothing(tmp_path):
    traced = trace(loaded(tmp_path, kind="encoder", classes=3, tied=False), TEXT)
    with pytest.raises(UserError, match="no output head"):
        traced.next_tokens()
