"""Models before and after: a copy with a change that is known."""

import torch

from playground.finetuning.model_pair import ModelPair
from playground.models.loading import LoadedModel
from tests.helpers.families import as_loaded
from tests.helpers.own_models import letters_tokenizer, random_model

QUERIES = "blocks.1.attention.query_key_value.weight"


def loaded(kind: str, **changes) -> LoadedModel:
    """A random model with a vocabulary of letters; the same one at every call."""
    model = as_loaded(random_model(kind=kind, **changes), kind, "playground")
    object.__setattr__(model, "tokenizer", letters_tokenizer(kind))
    return model


def low_rank_change(rows: int, columns: int, rank: int, scale: float = 1.0) -> torch.Tensor:
    """scale · B A with so many directions: singular values scale, scale / 2, scale / 3, …"""
    torch.manual_seed(5)
    left = torch.linalg.qr(torch.randn(rows, rank, dtype=torch.float64))[0]
    right = torch.linalg.qr(torch.randn(columns, rank, dtype=torch.float64))[0]
    values = scale / torch.arange(1, rank + 1, dtype=torch.float64)
    return left @ torch.diag(values) @ right.T


def pair_of(kind: str = "decoder", *, rank: int = 2, scale: float = 1.0, **changes) -> ModelPair:
    """A model, and a copy whose queries in layer 1 have moved by a matrix of that rank; rank 0: not at all."""
    before, after = loaded(kind, **changes), loaded(kind, **changes)
    if rank:
        weight = dict(after.module.named_parameters())[QUERIES]
        width = weight.shape[1]
        weight.data[:width] += low_rank_change(width, width, rank, scale).float()
    return ModelPair(before=before, after=after)
