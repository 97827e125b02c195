"""Input and output embedding of a model, and the tokens whose vectors point the same way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.alphabet import alphabet_of
from playground.lens.capture.tokens import Token, label, literal_ids, readable, rust_tokenizer

if TYPE_CHECKING:
    from playground.models import LoadedModel

MatrixKind = Literal["input", "output"]
ROWS_AT_ONCE = 16_384
"""Rows that are read at once, in float32: a few dozen megabytes of any model."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbeddingMatrix:
    """One vector for each token of the vocabulary."""

    kind: MatrixKind
    weight: Float[Tensor, "token width"]
    is_tied: bool = False
    """Whether input and output are one matrix (Press and Wolf 2017)."""


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A token and how much its vector points the same way."""

    token: Token
    cosine: float


def embedding_matrices(model: "LoadedModel") -> dict[MatrixKind, EmbeddingMatrix]:
    """The input embedding, and the output embedding of a model that has a matrix there.

    Raises UserError for a model whose embedding is no matrix.
    """
    source = token_matrix(model.adapter.embedding())
    if source is None:
        raise UserError("The embedding of {name} is no matrix with a row for each token.", name=model.name)
    head = model.adapter.output_head() if model.has_output_head else None
    target = None if head is None else token_matrix(head)
    is_tied = target is not None and target.data_ptr() == source.data_ptr()
    matrices: dict[MatrixKind, EmbeddingMatrix] = {
        "input": EmbeddingMatrix(kind="input", weight=source, is_tied=is_tied)
    }
    if target is not None:
        matrices["output"] = EmbeddingMatrix(kind="output", weight=target, is_tied=is_tied)
    return matrices


def token_matrix(module: nn.Module) -> Tensor | None:
    """The matrix of an embedding or output layer; None where it has none of its own."""
    weight = getattr(module, "weight", None)
    return weight.detach() if isinstance(weight, Tensor) and weight.ndim == 2 and weight.numel() else None


@torch.inference_mode()
def cosines(weight: Float[Tensor, "token width"], vector: Float[Tensor, "width"]) -> Float[Tensor, "token"]:
    """The cosine of every row with a vector, in float32; NaN for rows of zeros and rows that are not finite."""
    vector = vector.float()
    vector = vector / vector.norm()
    parts = []
    for first in range(0, len(weight), ROWS_AT_ONCE):
        rows = weight[first : first + ROWS_AT_ONCE].float()
        norms = torch.linalg.vector_norm(rows, dim=1)
        parts.append(torch.where(norms > 0, rows @ vector / norms, torch.nan))
    return torch.cat(parts).cpu()


@torch.inference_mode()
def nearest_tokens(
    model: "LoadedModel",
    matrix: EmbeddingMatrix,
    vector: Float[Tensor, "width"],
    k: int = 10,
    exclude: Collection[int] = (),
) -> list[Neighbour]:
    """The k tokens of the largest cosine with a vector, the nearest first.

    Raises UserError for a vector without a direction.
    """
    if not bool(vector.isfinite().all()) or not bool(vector.any()):
        raise UserError("This vector is zero or not a number, so that nothing is near it.")
    values = cosines(matrix.weight, vector)
    values[list(exclude)] = torch.nan
    values = values.nan_to_num(nan=-torch.inf)
    top, ids = values.topk(min(k, int(values.isfinite().sum())))
    return [
        Neighbour(token=token, cosine=value)
        for token, value in zip(label_alone(model, ids.tolist()), top.tolist(), strict=True)
    ]


def row_of(matrix: EmbeddingMatrix, id: int) -> Float[Tensor, "width"]:
    """A token's vector. Raises UserError where the matrix has no such row."""
    if not 0 <= id < len(matrix.weight):
        raise UserError("The {kind} embedding has no row {id}.", kind=matrix.kind, id=id)
    return matrix.weight[id].float()


def label_alone(model: "LoadedModel", ids: Sequence[int]) -> list[Token]:
    """Labels for tokens that are no text: each by itself."""
    rust = rust_tokenizer(model.tokenizer)
    if rust is None:
        return [label(model.tokenizer, [id])[0] for id in ids]
    alphabet, raw, added = alphabet_of(rust), literal_ids(rust), rust.get_added_tokens_decoder()
    tokens = []
    for id in ids:
        piece = rust.id_to_token(id) or f"#{id}"
        text = readable([piece], [id in raw], alphabet)[0]
        tokens.append(Token(id=id, text=text, special=id in added and added[id].special))
    return tokens
