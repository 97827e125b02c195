"""XLM and Flaubert are decoders where their configuration says `causal`, encoders otherwise."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    FlaubertConfig,
    FlaubertWithLMHeadModel,
    PreTrainedTokenizerFast,
    XLMConfig,
    XLMWithLMHeadModel,
)

from playground import load, trace
from playground.errors import UserError
from playground.lens.generate.continuation import Continuation
from playground.lens.generate.surprisal import text_surprisal

TEXT = "w1 w5 w2 w9 w4"
CLASSES = [(XLMConfig, XLMWithLMHeadModel), (FlaubertConfig, FlaubertWithLMHeadModel)]


def saved(folder: Path, config_class: type, model_class: type, *, causal: bool) -> Path:
    special = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
    vocabulary = {word: id for id, word in enumerate([*special, *(f"w{n}" for n in range(20))])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    PreTrainedTokenizerFast(tokenizer_object=words, **names).save_pretrained(folder)
    torch.manual_seed(0)
    ids = {"pad_index": 0, "bos_index": 1, "eos_index": 2, "unk_index": 3, "mask_index": 4, "pad_token_id": 0}
    config = config_class(vocab_size=25, emb_dim=32, n_layers=2, n_heads=4, max_position_embeddings=64, **ids)
    config.causal, config.n_langs, config.use_lang_emb = causal, 1, False
    model_class(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("config_class", "model_class"), CLASSES)
def test_a_causal_one_is_scored_from_left_to_right(tmp_path, config_class, model_class):
    model = load(str(saved(tmp_path, config_class, model_class, causal=True)))
    traced = trace(model, TEXT)
    assert (model.kind, traced.kinds) == ("decoder", ("decoder",))
    assert not np.triu(traced.attention(0, 0, "decoder"), 1).any()
    reference = model_class.from_pretrained(tmp_path, attn_implementation="eager").eval()
    with torch.inference_mode():
        logs = reference(torch.tensor([traced.ids])).logits[0].log_softmax(-1)
    expected = [-float(logs[at - 1, traced.ids[at]]) for at in range(1, len(traced.ids))]
    assert text_surprisal(model, TEXT).surprisal[1:].tolist() == pytest.approx(expected, abs=1e-4)
    with pytest.raises(UserError, match="puts a mask behind the text"):
        Continuation(model, TEXT)


@pytest.mark.parametrize(("config_class", "model_class"), CLASSES)
def test_another_one_stays_an_encoder(tmp_path, config_class, model_class):
    model = load(str(saved(tmp_path, config_class, model_class, causal=False)))
    assert model.kind == "encoder"
    assert text_surprisal(model, TEXT).predicted.all()
