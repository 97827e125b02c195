"""Decoders exported to transformers' format give the same logits and token ids there."""

import itertools

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground import load
from playground.errors import UserError
from playground.training.run.hub_format import export_for_transformers, family_of
from playground.transformer import Transformer, TransformerConfig
from tests.helpers.own_models import letters_tokenizer, random_model, save_model

IDS = torch.tensor([[0, 7, 9, 8, 12, 9, 40, 33], [0, 5, 5, 6, 31, 60, 2, 17]])
ROTARY_LAYER = {"norm": "layer", "positions": "rotary"}
SHAPES = [
    ("llama", {}),
    ("llama", {"key_value_heads": 2, "tied": False}),
    ("llama", {"feed_forward": "none", "bias": True}),
    ("llama", {"scaled_embedding": True}),
    ("gpt_neox", {**ROTARY_LAYER, "feed_forward": "gelu"}),
    ("gpt_neox", {**ROTARY_LAYER, "feed_forward": "relu", "bias": True, "key_value_heads": 2, "tied": False}),
    ("gpt_neox", {**ROTARY_LAYER, "feed_forward": "none", "scaled_embedding": True}),
    ("gpt2", {"norm": "layer", "positions": "learned", "feed_forward": "gelu"}),
    ("gpt2", {"norm": "layer", "positions": "sinusoidal", "feed_forward": "relu", "bias": True, "tied": False}),
    ("gpt2", {"norm": "layer", "positions": "none", "feed_forward": "none", "key_value_heads": 1}),
]
TEXTS = ["The cat sat.", "  two  spaces, and 'more' ", "né 猫 🐈 <|start|> x", "a", "it 's ; ."]


@pytest.mark.parametrize(("family", "shape"), SHAPES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(SHAPES)])
def test_the_logits_are_the_same_in_transformers(tmp_path, family, shape):
    model = random_model(**shape)
    again = AutoModelForCausalLM.from_pretrained(
        export_for_transformers(model, letters_tokenizer("decoder"), tmp_path / "out")
    )
    assert again.config.model_type == family
    with torch.no_grad():
        torch.testing.assert_close(again(IDS).logits, model(IDS), atol=2e-5, rtol=1e-5)
    assert model(IDS).std() > 0.1


def test_generation_goes_on_as_ours_does(tmp_path):
    """With its key cache: greedy continuation of a prompt is ours, token by token."""
    model = random_model(seed=3)
    again = AutoModelForCausalLM.from_pretrained(
        export_for_transformers(model, letters_tokenizer("decoder"), tmp_path / "out")
    )
    written = again.generate(IDS[:1], max_new_tokens=6, do_sample=False, eos_token_id=None)
    assert written[0, 8:].tolist() == model(written[:, :-1])[0, 7:].argmax(-1).tolist()
    assert (again.config.bos_token_id, again.config.eos_token_id, again.config.pad_token_id) == (0, 1, 2)


def test_the_token_ids_are_the_same_in_transformers(tmp_path):
    tokenizer = letters_tokenizer("decoder")
    again = AutoTokenizer.from_pretrained(export_for_transformers(random_model(), tokenizer, tmp_path / "out"))
    for text in TEXTS:
        assert again(text)["input_ids"] == tokenizer.encode(text).ids
    assert (again.bos_token, again.eos_token, again.unk_token) == ("<|start|>", "<|end|>", "<|unknown|>")
    assert again.model_max_length == 64


def test_the_shipped_decoder_goes_to_transformers_and_comes_back(tmp_path):
    ours = load("books-decoder")
    out = export_for_transformers("books-decoder", None, tmp_path / "out")
    again, tokenizer = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    for text in TEXTS:
        ids = ours.tokenizer.encode(text).ids
        assert tokenizer(text)["input_ids"] == ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == ours.tokenizer.decode(ids)
    with torch.no_grad():
        theirs = again(torch.tensor([ids])).logits
    torch.testing.assert_close(theirs, ours.module(torch.tensor([ids])), atol=1e-4, rtol=1e-4)
    assert load(str(out)).family == "llama"


def test_a_folder_brings_its_own_vocabulary(tmp_path):
    folder = save_model(random_model(), tmp_path / "own")
    out = export_for_transformers(folder, None, tmp_path / "out")
    assert AutoTokenizer.from_pretrained(out)("ab")["input_ids"] == letters_tokenizer("decoder").encode("ab").ids


# Refusals


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ({"kind": "encoder", "norm": "layer"}, "no encoder with this norm; train one with rms"),
        ({"kind": "encoder-decoder"}, "no encoder-decoder with this norm; train one with layer"),
        ({"norm_position": "post"}, "norms after the layers"),
        ({"embedding_norm": True}, "norms its embeddings"),
        ({"residual": False}, "without residual connections"),
        ({"norm": "none"}, "none norms, rotary positions"),
        ({"feed_forward": "gelu"}, "rms norms, rotary positions and a gelu"),
        ({"positions": "learned"}, "rms norms, learned positions"),
        ({"norm": "layer"}, "layer norms, rotary positions and a swiglu"),
    ],
)
def test_a_shape_that_transformers_lacks_is_refused(tmp_path, shape, sentence):
    with pytest.raises(UserError, match=sentence):
        export_for_transformers(random_model(**shape), letters_tokenizer("decoder"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_plain_decoder_has_a_family_or_a_reason():
    choices = {
        "norm": ["rms", "layer"],
        "positions": ["rotary", "learned", "sinusoidal", "none"],
        "feed_forward": ["swiglu", "gelu", "relu", "none"],
    }
    families = []
    for values in itertools.product(*choices.values()):
        config = TransformerConfig(vocabulary=9, **dict(zip(choices, values, strict=True)))
        try:
            families.append(family_of(config).name)
        except UserError:
            families.append("none")
    assert {name: families.count(name) for name in families} == {"llama": 2, "gpt_neox": 3, "gpt2": 9, "none": 18}


def test_a_model_without_a_vocabulary_is_refused(tmp_path):
    with pytest.raises(UserError, match="has no tokenizer"):
        export_for_transformers(Transformer(TransformerConfig(vocabulary=9)), None, tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        export_for_transformers(random_model(), letters_tokenizer("decoder"), tmp_path / "file" / "out")
