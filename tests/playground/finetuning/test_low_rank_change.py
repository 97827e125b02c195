"""LoRA's stored numbers: their product is the drift of the matrix, entry by entry."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import save_file

from playground.errors import UserError
from playground.finetuning.low_rank_change import LowRankChange, read_low_rank, trained_numbers
from playground.models.adapters.finetuned import LORA_A, LORA_B, RECORD, TRAINED, FinetunedRecord

PATH = "blocks.0.attention.output"


def change() -> LowRankChange:
    a = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]], dtype=np.float32)
    b = np.array([[1.0, -1.0], [0.5, 2.0]], dtype=np.float32)
    return LowRankChange(path=PATH, a=a, b=b, scale=2.0)


def test_an_entry_is_the_scaled_sum_of_its_terms():
    """(B A)[1, 1] = 0.5 · 0 + 2 · 3 = 6, twice that is 12."""
    found = change()
    assert found.terms(1, 1).tolist() == [0.0, 6.0]
    assert found.change[1, 1] == 12.0
    assert found.change.tolist() == [[2.0, -6.0, 4.0], [1.0, 12.0, 2.0]]
    assert (found.rank, found.largest) == (2, (1, 1))
    with pytest.raises(UserError, match="rows 0 to 1 and columns 0 to 2"):
        found.terms(2, 0)


def test_a_folder_is_read(tmp_path):
    found = change()
    record = FinetunedRecord(base="x", revision=None, sha256="", scale=2.0)
    (tmp_path / RECORD).write_text(json.dumps(asdict(record)))
    tensors = {PATH + LORA_A: found.a, PATH + LORA_B: found.b, "classifier.output.bias": np.zeros(2, np.float32)}
    save_file(tensors, tmp_path / TRAINED)
    (read,) = read_low_rank(tmp_path).values()
    assert read.path == PATH
    assert read.change.tolist() == found.change.tolist()
    assert trained_numbers(tmp_path) == 6 + 4 + 2


def test_other_folders_hold_no_lora(tmp_path):
    assert read_low_rank(tmp_path) == {}
