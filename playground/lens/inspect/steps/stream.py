"""The residual stream over all layers: what embedding, attention and feed-forward layers left in the final state.

Elhage et al. 2021 (the stream as a sum); Kobayashi et al. 2021 (norms between the layers, frozen at this token). Where
a family norms its sums (BERT), each part goes through the later norms, all divided by the same roots as their sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.lens.inspect.steps.block import Sublayer
from playground.lens.inspect.steps.norm_map import LinearMap, NormMap
from playground.lens.inspect.steps.output_head import OutputHead
from playground.lens.inspect.steps.vectors import NamedTerm, NormedVector, SumOfTerms, Vector
from playground.lens.inspect.steps.whole_token import WholeToken

PartKind = Literal["embedding", "attention", "cross_attention", "mixer", "feed_forward", "norm_biases"]


class PartName(NamedTuple):
    """Which layer wrote a part."""

    kind: PartKind
    layer: int | None = None

    @property
    def symbol(self) -> str:
        """As formulas call it."""
        short = {"embedding": "x", "attention": "attn", "cross_attention": "cross", "mixer": "mix"}
        short |= {"feed_forward": "ff"}
        name = short.get(self.kind, "norms")
        return name if self.layer is None else f"{name} {self.layer}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """One token's final state as a sum of parts; float32."""

    names: tuple[PartName, ...]
    written: Float[np.ndarray, "part width"]
    """As each part was added."""
    arrived: Float[np.ndarray, "part width"]
    """What is left of it after the last block: the same, unless norms stand between. The parts sum to `final`."""
    final: Float[np.ndarray, "width"]
    """The model's own."""

    @property
    def is_sum(self) -> bool:
        """Whether the parts arrive as they were written."""
        return np.array_equal(self.written, self.arrived)

    @property
    def difference(self) -> float:
        """How far the sum of the parts is from the model's final state."""
        return float(np.abs(self.arrived.sum(0) - self.final).max())

    @property
    def norms(self) -> Float[np.ndarray, "part"]:
        """The length of what each part wrote."""
        return np.asarray(np.linalg.norm(self.written, axis=1))

    @property
    def cosines(self) -> Float[np.ndarray, "part"]:
        """Of what arrived, to the final state."""
        lengths = np.linalg.norm(self.arrived, axis=1) * np.linalg.norm(self.final)
        return np.asarray(np.divide(self.arrived @ self.final, lengths, where=lengths > 0, out=np.zeros(len(lengths))))


@torch.inference_mode()
def read_stream(token: WholeToken, row: int = 0) -> Stream:
    """Split the final state of one token."""
    names, written, arrived = [PartName("embedding")], [token.blocks[0].start[row]], [token.blocks[0].start[row]]
    biases = torch.zeros_like(arrived[0])
    for block in token.blocks:
        for layer in block.sublayers:
            added = layer.written(layer.output)[row]
            names.append(PartName(layer.kind, block.layer))
            written.append(added)
            if layer.replaces:
                arrived, biases = [torch.zeros_like(added) for _part in arrived], torch.zeros_like(biases)
            arrived.append(added)
            if layer.sum_norm is not None:
                parts = torch.stack([*arrived, biases])
                *arrived, biases = layer.sum_norm.frozen(parts, parts.sum(0))
                if layer.sum_norm.step.bias is not None:
                    biases = biases + torch.from_numpy(layer.sum_norm.step.bias)
    if any(block.is_post_norm for block in token.blocks):
        names.append(PartName("norm_biases"))
        written.append(biases)
        arrived.append(biases)
    return Stream(
        names=tuple(names),
        written=torch.stack(written).numpy(),
        arrived=torch.stack(arrived).numpy(),
        final=token.final[row].numpy(),
    )


def stream_before(token: WholeToken, layer: int, sublayer: Sublayer | None, letter: str) -> Vector:
    """The stream of the first token before a layer of a block, or (None) before the block: what it is the sum of."""
    name, place = f"{letter}[{{column}}]", token.index_of(layer)
    block = token.blocks[place]
    before = block.sublayers[: block.sublayers.index(sublayer)] if sublayer is not None else ()
    if any(one.is_post_norm for one in token.blocks):
        return _behind_norm(token, place, before, name)
    terms = [NamedTerm(name="x[{column}]", values=token.blocks[0].start[0].numpy())]
    for earlier in (*token.blocks[:place], block):
        for one in before if earlier is block else earlier.sublayers:
            symbol = PartName(one.kind, earlier.layer).symbol
            terms = [] if one.replaces else terms
            terms.append(NamedTerm(name=f"{symbol}[{{column}}]", values=one.written(one.output)[0].numpy()))
    values = np.sum([term.values for term in terms], axis=0)
    return SumOfTerms(name=name, values=values, terms=tuple(terms))


def _behind_norm(token: WholeToken, place: int, before: Sequence[Sublayer], name: str) -> Vector:
    """The stream that a norm made of the last sum, where the sums are normed."""
    stream, written = token.blocks[place].start[0], before
    if not before and place == 0:
        term = NamedTerm(name="x[{column}]", values=stream.numpy())
        return SumOfTerms(name=name, values=stream.numpy(), terms=(term,))
    if not before:
        place, written = place - 1, token.blocks[place - 1].sublayers
        stream = token.blocks[place].start[0]
    for one in written:
        added = one.written(one.output)[0]
        total = stream + added
        terms = (
            NamedTerm(name="r[{column}]", values=stream.numpy()),
            NamedTerm(name=f"{PartName(one.kind, token.blocks[place].layer).symbol}[{{column}}]", values=added.numpy()),
        )
        source: Vector = SumOfTerms(name="s[{column}]", values=total.numpy(), terms=terms)
        if one.sum_norm is None:
            stream, vector = total, replace(source, name=name)
        else:
            stream = one.sum_norm(total[None])[0]
            norm = one.sum_norm.at(source.values)
            vector = NormedVector(name=name, values=stream.numpy(), norm=norm, letter="s", input=source)
    return vector


@dataclass(frozen=True, kw_only=True, eq=False)
class Contributions:
    """A token's logit (before a soft cap) as a sum over the parts of the stream, and the head's own biases."""

    direction: Float[np.ndarray, "width"]
    """parts @ direction are the contributions."""
    parts: Float[np.ndarray, "part"]
    biases: float
    uncapped: float
    """The head's logit of the model's own last state, recomputed and before a soft cap."""

    @property
    def total(self) -> float:
        """The parts and the biases together."""
        return float(self.parts.sum()) + self.biases


@torch.inference_mode()
def contributions(head: OutputHead, stream: Stream, chosen: int, row: int = 0) -> Contributions:
    """What each part of the stream contributes to the chosen token's logit.

    Norms and activations of the head are frozen at this token: a norm divides all parts by the sum's root, and an
    activation multiplies all by what it made of the sum.
    """
    final = torch.from_numpy(stream.final)
    # The direction is what the head makes of each unit vector: [width, width] goes through its stages.
    units, biases = _through(head, torch.eye(len(final)), final)
    weight = head.factor * head.matrix.weight[chosen].float().cpu()
    direction = units @ weight
    bias = float(biases @ weight)
    bias += 0.0 if head.matrix.bias is None else head.factor * float(head.matrix.bias[chosen])
    bias += 0.0 if head.bias is None else float(head.bias[chosen])
    return Contributions(
        direction=direction.numpy(),
        parts=stream.arrived @ direction.numpy(),
        biases=bias,
        uncapped=float(head.uncapped(head.state[row : row + 1])[0, chosen]),
    )


def _through(head: OutputHead, parts: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
    """Parts through the head's frozen stages, and what the stages' own biases become."""
    bias = torch.zeros_like(total)
    for stage in head.stages:
        both = stage.frozen(torch.cat([parts, bias[None]]), total)
        total = stage(total[None])[0]
        # What the stage adds besides: its own bias.
        own = _own_bias(stage.map, len(total))
        parts, bias = both[:-1], both[-1] + own
    return parts, bias


def _own_bias(stage: object, width: int) -> Tensor:
    if isinstance(stage, NormMap) and stage.step.bias is not None:
        return torch.from_numpy(stage.step.bias)
    if isinstance(stage, LinearMap) and stage.bias is not None:
        return stage.bias.float().cpu()
    return torch.zeros(width)
