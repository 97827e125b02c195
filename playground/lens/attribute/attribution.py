"""Who wrote a logit: the residual stream is a sum, so that a logit is a sum over those who wrote into it.

The final norm is not linear; its scale is frozen at what it was in this pass, as TransformerLens does. Value-weighted
attention is Kobayashi et al. 2020, section 3: the norm of what a head carries from a key to a query.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.activations import Activations, Place
from playground.lens.capture.anatomy import TOLERANCE, AttentionParts, Parts
from playground.lens.capture.site import SiteKind

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class Attribution:
    """A logit (or the difference of two), as a sum: embedding + heads + biases + feed_forward + constant.

    heads [layer, head] and cross_heads (empty without cross-attention) leave out the output projection's bias, which
    is in attention_bias [layer]. embedding is everything in the stream before the first block. constant: the final
    norm's and the unembedding's biases. total is the model's own number.
    """

    embedding: float
    heads: Float[np.ndarray, "layer head"]
    cross_heads: Float[np.ndarray, "layer _"]
    attention_bias: Float[np.ndarray, "layer"]
    feed_forward: Float[np.ndarray, "layer"]
    constant: float
    total: float

    @property
    def sum(self) -> float:
        """All parts together: the total, up to rounding."""
        tables = (self.heads, self.cross_heads, self.attention_bias, self.feed_forward)
        return self.embedding + self.constant + float(sum(table.sum() for table in tables))


@dataclass(frozen=True, kw_only=True, eq=False)
class FrozenNorm:
    """A norm as the linear map that it was for one token: centre (or not), divide by a fixed scale, multiply."""

    weight: Float[Tensor, "width"]
    bias: Float[Tensor, "width"] | float
    scale: Float[Tensor, ""] | float
    centres: bool

    def direction(self, read: Float[Tensor, "width"]) -> Float[Tensor, "width"]:
        """What the stream itself is multiplied by, where the normed stream is multiplied by `read`."""
        direction = read * self.weight / self.scale
        return direction - direction.mean() if self.centres else direction


def freeze(norm: nn.Module | None, residual: Float[Tensor, "width"]) -> FrozenNorm:
    """The norm frozen at one token's residual stream. Raises UserError for one that is no layer or RMS norm."""
    if norm is None:
        return FrozenNorm(weight=torch.ones_like(residual), bias=0.0, scale=1.0, centres=False)
    bias = getattr(norm, "bias", None)
    centres = isinstance(norm, nn.LayerNorm) or isinstance(bias, Tensor)
    normed = norm(residual[None])[0]
    shift = bias if isinstance(bias, Tensor) else 0.0
    weight = _weight(norm, residual, centres=centres)
    product = weight * (residual - residual.mean() if centres else residual)
    # Whatever epsilon the norm adds, the scale is what divides the product.
    scale = (product @ product) / (product @ (normed - shift))
    if float((product / scale + shift - normed).abs().max()) > TOLERANCE.get(normed.dtype, 1e-4) * float(
        normed.abs().max().clamp(min=1e-3)
    ):
        raise UserError(
            "This model's final norm is neither a layer norm nor an RMS norm, so that no scale can be frozen."
        )
    return FrozenNorm(weight=weight, bias=shift, scale=scale, centres=centres)


def _weight(norm: nn.Module, residual: Tensor, *, centres: bool) -> Tensor:
    """What the norm multiplies by; an RMS norm tells by norming ones, which also serves Gemma's 1 + weight."""
    if not centres:
        large = torch.full_like(residual, 1000.0)
        return torch.as_tensor(norm(large[None])[0])
    weight = getattr(norm, "weight", None)
    return weight if isinstance(weight, Tensor) else torch.ones_like(residual)


@torch.inference_mode()
def attribute(
    model: "LoadedModel", activations: Activations, *, position: int, token: int, against: int | None = None
) -> Attribution:
    """Split the logit of a token at a position among those who wrote it; `against` subtracts another token's logit.

    Raises UserError for a model whose stream is no sum, or whose logits are not read straight from it.
    """
    logits = activations.predicted()
    parts = activations.parts
    _refuse(model, activations, position, token, against)
    final = activations.final[position]
    frozen = freeze(parts.final_norm, final)
    head = parts.unembedding
    assert head is not None
    weights: Tensor = head.weight  # type: ignore[assignment]
    read = weights[token] - (0 if against is None else weights[against])
    direction = frozen.direction(read)
    heads, biases = _attention_writes(activations, position, direction, parts.kind)
    crossed, cross_biases = _attention_writes(activations, position, direction, "cross")
    embedding = float(activations.residual[parts.kind, 0][position] @ direction)
    written = [activations.feed_forward.get((parts.kind, block.layer)) for block in parts.stack]
    total = logits[position, token] - (0 if against is None else logits[position, against])
    result = Attribution(
        embedding=embedding,
        heads=heads,
        cross_heads=crossed,
        attention_bias=biases + (cross_biases if len(cross_biases) else 0),
        feed_forward=np.array([0.0 if one is None else float(one[position] @ direction) for one in written]),
        constant=float((torch.as_tensor(frozen.bias, device=read.device) * read).sum()) + _bias(head, token, against),
        total=float(total),
    )
    if abs(result.sum - result.total) > 50 * TOLERANCE.get(weights.dtype, 1e-4) * max(1.0, float(logits.abs().max())):
        raise UserError(
            "The logits of {name} are bent after the unembedding, so that they are no sum of parts.", name=model.name
        )
    return result


def _bias(head: nn.Module, token: int, against: int | None) -> float:
    bias = getattr(head, "bias", None)
    if not isinstance(bias, Tensor):
        return 0.0
    return float(bias[token]) - (0.0 if against is None else float(bias[against]))


def _refuse(model: "LoadedModel", activations: Activations, position: int, token: int, against: int | None) -> None:
    parts = activations.parts
    if not all(block.is_additive for block in parts.stack):
        raise UserError(
            "{name} norms its residual stream after each layer, so that a logit is no sum of what the layers "
            "wrote; choose a model that norms before.",
            name=model.name,
        )
    if not parts.reads_out:
        raise UserError(
            "{name} does not read its logits straight from the residual stream, so that they are no sum of "
            "parts; choose another model.",
            name=model.name,
        )
    length, vocabulary = activations.predicted().shape
    wrong = [one for one in (token, against) if one is not None and not 0 <= one < vocabulary]
    if not -length <= position < length or wrong:
        raise UserError(
            "Choose a position from {length} to {length_2} and tokens from 0 to {vocabulary}.",
            length=-length,
            length_2=length - 1,
            vocabulary=vocabulary - 1,
        )


def head_writes(
    layer: AttentionParts, z: Float[Tensor, "head token width"]
) -> tuple[Float[Tensor, "head token width"], Float[Tensor, "width"]]:
    """What each head writes through its part of the output projection, and the projection's bias.

    Raises UserError where a norm stands between the projection and the stream (Gemma 2).
    """
    if layer.writer is not layer.projection:
        raise UserError("This model norms what an attention layer writes, so that its heads' shares are no sum.")
    heads, tokens, width = z.shape
    alone = z.new_zeros(heads, tokens, heads, width)
    index = torch.arange(heads, device=z.device)
    alone[index, :, index] = z
    bias: Tensor = layer.projection(z.new_zeros(1, 1, heads * width))[0, 0]
    return layer.projection(alone.flatten(2)) - bias, bias


def _attention_writes(
    activations: Activations, position: int, direction: Tensor, kind: SiteKind
) -> tuple[Float[np.ndarray, "layer head"], Float[np.ndarray, "layer"]]:
    heads, biases = [], []
    for (found, layer), z in activations.z.items():
        if found == kind:
            writes, bias = head_writes(activations.parts.attention(kind, layer), z[:, position, None])
            heads.append((writes[:, 0] @ direction).float().cpu().numpy())
            biases.append(float(bias @ direction))
    return np.stack(heads) if heads else np.zeros((0, 0), dtype=np.float32), np.array(biases)


@torch.inference_mode()
def value_weighted(activations: Activations, kind: SiteKind, layer: int) -> Float[np.ndarray, "head query key"]:
    """The norm of a_ij v_j W_O for every head: how much is carried, where attention says how much is looked at.

    activations: captured with patterns. Raises UserError without them.
    """
    place: Place = (kind, layer)
    parts: Parts = activations.parts
    attention = parts.attention(kind, layer)
    if place not in activations.patterns:
        raise UserError("The patterns of this pass were not kept; capture it with patterns.")
    carried, _ = head_writes(attention, activations.values[place])
    norms = carried.float().norm(dim=-1)
    weighted: np.ndarray = (activations.patterns[place] * norms[:, None]).cpu().numpy()
    return weighted
