"""Memory: the estimate, the limits of the machine, the refusal with numbers."""

from pathlib import Path

import pytest

from playground.errors import UserError
from playground.models import memory_estimate
from playground.models.formats.checkpoint import Checkpoint, inspect
from playground.models.loading import load


def _checkpoint(parameters: int) -> Checkpoint:
    config = {"model_type": "x", "hidden_size": 10, "num_hidden_layers": 3, "vocab_size": 100, "n_positions": 7}
    return Checkpoint(folder=Path(), config=config, weights=(), tensors=1, parameters=parameters, bytes=0)


def test_estimate_by_hand():
    # 1,000 weights; 7 tokens of 6 vectors x 3 layers x 10 numbers, and 100 scores in float32.
    expected = 1000 * 4 + 7 * (6 * 3 * 10 * 4 + 100 * 4) + memory_estimate.FIXED_ALLOWANCE
    assert memory_estimate.bytes_needed(_checkpoint(1000), "float32") == expected
    half = 1000 * 2 + 7 * (6 * 3 * 10 * 2 + 100 * 4) + memory_estimate.FIXED_ALLOWANCE
    assert memory_estimate.bytes_needed(_checkpoint(1000), "bfloat16") == half


def test_estimate_covers_the_weights_in_memory(save_model):
    folder = save_model("llama")
    model = load(str(folder))
    assert (
        model.bytes <= memory_estimate.bytes_needed(inspect(folder, "x"), "float32") - memory_estimate.FIXED_ALLOWANCE
    )


def test_refusal_names_both_numbers(save_model, monkeypatch: pytest.MonkeyPatch):
    folder = save_model("gpt2")
    monkeypatch.setattr(memory_estimate, "available_bytes", lambda device: 123_000_000)
    with pytest.raises(UserError, match=r"need about 0\.3 GB.*0\.1 GB are available on cpu.*bfloat16"):
        load(str(folder))
    monkeypatch.setattr(memory_estimate, "available_bytes", lambda device: 10**9)
    assert load(str(folder)).layers == 2


def test_limit_of_a_container_counts(tmp_path: Path):
    own = tmp_path / "cgroup"
    own.write_text("0::/a/b\n")
    root = tmp_path / "fs"
    (root / "a" / "b").mkdir(parents=True)
    assert memory_estimate._control_groups(root, own) == []
    (root / "a" / "memory.max").write_text("1000\n")
    (root / "a" / "memory.current").write_text("700\n")
    (root / "a" / "memory.stat").write_text("anon 500\ninactive_file 200\n")
    (root / "a" / "b" / "memory.max").write_text("max\n")
    assert memory_estimate._control_groups(root, own) == [(1000, 500)]


def test_limit_of_version_1_counts(tmp_path: Path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("9000")
    (tmp_path / "memory" / "memory.usage_in_bytes").write_text("1000")
    assert memory_estimate._control_groups(tmp_path, tmp_path / "none") == [(9000, 1000)]
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712")
    assert memory_estimate._control_groups(tmp_path, tmp_path / "none") == []


def test_available_is_within_the_machine():
    assert 0 < memory_estimate.available_bytes("cpu") <= memory_estimate.machine_bytes()
