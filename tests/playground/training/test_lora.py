"""LoRA by hand: what is merged answers as the layer with its detour, however the layer holds its matrix."""

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from playground.training.lora import LoraLinear


@pytest.mark.parametrize("layer", [nn.Linear(6, 6), nn.Linear(6, 4), Conv1D(6, 6), Conv1D(4, 6)])
def test_a_merged_matrix_answers_as_its_detour(layer):
    detoured, x = LoraLinear(layer, rank=2, alpha=6.0), torch.randn(3, 6)
    nn.init.normal_(detoured.lora_B.weight)
    with torch.no_grad():
        expected = detoured(x)
        layer.weight.copy_(detoured.merged())
        torch.testing.assert_close(layer(x), expected)
