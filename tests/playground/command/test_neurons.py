"""`python -m playground neurons`: JSON of the neurons that add most, and one sentence for bad input."""

import json

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from playground import load, trace
from playground.__main__ import main
from playground.lens.inspect.steps.neurons import feed_forward_of, rank_neurons
from tests.helpers.pretrained_folders import save_model
from tests.playground.command.test_commands import own_cache

__all__ = ["own_cache", "save_model"]


def test_the_neurons_that_add_most_are_printed(capsys):
    assert main(["neurons", "books-decoder", "The cat sat", "--layer", "2", "--count", "3"]) == 0
    report = json.loads(capsys.readouterr().out)
    traced = trace(load("books-decoder"), "The cat sat")
    ranked = rank_neurons(feed_forward_of(traced.whole_token(-1), 2))
    assert [one["neuron"] for one in report["neurons"]] == [name.number for name in ranked.names[:3]]
    np.testing.assert_allclose([one["added"] for one in report["neurons"]], ranked.added[:3], rtol=1e-5)
    assert report["tokens"] == traced.tokens
    assert report["position"] == len(traced.tokens) - 1
    assert report["difference"] < 1e-4
    for one in report["neurons"]:
        assert one["activations"][-1] == pytest.approx(one["activation"], abs=1e-5)
        effects = [token["effect"] for token in one["promoted"]]
        assert len(effects) == 10
        assert effects == sorted(effects, reverse=True)


def test_a_mixtures_activations_and_shares_are_told_apart(save_model, capsys):
    folder = str(save_model("qwen2_moe"))
    assert main(["neurons", folder, "the cat sat on", "--layer", "1", "--token", "2", "--count", "40"]) == 0
    for one in json.loads(capsys.readouterr().out)["neurons"]:
        assert one["activations"][2] == pytest.approx(one["activation"], abs=1e-5)
        assert one["shares"][2] == pytest.approx(one["share"], abs=1e-5)
        assert one["added"] == pytest.approx(abs(one["activation"]) * one["share"] * one["length"], rel=1e-4)


def test_numbers_that_overflow_are_null(save_model, capsys):
    file = (folder := save_model("llama")) / "model.safetensors"
    weights = load_file(file)
    weights["model.layers.0.mlp.down_proj.weight"][:] = 3e38
    save_file(weights, file, metadata={"format": "pt"})
    assert main(["neurons", str(folder), "the cat sat", "--count", "2"]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert [(one["length"], one["added"]) for one in report["neurons"]] == [(None, None)] * 2


def test_a_search_lists_neurons_by_their_tokens(capsys):
    words = ["neurons", "books-decoder", "The cat sat", "--layer", "5", "--search", "whale", "--count", "50"]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    for one in report["neurons"]:
        assert any("whale" in token["token"].casefold() for token in one["promoted"] + one["suppressed"])
    assert report["neurons"]
    assert main([*words[:-3], "no such token anywhere"]) == 0
    assert json.loads(capsys.readouterr().out)["neurons"] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["neurons", "books-decoder", "The cat", "--layer", "9"], "no layer 9; choose 0 to 5"),
        (["neurons", "books-decoder", "The cat", "--token", "99"], "no position 99"),
        (["neurons", "books-decoder", "The cat", "--count", "0"], "choose 1 to 100,000"),
        (["neurons", "books-decoder", "The cat", "--kind", "encoder"], "no encoder"),
        (["neurons", "induction", "The cat"], "no feed-forward layer"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(words, sentence, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
