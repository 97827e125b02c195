"""The neurons of a feed-forward layer: what each adds, which tokens it promotes, and which neurons promote a text.

Geva et al. 2021 and 2022: a neuron's row of the last matrix is a direction that promotes some tokens; its activation
says how far the stream moves along it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from playground.errors import UserError
from playground.lens.inspect.steps.feed_forward import Body, Branch, FeedForward, Hidden, Neurons
from playground.lens.inspect.steps.logit_slopes import LogitSlopes
from playground.lens.inspect.steps.whole_token import WholeToken
from playground.progress import OnProgress

CHUNK = 64
"""Neurons whose effect on the whole vocabulary is computed at once."""


class NeuronName(NamedTuple):
    """A neuron of a layer; the expert is 0 in a dense one."""

    expert: int
    number: int


@dataclass(frozen=True, kw_only=True, eq=False)
class RankedNeurons:
    """All neurons that a token goes through, those that add most first."""

    names: tuple[NeuronName, ...]
    shares: Float[np.ndarray, "neuron"]
    """Of its expert; 1 in a dense layer."""
    ups: Float[np.ndarray, "neuron"]
    gates: Float[np.ndarray, "neuron"] | None
    activations: Float[np.ndarray, "neuron"]
    lengths: Float[np.ndarray, "neuron"]
    """The norm of its row of the output matrix."""

    @property
    def added(self) -> Float[np.ndarray, "neuron"]:
        """|activation| · share · length: how much it adds to the layer's output."""
        return np.asarray(np.abs(self.activations) * self.shares * self.lengths)


@torch.inference_mode()
def rank_neurons(feed_forward: FeedForward, row: int = 0) -> RankedNeurons:
    """Every neuron that a token's input goes through, sorted by what it adds."""
    tables = [_table(branch, feed_forward.hidden(branch, row)) for branch in feed_forward.branches(row)]
    names = [name for table_names, _numbers in tables for name in table_names]
    numbers = torch.cat([numbers for _names, numbers in tables], dim=1).numpy()
    shares, ups, gates, activations, lengths = numbers
    order = np.argsort(-np.abs(activations) * shares * lengths, kind="stable")
    return RankedNeurons(
        names=tuple(names[index] for index in order),
        shares=shares[order],
        ups=ups[order],
        gates=None if np.isnan(gates).all() else gates[order],
        activations=activations[order],
        lengths=lengths[order],
    )


def _table(branch: Branch, hidden: Hidden) -> tuple[list[NeuronName], Tensor]:
    gates = torch.full_like(hidden.up, torch.nan) if hidden.gate is None else hidden.gate
    lengths = branch.neurons.down.matrix.norm(dim=0)
    shares = torch.full_like(lengths, branch.share)
    names = [NeuronName(branch.expert, number) for number in range(branch.neurons.count)]
    return names, torch.stack([shares, hidden.up[0], gates[0], hidden.activated[0], lengths])


def output_row(body: Body, name: NeuronName) -> Float[Tensor, "width"]:
    """The direction that a neuron writes along. Raises UserError for one that is not there."""
    check_neuron(body, name)
    return body.expert(name.expert).down.weight[:, name.number].float().cpu()


def has_neuron(body: Body, name: NeuronName) -> bool:
    """Whether the layer has this neuron."""
    return 0 <= name.expert < body.experts and 0 <= name.number < body.expert(name.expert).count


def all_names(body: Body) -> list[NeuronName]:
    """Every neuron of the layer, expert by expert."""
    return [name for expert in range(body.experts) for name in names_of_expert(body, expert)]


def names_of_expert(body: Body, expert: int) -> list[NeuronName]:
    """Every neuron of one expert."""
    return [NeuronName(expert, number) for number in range(body.expert(expert).count)]


def check_neuron(body: Body, name: NeuronName) -> None:
    """Raise UserError for a neuron that the layer does not have."""
    if not has_neuron(body, name):
        raise UserError("This layer has no neuron {number}.", number=".".join(map(str, name)))


@dataclass(frozen=True, kw_only=True, eq=False)
class PromotedTokens:
    """The tokens whose logits each neuron's row raises most and lowers most, for each unit of its activation."""

    promoted: Int[np.ndarray, "neuron k"]
    raised: Float[np.ndarray, "neuron k"]
    suppressed: Int[np.ndarray, "neuron k"]
    lowered: Float[np.ndarray, "neuron k"]


@torch.inference_mode()
def promoted_tokens(
    slopes: LogitSlopes,
    directions: Float[Tensor, "neuron width"],
    k: int = 10,
    on_progress: OnProgress | None = None,
) -> PromotedTokens:
    """Which logits each direction changes most at the slopes' token, straight past all later layers."""
    tables: list[tuple[Tensor, ...]] = []
    k = min(k, len(slopes.matrix.weight))
    for begin in range(0, len(directions), CHUNK):
        effects = slopes(directions[begin : begin + CHUNK])
        most, least = effects.topk(k, dim=-1), (-effects).topk(k, dim=-1)
        tables.append((most.indices, most.values, least.indices, -least.values))
        if on_progress is not None:
            on_progress(min(begin + CHUNK, len(directions)), len(directions))
    promoted, raised, suppressed, lowered = (torch.cat(column).numpy() for column in zip(*tables, strict=True))
    return PromotedTokens(promoted=promoted, raised=raised, suppressed=suppressed, lowered=lowered)


def feed_forward_of(token: WholeToken, layer: int) -> FeedForward:
    """The feed-forward layer of a block. Raises UserError where there is none."""
    sublayer = token.blocks[token.index_of(layer)].feed_forward
    if sublayer is None or sublayer.feed_forward is None:
        raise UserError("Block {layer} of {name} has no feed-forward layer.", layer=layer, name=token.model.name)
    return sublayer.feed_forward


class FoundNeuron(NamedTuple):
    """A neuron among whose most promoted or suppressed tokens a text occurs."""

    name: NeuronName
    token: int
    effect: float
    """On that token's logit, for each unit of its activation."""


def search_neurons(
    names: Sequence[NeuronName], tokens: PromotedTokens, spelling: Callable[[int], str], text: str
) -> list[FoundNeuron]:
    """The neurons whose promoted or suppressed tokens contain the text, in any case; the largest effect first."""
    wanted = text.casefold().strip()
    if not wanted:
        return []
    ids = np.unique(np.concatenate([tokens.promoted.ravel(), tokens.suppressed.ravel()]))
    matching = {int(id) for id in ids if wanted in spelling(int(id)).casefold()}
    found = []
    for index, name in enumerate(names):
        pairs = [
            *zip(tokens.promoted[index].tolist(), tokens.raised[index].tolist(), strict=True),
            *zip(tokens.suppressed[index].tolist(), tokens.lowered[index].tolist(), strict=True),
        ]
        hits = [(effect, token) for token, effect in pairs if token in matching]
        if hits:
            effect, token = max(hits, key=lambda hit: abs(hit[0]))
            found.append(FoundNeuron(name=name, token=token, effect=effect))
    return sorted(found, key=lambda one: -abs(one.effect))


def all_rows(neurons: Neurons) -> Float[Tensor, "neuron width"]:
    """The direction that each neuron writes along."""
    return neurons.down.matrix.T
