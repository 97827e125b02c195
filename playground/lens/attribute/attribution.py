"""Direct logit attribution: a logit as the sum of what every component contributes through the residual stream.

A norm is not linear; the final one's scale, and that of one behind an attention layer (Gemma 2), is frozen at this
pass's, as TransformerLens does. Value-weighted attention is the norm of the transformed vectors that a head moves from
a key to a query (Kobayashi et al. 2020, section 3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.activations import Activations, SiteKey
from playground.lens.capture.anatomy import AttentionParts, Parts
from playground.lens.capture.site import SiteKind
from playground.lens.tolerances import tolerance

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitAttribution:
    """A logit (or the difference of two) as a sum of contributions."""

    embedding: float
    """Everything in the stream before the first block."""
    heads: Float[np.ndarray, "layer head"]
    """Without the output projection's bias."""
    cross_heads: Float[np.ndarray, "layer _"]
    """Empty without cross-attention."""
    attention_bias: Float[np.ndarray, "layer"]
    """The output projections' biases, and those of norms behind them."""
    mixers: Float[np.ndarray, "block"]
    """What blocks without attention mix tokens by; 0 in the others."""
    feed_forward: Float[np.ndarray, "block"]
    layers: tuple[int, ...]
    """The number of the block in the model for each row of the heads."""
    blocks: tuple[int, ...]
    """The same for each entry of the mixers and feed-forward layers: of all blocks."""
    mixer_names: tuple[str, ...] = ()
    """The class of each block's mixer; empty where the block attends."""
    constant: float
    """The biases of the final norm and the unembedding."""
    total: float
    """The model's own logit."""

    @property
    def sum(self) -> float:
        """All contributions together: the total, up to rounding."""
        tables = (self.heads, self.cross_heads, self.attention_bias, self.mixers, self.feed_forward)
        return self.embedding + self.constant + float(sum(table.sum() for table in tables))


@dataclass(frozen=True, kw_only=True, eq=False)
class FrozenNorm:
    """A norm as the linear map that it is for one token: centre (a layer norm), divide by a fixed scale, multiply."""

    weight: Float[Tensor, "width"]
    bias: Float[Tensor, "width"] | float
    scale: Float[Tensor, ""] | float
    centres: bool

    def direction(self, unembedded: Float[Tensor, "width"]) -> Float[Tensor, "width"]:
        """The direction d with stream @ d = norm(stream) @ unembedded, up to the norm's bias."""
        direction = unembedded * self.weight / self.scale
        # (x - mean(x)) @ d = x @ (d - mean(d)): centring moves from the stream to the direction.
        return direction - direction.mean() if self.centres else direction


def freeze_norm(norm: nn.Module | None, residual: Float[Tensor, "width"]) -> FrozenNorm:
    """Freeze a norm at one token's residual stream. Raises UserError for one that is no layer or RMS norm."""
    if norm is None:
        return FrozenNorm(weight=torch.ones_like(residual), bias=0.0, scale=1.0, centres=False)
    try:
        normed, shift = norm(residual[None])[0], norm(torch.zeros_like(residual)[None])[0]
    except (IndexError, RuntimeError, TypeError) as error:  # a convolution over tokens, say
        raise _no_norm() from error
    weight, centres = _norm_weight(norm, residual, shift)
    product = weight * (residual - residual.mean() if centres else residual)
    # normed - shift = product / scale. Solved by projection, so that epsilon is in it whatever the norm adds.
    scale = (product @ product) / (product @ (normed - shift))
    if float((product / scale + shift - normed).abs().max()) > tolerance("module", normed.dtype) * float(
        normed.abs().max().clamp(min=1e-3)
    ):
        raise _no_norm()
    return FrozenNorm(weight=weight, bias=shift, scale=scale, centres=centres)


def _no_norm() -> UserError:
    return UserError(
        "What stands between this model's stream and its logits, or between an attention layer and the stream, is "
        "neither a layer norm nor an RMS norm, so that no scale can be frozen."
    )


def _norm_weight(norm: nn.Module, residual: Tensor, shift: Tensor) -> tuple[Tensor, bool]:
    """The norm's multiplier, and whether it centres: from what it makes of two vectors, whatever its parameters are.

    It may have none (OLMo), or store its weight less one (Gemma, Nemotron). Both vectors are so long that the norm's
    epsilon is lost: a constant one, which centring takes away, and one of mean 0 and variance 1, times 1000.
    """
    wave = 1.0 - 2.0 * (torch.arange(len(residual), device=residual.device) % 2)
    wave = ((wave - wave.mean()) / wave.std(correction=0)).to(residual.dtype)
    flat = norm(torch.full_like(residual, 1000.0)[None])[0] - shift
    waved = norm(1000.0 * wave[None])[0] - shift
    centres = bool(flat.abs().max() < 1e-2 * waved.abs().max())
    return (waved / wave if centres else flat), centres


@torch.inference_mode()
def attribute_logit(
    model: "LoadedModel", activations: Activations, *, position: int, token: int, against: int | None = None
) -> LogitAttribution:
    """Split a token's logit at a position by component; `against` subtracts another token's logit.

    Raises UserError for a model whose stream is no sum, or whose logits are not read straight from it.
    """
    logits = activations.predicted()
    parts = activations.parts
    _require_sum(model, activations, position, token, against)
    final = activations.final[position]
    frozen = freeze_norm(parts.final_norm, final)
    head = parts.unembedding
    assert head is not None
    weights: Tensor = head.weight  # type: ignore[assignment]
    scale = parts.logit_factor or 1.0
    unembedded = scale * (weights[token] - (0 if against is None else weights[against]))
    direction = frozen.direction(unembedded)
    heads, biases = _attention_contributions(activations, position, direction, parts.kind)
    cross_heads, cross_biases = _attention_contributions(activations, position, direction, "cross")
    embedding = float(activations.residual[parts.kind, parts.stack[0].layer][position] @ direction)
    total = logits[position, token] - (0 if against is None else logits[position, against])
    attribution = LogitAttribution(
        embedding=embedding,
        heads=heads,
        cross_heads=cross_heads,
        attention_bias=biases + (cross_biases if len(cross_biases) else 0),
        mixers=_contributions(activations.parts, activations.mixer, position, direction),
        feed_forward=_contributions(activations.parts, activations.feed_forward, position, direction),
        layers=tuple(block.layer for block in parts.stack if block.attention is not None),
        blocks=tuple(block.layer for block in parts.stack),
        mixer_names=tuple(block.mixer_name for block in parts.stack),
        constant=float((torch.as_tensor(frozen.bias, device=unembedded.device) * unembedded).sum())
        + scale * _unembedding_bias(head, token, against),
        total=float(total),
    )
    most = 50 * tolerance("module", weights.dtype) * max(1.0, float(logits.abs().max()))
    _require_parts_to_sum(attribution, model, most)
    return attribution


def _require_parts_to_sum(attribution: LogitAttribution, model: "LoadedModel", largest_error: float) -> None:
    if abs(attribution.sum - attribution.total) > largest_error:
        raise UserError(
            "The logits of {name} are transformed after the unembedding, so that they are no sum of parts.",
            name=model.name,
        )


def _contributions(
    parts: Parts, outputs: Mapping[SiteKey, Tensor], position: int, direction: Tensor
) -> Float[np.ndarray, "block"]:
    """What each block's layer adds along the direction; 0 where the block has none."""
    written = [outputs.get((parts.kind, block.layer)) for block in parts.stack]
    return np.array(
        [
            0.0 if output is None else block.factor * float(output[position] @ direction)
            for block, output in zip(parts.stack, written, strict=True)
        ]
    )


def _unembedding_bias(head: nn.Module, token: int, against: int | None) -> float:
    bias = getattr(head, "bias", None)
    if not isinstance(bias, Tensor):
        return 0.0
    return float(bias[token]) - (0.0 if against is None else float(bias[against]))


def _require_sum(
    model: "LoadedModel", activations: Activations, position: int, token: int, against: int | None
) -> None:
    parts = activations.parts
    if not all(block.is_additive for block in parts.stack):
        raise UserError(
            "No sum of what the attention and feed-forward layers of {name} write gives its residual stream (most such "
            "models norm it after each layer), and so none gives a logit; choose another model.",
            name=model.name,
        )
    if parts.logit_factor is None:
        raise UserError(
            "{name} does not read its logits straight from the residual stream, so that they are no sum of "
            "parts; choose another model.",
            name=model.name,
        )
    activations.check_prediction(position, *([token] if against is None else [token, against]))


def head_outputs(
    layer: AttentionParts, projected: Float[Tensor, "head token width"]
) -> tuple[Float[Tensor, "head token width"], Float[Tensor, "width"]]:
    """Each head's output through its slice of the output projection, and the projection's bias.

    projected: what the projection receives of each head. Raises UserError where a norm stands between the projection
    and the stream (Gemma 2).
    """
    if layer.writer is not layer.projection:
        raise UserError("This model norms what an attention layer writes, so that it is no sum over heads.")
    return _through_projection(layer.projection, projected)


def _through_projection(
    projection: nn.Module, projected: Float[Tensor, "head token width"]
) -> tuple[Float[Tensor, "head token width"], Float[Tensor, "width"]]:
    n_heads, tokens, width = projected.shape
    # Row h of the batch holds head h's z and zeros for the other heads: [head, token, head, width].
    alone = projected.new_zeros(n_heads, tokens, n_heads, width)
    index = torch.arange(n_heads, device=projected.device)
    alone[index, :, index] = projected
    bias: Tensor = projection(projected.new_zeros(1, 1, n_heads * width))[0, 0]
    return projection(alone.flatten(2)) - bias, bias


def _attention_contributions(
    activations: Activations, position: int, direction: Tensor, kind: SiteKind
) -> tuple[Float[np.ndarray, "layer head"], Float[np.ndarray, "layer"]]:
    heads, biases = [], []
    for (site_kind, layer), projected in activations.projected.items():
        if site_kind == kind:
            parts = activations.parts.attention(kind, layer)
            outputs, bias = _through_projection(parts.projection, projected[:, position, None])
            written, constant = activations.parts.block(kind, layer).factor * direction, 0.0
            if parts.writer is not parts.projection:
                # What is added is normed (Gemma 2, OLMo 2): that norm is frozen as the final one is.
                norm = freeze_norm(parts.writer, outputs.sum(0)[0] + bias)
                constant = float((torch.as_tensor(norm.bias, device=written.device) * written).sum())
                written = norm.direction(written)
            heads.append((outputs[:, 0] @ written).float().cpu().numpy())
            biases.append(float(bias @ written) + constant)
    return np.stack(heads) if heads else np.zeros((0, 0), dtype=np.float32), np.array(biases)


@torch.inference_mode()
def value_weighted_attention(
    activations: Activations, kind: SiteKind, layer: int
) -> Float[np.ndarray, "head query key"]:
    """Norm-based attention: the norm of a_ij v_j W_O of every head, from activations captured with patterns.

    Raises UserError without patterns.
    """
    key = (kind, layer)
    attention = activations.parts.attention(kind, layer)
    if key not in activations.patterns:
        raise UserError("The patterns of this pass were not kept; capture it with patterns.")
    if not attention.is_direct:
        raise UserError(
            "A gate or a norm stands between this model's heads and their output projection, so that what a head moves "
            "is no product of its weights and values."
        )
    outputs, _ = head_outputs(attention, activations.values[key])
    norms = outputs.float().norm(dim=-1)
    weighted: np.ndarray = (activations.patterns[key] * norms[:, None]).cpu().numpy()
    return weighted
