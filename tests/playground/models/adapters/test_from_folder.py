"""Modules from a folder: what happens to the files afterwards does not reach a loaded model."""

import json
import subprocess
import sys

import pytest
import transformers

from playground.models.loading import load
from tests.helpers.pretrained_folders import save_tokenizer


def test_weights_that_are_written_over_do_not_change_a_loaded_model(save_model):
    """A mapped file would: transformers' own models change here."""
    folder = save_model("llama")
    model = load(str(folder)).module
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    content = (folder / "model.safetensors").read_bytes()
    with (folder / "model.safetensors").open("r+b") as file:
        file.write(content[: len(content) // 4] + bytes(len(content) - len(content) // 4))
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("head", [False, True])
def test_weights_that_become_shorter_do_not_end_the_process(save_model, head):
    """As the first step of a save in place does; in a mapped file that is SIGBUS."""
    program = f"""
import torch
from playground import load
from playground.models.adapters.pretrained_head import load_random_head
model = load({str(save_model("llama"))!r})
module = load_random_head(model, 2)[0] if {head} else model.module
open(model.folder / "model.safetensors", "wb").close()
print(module(torch.arange(9)[None]).logits.isfinite().all().item())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr[-2000:]


MOBILE = {"vocab_size": 64, "num_hidden_layers": 2, "intermediate_size": 32, "max_position_embeddings": 64}
MOBILE |= dict.fromkeys(("hidden_size", "embedding_size", "intra_bottleneck_size"), 16)


def test_a_tensor_without_numbers_is_read(tmp_path):
    """MobileBERT of equal widths stores one; safetensors slices none, and its file was called damaged."""
    transformers.MobileBertForMaskedLM(transformers.MobileBertConfig(**MOBILE)).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    ours = load(str(tmp_path)).module
    theirs = type(ours).from_pretrained(tmp_path).state_dict()
    assert theirs["cls.predictions.dense.weight"].shape == (0, 64)
    assert all(tensor.equal(theirs[name]) for name, tensor in ours.state_dict().items())


@pytest.mark.parametrize("family", ["gpt2", "bart", "t5"])
@pytest.mark.parametrize("in_config", [False, True])
def test_settings_of_generation_are_those_that_transformers_reads(save_model, family, in_config):
    folder = save_model(family)
    path = folder / ("config.json" if in_config else "generation_config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "num_beams": 3, "no_repeat_ngram_size": 2}))
    if in_config:
        (folder / "generation_config.json").unlink()
    theirs = type(load(str(folder)).module).from_pretrained(folder)
    ours = load(str(folder)).module
    assert ours.generation_config.to_dict() == theirs.generation_config.to_dict()
    assert ours.name_or_path == theirs.name_or_path
