"""`python -m playground`: what it prints, what it writes, and exit code 2 with one sentence for bad input."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from playground import load, trace
from playground.__main__ import main
from playground.command import trace as trace_command

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def test_models_lists_the_catalogue(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    is_here = {line.split()[0]: line.split()[-1] for line in lines[1:]}
    folders = [*(ROOT / "assets" / "models").iterdir(), *(ROOT / "assets" / "finetuned").iterdir()]
    shipped = {path.name for path in folders}
    assert shipped == {"books-decoder", "books-encoder", "tales-translator", "induction", "books-encoder-sentiment"}
    assert is_here == {**dict.fromkeys(shipped, "yes"), "smollm2-135m": "no", "all-minilm-l6-v2": "no"}
    assert lines[1].startswith("books-decoder")


def test_trace_writes_what_the_lens_sees(tmp_path, capsys):
    out = tmp_path / "cat.npz"
    assert main(["trace", "books-decoder", "The cat sat", "--out", str(out)]) == 0
    assert "verified: max. error" in capsys.readouterr().out
    traced = trace(load("books-decoder"), "The cat sat")
    with np.load(out, allow_pickle=False) as arrays:
        assert np.array_equal(arrays["decoder_3"][1], traced.attention(3, 1))
        assert list(arrays["tokens"]) == traced.tokens
        assert json.loads(str(arrays["provenance"]))["model"] == "books-decoder"
        assert arrays["decoder_score_previous"].shape == (6, 6)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trace", "/no/such", "a", "--out", "x.npz"], "There is no folder /no/such"),
        (["trace", "books-decoder", "a", "--out", "/no/such/x.npz"], "create it first"),
        (["trace", "books-decoder", "a", "--out", "/tmp"], "is a folder"),
        (["trace", "books-decoder", "word " * 600, "--out", "x.npz"], "at most 512 fit"),
        (["trace", "books-decoder", "a", "--pair", "b", "--out", "x.npz"], "sentence pairs are for encoders"),
        (["trace", "books-decoder", "a", "--device", "toaster", "--out", "x.npz"], "no device"),
        (["fetch", "nobody/nothing"], "hub"),
        (["export", "/no/such", "--out", "x"], "/no/such"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert list(tmp_path.glob("x*")) == []


def test_a_full_disk_is_named_and_leaves_no_half_file(tmp_path, capsys, monkeypatch):
    def full(stream, **arrays):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trace_command, "save_arrays", full)
    out = tmp_path / "cat.npz"
    assert main(["trace", "books-decoder", "The cat sat", "--out", str(out)]) == 2
    assert "No space left" in capsys.readouterr().err
    assert not out.exists()


def test_an_unknown_command_ends_with_2():
    command = [sys.executable, "-m", "playground", "dance"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_listing_models_needs_no_torch():
    code = "import sys; from playground.__main__ import main; main(['models']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
