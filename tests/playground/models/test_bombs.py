"""Folders that were made to harm: each is refused in a sentence, before it has taken memory or time."""

import json
import resource
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground.errors import UserError
from playground.models.loading import load
from tests.helpers.own_models import random_model
from tests.helpers.own_models import save_model as save_own

MEGABYTES = 200


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    """The block raises a UserError of that sentence, within 5 seconds of work and 200 MB."""
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(UserError, match=sentence):
        yield
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024


def change(folder: Path, **values: object) -> str:
    """Put other values into a folder's configuration."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return str(folder)


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("t5", {"num_decoder_layers": 100_000}),
        ("t5", {"num_decoder_layers": 4_000}),
        ("t5", {"num_layers": 10**9}),
        ("mixtral", {"num_local_experts": 1_000_000}),
        ("mixtral", {"num_local_experts": 4_000}),
        ("qwen2_moe", {"num_experts": 10**12}),
        ("llama", {"num_hidden_layers": 10**400}),
        ("llama", {"num_hidden_layers": 3_000, "max_window_layers": 3_000}),
        ("gpt2", {"n_positions": 60_000_000}),
        ("gpt2", {"n_positions": 300_000}),
        ("bert", {"vocab_size": 1_000_000_000}),
        ("bart", {"decoder_layers": 2.5e300}),
        ("marian", {"max_position_embeddings": 50_000_000}),
    ],
)
def test_a_configuration_asks_for_no_more_than_its_weights_hold(save_model, family: str, values: dict[str, object]):
    folder = save_model(family)
    load(str(folder))
    with refused("asks for more|other sizes|does not fit"):
        load(change(folder, **values))


@pytest.mark.parametrize(
    "values",
    [
        {"layers": 10_000},
        {"layers": 1_000},
        {"width": 65_536, "n_heads": 1_024},
        {"vocabulary": 1_000_000},
        {"context": 1_000_000, "positions": "sinusoidal", "width": 4_096},
        {"context": 1_000_000, "positions": "learned"},
        {"hidden": 1_000_000},
        {"classes": 100_000, "kind": "encoder"},
    ],
)
def test_our_own_format_is_held_against_its_weights_too(tmp_path: Path, values: dict[str, object]):
    folder = save_own(random_model(), tmp_path / "own")
    load(str(folder))
    with refused("asks for more|can be at most|other sizes|do not belong|does not fit"):
        load(change(folder, **values))


def test_a_deep_model_with_all_its_weights_is_loaded(tmp_path: Path):
    assert load(str(save_own(random_model(layers=60, width=8), tmp_path / "deep"))).layers == 60


def header(path: Path, text: bytes | str, length: int | None = None) -> None:
    """Put another header before no data."""
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(struct.pack("<Q", len(content) if length is None else length) + content)


def entry(shape: object, end: object = 0) -> str:
    return json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}})


@pytest.mark.parametrize(
    "text",
    [
        entry("12"),
        entry([1_000_000_000, "a"]),
        entry(["a", 1_000_000_000]),
        entry([[1]]),
        entry([True]),
        entry([-1, -4], 16),
        entry([10**400]),
        entry([2**40] * 15),
        entry([1.5]),
        entry({"1": 2}),
        entry([1] * 10_000),
        entry([4], "16"),
        entry([4], -16),
        entry(None),
        '{"a": 3}',
        "[" * 200_000,
        '{"a":' * 100_000,
        "[" + "[]," * 600_000 + "[]]",
        "[]",
        "null",
        b"\xff\xfe",
        "",
    ],
    ids=range(22),
)
def test_a_header_that_is_none_is_refused(save_model, text: bytes | str):
    folder = save_model("gpt2")
    header(folder / "model.safetensors", text)
    with refused("damaged or cut short"):
        load(str(folder))


@pytest.mark.parametrize("length", [2**63, 2**40, 99_000_000, 20_000_000])
def test_a_header_that_claims_to_be_enormous_is_refused(save_model, length: int):
    folder = save_model("gpt2")
    header(folder / "model.safetensors", b"{}", length)
    with refused("damaged or cut short"):
        load(str(folder))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"model_type": "gpt2", "x": "' + "a" * 5_000_000 + '"}'])
def test_a_configuration_that_is_none_is_refused(save_model, text: str):
    folder = save_model("gpt2")
    (folder / "config.json").write_text(text)
    with refused("cannot be read|names no model_type"):
        load(str(folder))


def test_weights_of_our_own_that_are_not_numbers_are_refused(tmp_path: Path):
    folder = save_own(random_model(), tmp_path / "own")
    weights = load_file(folder / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.ndim == 2 and "blocks.1" in name)
    weights[name][2, :3] = float("nan")
    save_file(weights, folder / "model.safetensors")
    with refused(rf"holds NaN, which is not a number: 3 of the {weights[name].numel():,} numbers in {name}"):
        load(str(folder))


def test_a_token_behind_the_embedding_is_one_sentence_and_other_texts_are_read(tmp_path: Path):
    from playground.lens import trace

    loaded = load(str(save_own(random_model(vocabulary=30), tmp_path / "own")))
    assert len(trace(loaded, "abc").source) == 4
    with pytest.raises(UserError, match="makes a token 55 of this text, and the model has only 30"):
        trace(loaded, "abcY")


def test_a_pretrained_models_tokens_are_held_against_its_embedding_too(save_model):
    from playground.lens import trace

    loaded = load(str(save_model("llama", vocab_size=8)))
    with pytest.raises(UserError, match="the model has only 8"):
        trace(loaded, "the cat sat on the mat and the dog lay under the tree")
    assert torch.isfinite(loaded.module(torch.tensor([[1, 2, 3]])).logits).all()
