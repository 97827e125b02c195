"""What a peft adapter changes besides products with a matrix: embeddings, biases, the rows of single tokens.

`written_out` replaces these by whole tensors under their names in the base, which `finetuned.merge` puts there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from playground.errors import UserError
from playground.models.adapters.finetuned import LORA_A

EMBEDDING_A, EMBEDDING_B = ".lora_embedding_A", ".lora_embedding_B"
BIAS, TOKENS = ".lora_B.bias", ".token_adapter.trainable_tokens_delta"


def written_out(
    whole: nn.Module,
    tensors: Mapping[str, Tensor],
    *,
    scale: Callable[[str, int], float],
    tokens: Sequence[int] | Mapping[str, Sequence[int]],
) -> dict[str, Tensor]:
    """The tensors of an adapter, its changes of embeddings, biases and tokens as the values that come of them.

    scale: the factor of the layer at a path with LoRA of a rank. tokens: the ids of trained rows, for each embedding
    where there are several. Raises UserError for those of another base.
    """
    changes = {EMBEDDING_A: _embedding, BIAS: _bias, TOKENS: _rows}
    written = {name: tensor for name, tensor in tensors.items() if not name.endswith((*changes, EMBEDDING_B))}
    for ending, change in changes.items():
        for name in [name for name in tensors if name.endswith(ending)]:
            path = name.removesuffix(ending)
            try:
                target, value = change(whole.get_submodule(path), path, {**tensors, **written}, scale, tokens)
            except (RuntimeError, ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration) as error:
                raise UserError("The trained weights do not belong to this base ({name}).", name=name) from error
            written[target] = value
    return written


def changed_name(name: str) -> str:
    """What a tensor of an adapter changes apart from what is tied to it; a token's row changes in both."""
    ending = next((ending for ending in (LORA_A, EMBEDDING_A) if name.endswith(ending)), None)
    return name if ending is None else name.removesuffix(ending) + ".weight"


def _embedding(layer: Any, path: str, tensors: Mapping[str, Tensor], scale: Any, _tokens: Any) -> tuple[str, Tensor]:
    """E + scale · (B A)ᵀ: an embedding has a row for each token."""
    a, b, name = tensors[path + EMBEDDING_A], tensors[path + EMBEDDING_B], f"{path}.weight"
    return name, tensors.get(name, layer.weight.detach()) + scale(path, len(a)) * (b @ a).T


def _bias(layer: Any, path: str, tensors: Mapping[str, Tensor], scale: Any, _tokens: Any) -> tuple[str, Tensor]:
    """b + scale · (the bias of B), also where the layer had none."""
    added, name = tensors[path + BIAS], f"{path}.bias"
    if layer.bias is None:
        layer.bias = nn.Parameter(added.new_zeros(layer.weight.shape[0]), requires_grad=False)
    rank = len(tensors[f"{path}.lora_A.weight"])
    return name, tensors.get(name, layer.bias.detach()) + scale(path, rank) * added


def _rows(layer: Any, path: str, tensors: Mapping[str, Tensor], _scale: Any, tokens: Any) -> tuple[str, Tensor]:
    """The embedding with the rows of some tokens replaced, in the order of their ids."""
    if isinstance(tokens, Mapping):
        tokens = next(ids for end, ids in tokens.items() if f".{path}".endswith(f".{end}"))
    name = f"{path}.weight"
    table = tensors.get(name, layer.weight.detach()).clone()
    table[torch.tensor(list(tokens))] = tensors[path + TOKENS].to(table.dtype)
    return name, table
