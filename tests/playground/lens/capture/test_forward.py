"""One pass over a text: what is read, cut or refused, and the logits of any position."""

import pytest
import torch

from playground.errors import UserError
from playground.lens.capture.forward import TARGET_LIMIT, logits_at, run_pass
from playground.lens.capture.tokens import TooLongError
from tests.helpers.own_models import own_model


def read(model, text: str, target: str | None = None, pair: str | None = None, **options):
    return run_pass(model, text, target, **{"pair": pair, "truncate": False, "on_layer": None, **options})


@pytest.mark.parametrize(
    ("kind", "texts", "sentence"),
    [
        ("decoder", {"target": "b"}, "reads one text, without a target"),
        ("encoder", {"target": "b"}, "reads one text, without a target"),
        ("decoder", {"pair": "b"}, "sentence pairs are for encoders"),
        ("encoder-decoder", {"pair": "b"}, "sentence pairs are for encoders"),
    ],
)
def test_a_second_text_that_the_kind_does_not_read_is_refused(kind, texts, sentence):
    with pytest.raises(UserError, match=sentence):
        read(own_model(kind), "a", **texts)


def test_a_text_beyond_the_context_is_refused_with_its_length_or_cut():
    model = own_model("decoder")
    with pytest.raises(TooLongError) as error:
        read(model, "a" * 100)
    assert (error.value.count, error.value.limit) == (101, 64)
    result = read(model, "a" * 100, truncate=True)
    assert len(result.source) == result.sites[0].queries == 64
    assert result.is_source_cut
    assert not read(model, "a" * 63, truncate=True).is_source_cut  # 64 tokens with the start


def test_a_target_is_cut_as_the_source_is():
    model = own_model("encoder-decoder")
    with pytest.raises(TooLongError):
        read(model, "a", "b" * 100)
    result = read(model, "a", "b" * 100, truncate=True)
    assert len(result.target) == 64
    assert (result.is_source_cut, result.is_target_cut) == (False, True)
    assert not read(model, "a", "b", truncate=True).is_target_cut


def test_without_a_target_an_encoder_decoder_writes_its_own():
    result = read(own_model("encoder-decoder"), "abc")
    assert 1 <= len(result.target) <= TARGET_LIMIT
    assert {site.kind for site in result.sites} == {"encoder", "decoder", "cross"}


def test_an_empty_text_has_no_sites_and_no_logits():
    model = own_model("decoder")
    object.__setattr__(model.tokenizer, "post_processor", None)
    result = read(model, "")
    assert (result.source, result.sites, result.last_logits) == ((), (), None)


@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_the_last_logits_are_those_of_the_last_position(kind):
    model = own_model(kind)
    result = read(model, "abc a")
    torch.testing.assert_close(logits_at(model, result.arguments, -1), result.last_logits)
    assert not torch.equal(logits_at(model, result.arguments, 0), result.last_logits)


def test_every_layer_reports():
    layers = []
    read(own_model("decoder"), "abc", on_layer=layers.append)
    assert layers == [1, 2]


def test_a_pair_has_segments():
    result = read(own_model("encoder"), "ab", pair="c")
    assert [token.segment for token in result.source] == [0, 0, 0, 0, 1, 1]
