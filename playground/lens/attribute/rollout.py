"""Attention rollout and attention flow through all layers (Abnar and Zuidema 2020).

Both model a layer as half attention (the mean over heads), half residual connection. Rollout multiplies the layers;
flow is the maximum flow through them, with the weights as capacities.
"""

import itertools
from collections import deque
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.progress import OnProgress, no_progress

MOST_TOKENS = 64
SMALLEST = 1e-9
"""Flow below this is rounding."""

Maps = Sequence[Float[Tensor, "head token token"]]


def with_residual(maps: Float[Tensor, "head token token"]) -> Float[Tensor, "token token"]:
    """One layer: half mean attention over heads, half residual connection; rows sum to one (section 3)."""
    mean = maps.float().mean(0)
    total = mean + torch.eye(len(mean), device=mean.device)
    return total / total.sum(-1, keepdim=True)


def attention_rollout(maps: Maps) -> Float[np.ndarray, "layer token token"]:
    """After each layer, the weight of each input token (column) in each token (row): products of the layers.

    >>> attention_rollout([torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])])[0].tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    if not maps:
        raise UserError("There are no layers to follow attention through.")
    products = [with_residual(maps[0])]
    for layer in maps[1:]:
        products.append(with_residual(layer) @ products[-1])
    return torch.stack(products).cpu().numpy()


def attention_flow(maps: Maps, query: int, on_progress: OnProgress = no_progress) -> Float[np.ndarray, "token"]:
    """The maximum flow from the last layer's token `query` down to each input token.

    Raises UserError for a long text: every input token is a maximum-flow problem of its own.
    """
    if not maps:
        raise UserError("There are no layers to follow attention through.")
    tokens = maps[0].shape[-1]
    if tokens > MOST_TOKENS:
        raise UserError(
            "Attention flow is for texts of up to {most_tokens} tokens; shorten it, or choose rollout.",
            most_tokens=MOST_TOKENS,
        )
    if not 0 <= query < tokens:
        raise UserError("There is no token {query}; choose 0 to {last}.", query=query, last=tokens - 1)
    layers = [with_residual(layer).cpu().numpy().astype(np.float64) for layer in reversed(maps)]
    flows = np.zeros(tokens, dtype=np.float32)
    for token in range(tokens):
        flows[token] = maximum_flow(layers, query, token)
        on_progress(token + 1, tokens)
    return flows


def maximum_flow(layers: Sequence[np.ndarray], source: int, sink: int) -> float:
    """The maximum flow from a node before the first layer to one after the last; layers hold capacities [from, to].

    Dinic 1970: breadth-first levels, then paths along rising levels until none has room, until the sink is cut off.

    >>> maximum_flow([np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.2, 0.8]])], 0, 0)
    0.7
    """
    width = len(layers[0])
    graph: list[dict[int, float]] = [{} for _ in range(width * (len(layers) + 1))]
    for depth, layer in enumerate(layers):
        # Node (depth, token) is depth * width + token; each edge has a reverse edge that can take flow back.
        for start, end in zip(*np.nonzero(layer > SMALLEST), strict=True):
            here, there = depth * width + int(start), (depth + 1) * width + int(end)
            graph[here][there] = float(layer[start, end])
            graph[there].setdefault(here, 0.0)
    end_node, total = len(layers) * width + sink, 0.0
    while (levels := _levels(graph, source))[end_node] >= 0:
        untried = [list(edges) for edges in graph]
        while (pushed := _push(graph, levels, untried, source, end_node)) > SMALLEST:
            total += pushed
    return total


def _levels(graph: list[dict[int, float]], source: int) -> list[int]:
    """Each node's distance from the source along edges with room; -1 where it cannot be reached."""
    levels = [-1] * len(graph)
    levels[source] = 0
    queue = deque([source])
    while queue:
        node = queue.popleft()
        for neighbour, room in graph[node].items():
            if room > SMALLEST and levels[neighbour] < 0:
                levels[neighbour] = levels[node] + 1
                queue.append(neighbour)
    return levels


def _push(graph: list[dict[int, float]], levels: list[int], untried: list[list[int]], source: int, end: int) -> float:
    """Push as much as fits along one path of rising levels; 0 where all are blocked."""
    path = [source]
    while path[-1] != end:
        node = path[-1]
        if not untried[node]:
            path.pop()
            if not path:
                return 0.0
            untried[path[-1]].pop()
            continue
        neighbour = untried[node][-1]
        if graph[node][neighbour] > SMALLEST and levels[neighbour] == levels[node] + 1:
            path.append(neighbour)
        else:
            untried[node].pop()
    steps = list(itertools.pairwise(path))
    room = min(graph[begin][after] for begin, after in steps)
    for begin, after in steps:
        graph[begin][after] -= room
        graph[after][begin] += room
    return room
