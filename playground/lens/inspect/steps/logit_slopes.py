"""What a small step along a direction in the stream changes in the logits: the slopes of all that it passes.

A direction that a layer writes passes what stands between the layer and the stream (Gemma 2's norm, Granite's factor),
the norms of later sums (BERT), the final norm, a masked-word head's own layers, the output matrix and a soft cap. Later
layers are held at what they wrote.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from playground.lens.inspect.steps.activation import Activation
from playground.lens.inspect.steps.block import BlockRows, Sublayer
from playground.lens.inspect.steps.norm_map import LinearMap, NormMap
from playground.lens.inspect.steps.output_head import OutputHead
from playground.lens.inspect.steps.whole_token import WholeToken


@dataclass(frozen=True, kw_only=True, eq=False)
class PassedMap:
    """One thing that a direction passes, and what that received at the token."""

    map: NormMap | LinearMap | Activation | float
    at: Float[Tensor, "width"]

    def __call__(self, directions: Float[Tensor, "direction width"]) -> Float[Tensor, "direction _"]:
        """What becomes of small steps along the directions, for each unit of them."""
        if isinstance(self.map, NormMap):
            return self.map.slope(directions, self.at)
        if isinstance(self.map, LinearMap):
            return directions @ self.map.matrix.T
        if isinstance(self.map, Activation):
            return directions * self.map.slope(self.at)
        return directions * self.map


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitSlopes:
    """The way from a layer's output to the logits of one token, as the linear map that it is for small steps."""

    passages: tuple[PassedMap, ...]
    matrix: LinearMap
    """The output matrix."""
    factor: float
    cap_slopes: Float[Tensor, "vocabulary"] | None
    """Of the soft cap, at each token's logit; None without a cap."""

    def arriving(self, directions: Float[Tensor, "direction width"]) -> Float[Tensor, "direction _"]:
        """What the output matrix reads of the directions."""
        for passage in self.passages:
            directions = passage(directions)
        return directions

    @torch.inference_mode()
    def __call__(self, directions: Float[Tensor, "direction width"]) -> Float[Tensor, "direction vocabulary"]:
        """What one unit of each direction changes in every logit."""
        changes = self.before_cap(self.arriving(directions))
        return changes if self.cap_slopes is None else changes * self.cap_slopes

    def before_cap(self, arrived: Float[Tensor, "*direction width"]) -> Float[Tensor, "*direction vocabulary"]:
        """What the output matrix makes of what it reads of them."""
        return self.factor * (arrived @ self.matrix.matrix.T)


@torch.inference_mode()
def logit_slopes(token: WholeToken, layer: int, row: int = 0) -> LogitSlopes | None:
    """From the output of a block's feed-forward layer to a token's logits; None without either.

    Raises UserError for a layer that is not there.
    """
    head, place = token.ending.head, token.index_of(layer)
    own = token.blocks[place].feed_forward
    if head is None or own is None:
        return None
    sums = [one for block in token.blocks[place:] for one in _sums(block, row)]
    first = next(index for index, (one, _total) in enumerate(sums) if one is own)
    passages = [
        *_before_the_sum(own, row),
        *(passage for one, total in sums[first:] for passage in _at_the_sum(one, total, is_own=one is own)),
        *(PassedMap(map=stage.map, at=stage.before[row]) for stage in head.stages),
    ]
    return LogitSlopes(
        passages=tuple(passages), matrix=head.matrix, factor=head.factor, cap_slopes=_cap_slopes(head, row)
    )


def _sums(block: BlockRows, row: int) -> Iterator[tuple[Sublayer, Float[Tensor, "width"]]]:
    """Every layer of the block with the stream after it has written, before a norm of the sum."""
    stream = block.start[row]
    for one in block.sublayers:
        written = one.written(one.output)[row]
        total = written if one.replaces else stream + written
        yield one, total
        stream = total if one.sum_norm is None else one.sum_norm(total[None])[0]


def _before_the_sum(layer: Sublayer, row: int) -> Iterator[PassedMap]:
    """What stands between a layer's output and the stream."""
    if layer.written_norm is not None:
        yield PassedMap(map=layer.written_norm, at=layer.output[row])
    if layer.factor != 1:
        yield PassedMap(map=layer.factor, at=layer.output[row])


def _at_the_sum(layer: Sublayer, total: Float[Tensor, "width"], *, is_own: bool) -> Iterator[PassedMap]:
    """What becomes of the stream where a layer writes: its norm, or nothing is left of it."""
    if layer.replaces and not is_own:
        yield PassedMap(map=0.0, at=total)
    if layer.sum_norm is not None:
        yield PassedMap(map=layer.sum_norm, at=total)


def _cap_slopes(head: OutputHead, row: int) -> Float[Tensor, "vocabulary"] | None:
    if head.cap is None:
        return None
    return 1 - torch.tanh(head.uncapped(head.state[row : row + 1])[0] / head.cap).square()
