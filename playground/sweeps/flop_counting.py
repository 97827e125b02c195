"""Count parameters and training FLOPs by each paper's convention and as torch executes them; what that does to a.

FLOPs are per token: a forward pass, and a backward pass of twice as many (Kaplan et al. 2020, section 2.1; Hoffmann et
al. 2022, appendix F). A multiply-add is two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from playground.errors import UserError
from playground.scaling.fits import Fit, fit_chinchilla
from playground.scaling.frontier import Frontier, fit_frontier
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.training.sizes import embedding_flops, parameters_by_part, product_flops
from playground.transformer import Transformer, TransformerConfig

FORWARD_PASSES = 3
"""Forward and backward, in forward passes."""
SOFTMAX_FLOPS = 3
"""For each attention score: Hoffmann et al. 2022, appendix F."""
LOOKUPS = ("embedding", "position", "segment")


def all_parameters(shape: TransformerConfig) -> int:
    """All of them; a tied head is the embedding, counted once. Hoffmann et al. 2022."""
    return sum(parameters_by_part(shape).values())


def without_embeddings(shape: TransformerConfig) -> int:
    """No embeddings of tokens and positions, no head. Kaplan et al. 2020, section 2.1."""
    left_out = (*LOOKUPS, "head")
    return sum(count for part, count in parameters_by_part(shape).items() if part not in left_out)


def with_head(shape: TransformerConfig) -> int:
    """With the head, which multiplies even where it is tied. Porian et al. 2024, section 3.1."""
    return without_embeddings(shape) + shape.width * shape.vocabulary


def six_n_d(shape: TransformerConfig, length: int) -> float:
    """6 N, all parameters counted. Hoffmann et al. 2022, section 3.3."""
    return 6.0 * all_parameters(shape)


def six_n_d_without_embeddings(shape: TransformerConfig, length: int) -> float:
    """6 N, embeddings and head left out. Kaplan et al. 2020, section 2.1."""
    return 6.0 * without_embeddings(shape)


def six_n_d_with_head(shape: TransformerConfig, length: int) -> float:
    """6 N, the head counted. Porian et al. 2024, section 3.1."""
    return 6.0 * with_head(shape)


def kaplan(shape: TransformerConfig, length: int) -> float:
    """Forward 2 N + 2 layers x context x width, embeddings and head left out. Kaplan et al. 2020, table 1."""
    return float(FORWARD_PASSES * (2 * without_embeddings(shape) + 2 * shape.layers * length * shape.width))


def hoffmann(shape: TransformerConfig, length: int) -> float:
    """All products, the embedding as one with one-hot rows, and the softmax. Hoffmann et al. 2022, appendix F."""
    forward = sum(product_flops(shape, length).values()) + embedding_flops(shape, length)
    softmax = SOFTMAX_FLOPS * shape.layers * shape.n_heads * length * length
    return FORWARD_PASSES * (forward + softmax) / length


def executed(shape: TransformerConfig, length: int) -> float:
    """The matrix products of one sequence, forward and backward, counted as torch dispatches them.

    The meta device computes nothing and does attention by plain products; CPU and GPU kernels hide some of them from
    the counter.
    """
    with torch.device("meta"):
        model = Transformer(shape)
        ids = torch.zeros(1, length, dtype=torch.long)
        labels = torch.zeros(length, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        functional.cross_entropy(model(ids)[0], labels).backward()  # type: ignore[no-untyped-call]
    return float(counter.get_total_flops()) / length


PARAMETERS: dict[str, Callable[[TransformerConfig], int]] = {
    "all": all_parameters,
    "without-embeddings": without_embeddings,
    "with-head": with_head,
}
"""Conventions for N."""
FLOPS: dict[str, Callable[[TransformerConfig, int], float]] = {
    "6nd": six_n_d,
    "6nd-without-embeddings": six_n_d_without_embeddings,
    "6nd-with-head": six_n_d_with_head,
    "kaplan": kaplan,
    "hoffmann": hoffmann,
    "executed": executed,
}
"""Conventions for C / D."""


def count_parameters(shape: TransformerConfig, way: str) -> int:
    """N by a convention of `PARAMETERS`. Raises UserError for an unknown one."""
    _check_way(way, PARAMETERS, shape)
    return PARAMETERS[way](shape)


def count_flops_per_token(shape: TransformerConfig, way: str, length: int | None = None) -> float:
    """Training FLOPs per token by a convention of `FLOPS`, in sequences of `length` tokens (None: the context).

    Raises UserError for an unknown convention, and for encoder-decoders: their two texts are no one length.
    """
    _check_way(way, FLOPS, shape)
    return FLOPS[way](shape, length or shape.context)


def _check_way(way: str, ways: "Mapping[str, Callable[..., float]]", shape: TransformerConfig) -> None:
    if way not in ways:
        raise UserError("There is no way {way!r} of counting; choose {ways}.", way=way, ways=", ".join(ways))
    if shape.kind == "encoder-decoder":
        raise UserError("FLOPs are counted for models of one stack; choose a decoder or an encoder.")


N_SIZES = 400
N_BUDGETS = 60
FEWEST_SIZES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class CountedFrontier:
    """The compute-optimal frontier of runs whose N and C are counted by one convention."""

    flops: Float[np.ndarray, " budget"]
    params: Float[np.ndarray, " budget"]
    frontier: Frontier
    """The line of log N over log C through them."""
    fit: Fit

    @property
    def exponent(self) -> float:
        """a, of N in C."""
        return self.frontier.exponent


def counted_frontier(
    params: Float[np.ndarray, " run"],
    flops_per_token: Float[np.ndarray, " run"],
    tokens: Float[np.ndarray, " run"],
    loss: Float[np.ndarray, " run"],
) -> CountedFrontier:
    """Fit Chinchilla's law to runs whose N and FLOPs are counted by some convention, and follow its optimum.

    Between the models that were trained, FLOPs per token are interpolated in logarithms. Budgets whose best model is
    the smallest or the largest are left out: a smaller or larger one might be better.
    Raises UserError for fewer than three sizes, and where no budget has its best model between them.
    """
    points = Points(params=params, tokens=tokens, loss=loss, flops=np.asarray(flops_per_token) * np.asarray(tokens))
    sizes, first = np.unique(points.params, return_index=True)
    if len(sizes) < FEWEST_SIZES:
        raise UserError(
            "There are {n_sizes} sizes of models; an exponent needs at least {fewest_sizes}.",
            n_sizes=len(sizes),
            fewest_sizes=FEWEST_SIZES,
        )
    law = fit_chinchilla(points)
    grid = np.geomspace(sizes[0], sizes[-1], N_SIZES)
    each = np.exp(np.interp(np.log(grid), np.log(sizes), np.log(points.flops[first] / points.tokens[first])))
    budgets = np.geomspace(points.flops.min(), points.flops.max(), N_BUDGETS)
    losses = LAWS["chinchilla"].predict(law.parameters, params=grid, tokens=budgets[:, None] / each)
    best = losses.argmin(1)  # [budget, model] to [budget]
    inside = (best > 0) & (best < N_SIZES - 1)
    if inside.sum() < 2:
        raise UserError(
            "At every budget the smallest or the largest model is best; an exponent needs others beside it."
        )
    flops, optimal = budgets[inside], grid[best[inside]]
    frontier = fit_frontier(flops.tolist(), optimal.tolist())
    return CountedFrontier(flops=flops, params=optimal, frontier=frontier, fit=law)
