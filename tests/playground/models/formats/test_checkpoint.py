"""What a folder holds, and every refusal in one sentence."""

import importlib
import json
import pkgutil
import shutil
from pathlib import Path

import pytest
import transformers

from playground.errors import UserError
from playground.models.formats.checkpoint import inspect, parameters_in, weight_files_among
from playground.models.formats.hub import WANTED

from safetensors.numpy import save_file  # isort: skip
import numpy as np  # isort: skip


def test_counts_numbers_and_bytes(save_model):
    folder = save_model("gpt2")
    checkpoint = inspect(folder, "gpt2")
    assert checkpoint.family == "gpt2"
    assert checkpoint.parameters == parameters_in(folder / "model.safetensors")
    # By hand: embeddings 64*16*2, two blocks of 12*16^2 + 13*16, the final norm 2*16; the head shares the first.
    assert checkpoint.parameters == 64 * 16 * 2 + 2 * (12 * 16 * 16 + 13 * 16) + 2 * 16


def test_shards_are_read_through_their_index(tmp_path: Path, save_model):
    folder = save_model("llama")
    whole = inspect(folder, "llama").parameters
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(folder).save_pretrained(tmp_path / "sharded", max_shard_size="5KB")
    shutil.copy(folder / "tokenizer.json", tmp_path / "sharded")
    sharded = inspect(tmp_path / "sharded", "llama")
    assert len(sharded.weights) > 1
    assert sharded.parameters == whole
    sharded.weights[0].unlink()
    with pytest.raises(UserError, match=rf"incomplete: {sharded.weights[0].name}"):
        inspect(tmp_path / "sharded", "llama")


def test_an_index_that_points_outside_is_refused(save_model):
    folder = save_model("gpt2")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder.parent / "outside.safetensors").write_bytes(b"")
    index = {"weight_map": {"a": "../outside.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match="incomplete"):
        inspect(folder, "gpt2")


@pytest.mark.parametrize("suffix", ["bin", "pt", "pth", "ckpt"])
def test_pickle_only_is_refused(save_model, suffix: str):
    folder = save_model("gpt2")
    (folder / "model.safetensors").rename(folder / f"pytorch_model.{suffix}")
    with pytest.raises(UserError, match=rf"only pickle weights \(pytorch_model.{suffix}\).*safetensors"):
        inspect(folder, "gpt2")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"adapter_model.safetensors"}, "adapter"),
        ({"weights.gguf"}, "GGUF"),
        ({"README.md", "training_args.bin"}, "model.safetensors is missing"),
    ],
)
def test_other_kinds_of_weights_are_refused(files: set[str], sentence: str):
    with pytest.raises(UserError, match=sentence):
        weight_files_among("x", files)


def test_only_the_standard_weights_are_wanted():
    assert weight_files_among("x", {"model.safetensors", "consolidated.safetensors", "pytorch_model.bin"}) == {
        "model.safetensors"
    }


@pytest.mark.parametrize("cut", [4, 30, -1])
def test_cut_short_weights_are_refused(save_model, cut: int):
    path = save_model("gpt2") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match="damaged or cut short"):
        inspect(path.parent, "gpt2")


@pytest.mark.parametrize(
    "junk", [b"", b"\xff" * 64, b"\x02" + b"\0" * 7 + b"[]", b"\x10" + b"\0" * 7 + b'{"a": {"x": 1}} ']
)
def test_junk_instead_of_weights_is_refused(save_model, junk: bytes):
    path = save_model("gpt2") / "model.safetensors"
    path.write_bytes(junk)
    with pytest.raises(UserError, match="damaged or cut short"):
        inspect(path.parent, "gpt2")


def test_header_is_the_one_safetensors_writes(tmp_path: Path):
    save_file({"a": np.zeros((3, 5), np.float32), "b": np.zeros(7, np.float16)}, tmp_path / "x.safetensors")
    assert parameters_in(tmp_path / "x.safetensors") == 3 * 5 + 7


def test_remote_code_is_refused_only_where_it_is_needed(save_model):
    folder = save_model("gpt2")
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), "auto_map": {"AutoModel": "modeling_own.Own"}}
    path.write_text(json.dumps(config))
    assert inspect(folder, "gpt2").family == "gpt2"
    path.write_text(json.dumps({**config, "model_type": "never_heard_of"}))
    with pytest.raises(UserError, match="Python code of its own"):
        inspect(folder, "gpt2")


def test_missing_parts_are_named(save_model):
    folder = save_model("gpt2")
    config = (folder / "config.json").read_text()
    for file in ("tokenizer.json", "vocab.json", "tokenizer.model"):
        (folder / file).unlink(missing_ok=True)
    with pytest.raises(UserError, match="no tokenizer"):
        inspect(folder, "gpt2")
    for text, sentence in [("{", "cannot be read"), ("[]", "model_type"), ("{}", "model_type")]:
        (folder / "config.json").write_text(text)
        with pytest.raises(UserError, match=sentence):
            inspect(folder, "gpt2")
    assert config
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"no config\.json"):
        inspect(folder, "gpt2")


def vocabularies() -> set[str]:
    """The file without which each tokenizer of transformers reads nothing."""
    found = set()
    for family in pkgutil.iter_modules(transformers.models.__path__):
        for module in pkgutil.iter_modules([str(Path(transformers.models.__path__[0]) / family.name)]):
            if module.name.startswith("tokenization") and module.name != "tokenization_pop2piano":
                loaded = importlib.import_module(f"transformers.models.{family.name}.{module.name}")
                classes = [one for one in vars(loaded).values() if isinstance(one, type)]
                tables = [vars(one).get("vocab_files_names", {}) for one in classes]
                found |= {names["vocab_file"] for names in tables if "vocab_file" in names}
    return found


def test_every_tokenizers_vocabulary_is_known_and_fetched(save_model):
    folder = save_model("gpt2")
    (folder / "tokenizer.json").unlink()
    for file in vocabularies() | {"tekken.json"}:
        assert WANTED.fullmatch(file), file
        (folder / file).write_bytes(b"x")
        assert inspect(folder, "gpt2").family == "gpt2"
        (folder / file).unlink()


@pytest.mark.parametrize("file", ["emoji.json", "dict.txt", "word_shape.json", "target_vocab.json", "normalizer.json"])
def test_what_stands_beside_a_vocabulary_is_fetched(file):
    assert WANTED.fullmatch(file)
