"""Small random models of any causal family, as the benchmark of configurations shrinks them."""

from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.configurations.building import letters_tokenizer
from benchmarks.configurations.shrinking import shrunk
from benchmarks.configurations.special_cases import GIVEN


def save_shrunk(folder: Path, family: str, **given: Any) -> Path:
    """A random model of the family with letters as tokens, large enough numbers to attend unevenly."""
    stated = {**GIVEN.get(family, {}), **given}
    config = shrunk(transformers.CONFIG_MAPPING[family], **stated)
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    letters_tokenizer().save_pretrained(folder)
    return folder
