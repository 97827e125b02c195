"""Loading: every family with a small random model, and every way in which loading is refused."""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, EncoderDecoderConfig, EncoderDecoderModel

from playground.errors import UserError
from playground.lens import trace
from playground.models import LoadedModel
from playground.models.adapters import attention_seam
from playground.models.adapters.pretrained import context_of
from playground.models.loading import load
from tests.helpers.pretrained_folders import DECODER, save_tokenizer

INTERFACE = {
    "decoder": [
        *["gpt2", "gpt_neox", "llama", "mistral", "qwen2", "qwen3"],
        *["gemma2", "gemma3_text", "phi3", "olmo2", "gpt_oss", "opt"],
    ],
    "encoder": ["bert", "roberta", "distilbert", "electra", "albert", "modernbert"],
    "encoder-decoder": ["t5", "bart", "marian"],
}


@pytest.mark.parametrize(("kind", "family"), [(kind, name) for kind, names in INTERFACE.items() for name in names])
def test_families_of_the_interface(save_model, kind: str, family: str):
    model = load(str(save_model(family)))
    assert (model.kind, model.attention, model.family) == (kind, "interface", family)
    assert (model.layers, model.n_heads, model.has_output_head) == (2, 4, True)
    assert (model.device, model.dtype, model.revision) == ("cpu", "float32", None)
    assert not model.module.training
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    assert model.bytes == 4 * model.parameters
    assert model.context > 0


@pytest.mark.parametrize(
    ("family", "kind"), [("bloom", "decoder"), ("falcon", "decoder"), ("deberta-v2", "encoder"), ("xlnet", "encoder")]
)
def test_families_outside_report_their_own_maps(save_model, family: str, kind: str):
    model = load(str(save_model(family)))
    assert (model.kind, model.attention) == (kind, "eager")
    maps = model.module(torch.tensor([[5, 6, 7, 8]]), output_attentions=True).attentions
    assert len(maps) == model.layers
    assert all(layer.shape == (1, model.n_heads, 4, 4) for layer in maps)


@pytest.mark.parametrize("family", ["mamba", "longformer", "funnel"])
def test_families_without_exact_maps_are_refused_by_name(save_model, family: str):
    with pytest.raises(UserError, match=f"family {family} has no attention that can be shown"):
        load(str(save_model(family)))


def test_sparse_families_are_refused_by_name(save_model):
    folder = save_model("bert")
    (folder / "config.json").write_text(json.dumps({"model_type": "reformer", "vocab_size": 64}))
    with pytest.raises(UserError, match="family reformer is sparse"):
        load(str(folder))


def test_a_family_whose_seam_disagrees_is_shown_by_its_own_maps(save_model, monkeypatch: pytest.MonkeyPatch):
    exact = attention_seam.z
    monkeypatch.setattr(attention_seam, "z", lambda call: exact(call) * 1.5)
    model = load(str(save_model("llama")))
    assert model.attention == "eager"
    assert model.module.config._attn_implementation == "eager"


def test_a_model_without_its_head_is_loaded_without(save_model):
    folder = save_model("bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertForSequenceClassification"]}))
    model = load(str(folder))
    assert (type(model.module).__name__, model.has_output_head) == ("BertModel", False)


def test_a_head_whose_weights_are_missing_is_not_made_up(save_model):
    folder = save_model("llama", tie_word_embeddings=False)
    weights = load_file(folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model = load(str(folder))
    assert not model.has_output_head
    assert type(model.module).__name__ == "LlamaModel"
    assert model.attention == "interface"


def test_missing_weights_are_refused(save_model):
    folder = save_model("llama")
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lack 1 of the model's tensors \(model\.layers\.1\.mlp\.up_proj"):
        load(str(folder))


def test_weights_of_another_size_are_refused(save_model):
    folder = save_model("llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(UserError, match=r"have other sizes than its config\.json says"):
        load(str(folder))


def test_weights_that_are_not_numbers_are_refused(save_model):
    folder = save_model("gpt2")
    weights = load_file(folder / "model.safetensors")
    weights["transformer.h.1.attn.c_attn.weight"][3] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        UserError,
        match=r"holds NaN, which is not a number: 48 of the 768 numbers in transformer.h.1.attn.c_attn.weight",
    ):
        load(str(folder))


def test_unknown_family_is_refused_by_name(save_model):
    folder = save_model("gpt2")
    (folder / "config.json").write_text('{"model_type": "never_heard_of"}')
    with pytest.raises(UserError, match="family never_heard_of, which transformers"):
        load(str(folder))


def test_a_model_that_reads_no_text_is_refused(save_model):
    folder = save_model("gpt2")
    (folder / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(UserError, match="reads pixel values, not text"):
        load(str(folder))


@pytest.mark.parametrize("normalizer", [None, normalizers.Replace("y", "x")])
def test_a_vocabulary_without_our_words_and_without_an_unknown_token_is_loaded(save_model, normalizer):
    """The second is opened in a process of its own, since it replaces."""
    folder = save_model("gpt2")
    tokenizer = Tokenizer(models.WordLevel({"x": 0, "z": 1, "a": 2}))
    tokenizer.pre_tokenizer, tokenizer.normalizer = pre_tokenizers.Whitespace(), normalizer
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    model = load(str(folder))
    expected = type(model.module).from_pretrained(folder)(torch.tensor([[0, 1, 0]])).logits
    with pytest.raises(UserError, match="tokenizer fails on this text: WordLevel error"):
        trace(model, "x dog")
    assert trace(model, "x z x").last_logits == pytest.approx(expected[0, -1].detach().numpy(), abs=1e-5)


def test_a_damaged_tokenizer_is_a_sentence(save_model):
    folder = save_model("gpt2")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"tokenizer of .* cannot be read"):
        load(str(folder))


def test_damaged_numbers_behind_a_sound_header(save_model):
    folder = save_model("gpt2")
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"F32"', b'"F99"', 1))
    with pytest.raises(
        UserError, match=f"^The weights of {re.escape(str(folder))} are damaged; fetch or save the model again.$"
    ):
        load(str(folder))


@pytest.mark.parametrize("name", ["./nowhere", "/no/where", "~/nowhere-at-all", "a/b/c", "..\\x"])
def test_a_path_that_does_not_exist(name: str):
    with pytest.raises(UserError, match="no folder"):
        load(name)


@pytest.mark.parametrize(("name", "sentence"), [("", "No model is named"), ("https://x.org/a/b", "is an address")])
def test_names_that_are_none(name: str, sentence: str):
    with pytest.raises(UserError, match=sentence):
        load(name)


def test_a_file_instead_of_a_folder(save_model, monkeypatch: pytest.MonkeyPatch):
    folder = save_model("gpt2")
    monkeypatch.chdir(folder)
    with pytest.raises(UserError, match="no folder"):
        load("model.safetensors")


def test_a_relative_folder(save_model, monkeypatch: pytest.MonkeyPatch):
    folder = save_model("gpt2")
    monkeypatch.chdir(folder.parent)
    model = load("gpt2")
    assert model.folder == folder
    assert model.source == f"folder {folder}"
    with pytest.raises(UserError, match="no revisions"):
        load("gpt2", revision="main")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_dtype_is_chosen(save_model, dtype: str):
    model = load(str(save_model("llama")), dtype=dtype)
    assert (model.dtype, model.attention) == (dtype, "interface")
    assert model.module.dtype == getattr(torch, dtype)
    assert model.bytes == 2 * model.parameters


def test_half_precision_checkpoints_are_float32_on_the_processor(save_model, tmp_path: Path):
    from transformers import AutoModelForCausalLM

    folder = save_model("llama")
    AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(tmp_path / "half")
    shutil.copy(folder / "tokenizer.json", tmp_path / "half")
    shutil.copy(folder / "tokenizer_config.json", tmp_path / "half")
    assert load(str(tmp_path / "half"), device="cpu").dtype == "float32"


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"dtype": "int8"}, "no dtype 'int8'"),
        ({"device": "tpu"}, "no device 'tpu'"),
        ({"device": "cuda:x"}, "no device"),
    ],
)
def test_impossible_choices(save_model, choice: dict[str, str], sentence: str):
    with pytest.raises(UserError, match=sentence):
        load(str(save_model("gpt2")), **choice)


def test_a_device_that_is_not_there(save_model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="no cuda that torch can use"):
        load(str(save_model("gpt2")), device="cuda")


def test_roberta_counts_positions_after_its_padding(save_model):
    model = load(str(save_model("roberta", pad_token_id=1)))
    assert model.context == 64
    ids = torch.full((1, model.context), 5)
    assert model.module(ids).logits.shape[1] == 64
    with pytest.raises((IndexError, RuntimeError), match="index"):
        model.module(torch.full((1, 65), 5))


def test_loading_is_the_model_itself(save_model):
    from transformers import AutoModelForCausalLM

    folder = save_model("qwen3")
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.inference_mode():
        expected = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")(ids).logits
        assert (load(str(folder)).module(ids).logits - expected).abs().max() < 1e-5


def _own_folder(folder: Path, *, tied: bool = True) -> Path:
    from tokenizers import Tokenizer, models

    from playground.transformer import Transformer, TransformerConfig

    folder.mkdir()
    torch.manual_seed(0)
    config = TransformerConfig(vocabulary=32, context=16, width=16, layers=2, n_heads=4, hidden=24, tied=tied)
    weights = {key: value.half().contiguous() for key, value in Transformer(config).state_dict().items()}
    if tied:
        del weights["head.weight"]
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a")).save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize("tied", [True, False])
def test_our_own_family(tmp_path: Path, tied: bool):
    model = load(str(_own_folder(tmp_path / "own", tied=tied)))
    assert (model.family, model.kind, model.layers, model.n_heads, model.context) == ("playground", "decoder", 2, 4, 16)
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    stored = load_file(model.folder / "model.safetensors")["embedding.weight"]
    assert torch.equal(model.module.embedding.weight, stored.float())
    assert (model.module.head.weight is model.module.embedding.weight) == tied
    assert model.module(torch.tensor([[1, 2, 3]])).shape == (1, 3, 32)


def test_our_own_family_needs_every_weight(tmp_path: Path):
    folder = _own_folder(tmp_path / "own")
    weights = load_file(folder / "model.safetensors")
    save_file({key: value for key, value in weights.items() if key != "norm.weight"}, folder / "model.safetensors")
    with pytest.raises(UserError, match=r"norm\.weight"):
        load(str(folder))
    save_file({**weights, "more": torch.zeros(1)}, folder / "model.safetensors")
    with pytest.raises(UserError, match="more"):
        load(str(folder))
    save_file({**weights, "norm.weight": torch.zeros(3)}, folder / "model.safetensors")
    with pytest.raises(UserError, match="other sizes"):
        load(str(folder))


def test_our_own_family_needs_no_transformers(tmp_path: Path):
    import subprocess
    import sys

    folder = _own_folder(tmp_path / "own")
    code = (
        f"import sys; from playground.models import load; load({str(folder)!r}); print('transformers' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert result.stdout.strip() == "False"


def test_a_loaded_model_is_a_frozen_value(save_model):
    model = load(str(save_model("gpt2")))
    assert isinstance(model, LoadedModel)
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.name = "x"
    # Equal by identity, so that it can be a key: another load of the same folder is another model.
    assert {model: 1}.get(load(model.name)) is None
    assert {model: 1}[model] == 1


def test_context_falls_back_to_what_the_tokenizer_says(save_model):
    module = load(str(save_model("t5"))).module
    assert context_of(module, module.config, SimpleNamespace(model_max_length=77)) == 77


@pytest.mark.parametrize("architectures", [None, ["EncoderDecoderModel"]])
def test_two_models_in_one_folder_are_refused_by_name(tmp_path, architectures):
    """Their blocks have each other's names: attention of the decoder would be filed under the encoder."""
    halves = BertConfig(**DECODER), BertConfig(**DECODER, is_decoder=True, add_cross_attention=True)
    EncoderDecoderModel(EncoderDecoderConfig.from_encoder_decoder_configs(*halves)).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": architectures}))
    with pytest.raises(UserError, match="pairs two models"):
        load(str(tmp_path))


@pytest.mark.parametrize("name", ["é" * 200, "a/" + "b" * 300, "x" * 97, "a\0b", "\ud800"])
def test_a_name_that_no_model_can_have_is_refused_in_a_sentence(name):
    with pytest.raises(UserError, match="is not a model id"):
        load(name)
