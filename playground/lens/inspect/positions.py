"""Position schemes: sines, learned vectors, rotations, biases by distance, ALiBi.

Each is a matrix and a curve by distance. Added vectors (Vaswani et al. 2017, section 3.5; Radford et al. 2019): the dot
product of two positions' vectors. Rotations (Su et al. 2021): that of two equal vectors after turning. Biases (Raffel
et al. 2020, section 2.1; Press et al. 2022): what is added to a score.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from playground.errors import UserError
from playground.lens.finding import Finding
from playground.text import N_

if TYPE_CHECKING:
    from playground.models import LoadedModel

PositionKind = Literal["sinusoidal", "learned", "rotary", "relative bias", "alibi"]
LONGEST = 1024
LEARNED = {"wpe", "position_embeddings", "position_embedding", "embed_positions"}
"""What families call the table of vectors that they add to the embeddings."""
ALIBI = {"bloom", "mpt"}
"""Families that always add ALiBi; others say so in their configuration (Falcon)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Positions:
    """One scheme: its matrix, and its curves by distance."""

    kind: PositionKind
    matrix: Float[np.ndarray, "row column"]
    """Sinusoidal and learned [position, dimension]; rotary [position, pair], the cosine of each pair's angle; relative
    bias and ALiBi [head, distance]."""
    distances: Int[np.ndarray, "distance"]
    """The query's position minus the key's, negative for later keys."""
    by_distance: Float[np.ndarray, "curve distance"]
    """One curve, or one for each head: of added vectors the mean dot product over all pairs of positions that far
    apart, of rotations between -1 and 1."""
    module: str = ""
    """The module of the model that holds it; empty for chosen sizes."""


def reach(positions: Positions) -> Finding | None:
    """How far the scheme's curve reaches: where half is left of it, or which head's bias changes most and least."""
    if positions.kind not in ("relative bias", "alibi"):
        return _half_left(positions)
    spread = np.ptp(positions.by_distance, axis=-1)
    if len(spread) < 2:
        return None
    most, least = int(spread.argmax()), int(spread.argmin())
    values = {"most": most, "least": least, "largest": float(spread[most]), "smallest": float(spread[least])}
    template = N_(
        "Over these distances the bias of head {most} varies most, by {largest:.3g}, that of head {least} least, by "
        "{smallest:.3g}."
    )
    return Finding(template=template, values=values)


def _half_left(positions: Positions) -> Finding | None:
    later = positions.distances >= 0
    curve, distances = positions.by_distance[0][later], positions.distances[later]
    below = np.flatnonzero(curve < curve[0] / 2)
    if not below.size or curve[0] <= 0:
        return None
    template = N_("The product of two positions is below half of that at distance 0 from distance {distance} on.")
    return Finding(template=template, values={"distance": int(distances[below[0]])})


def sinusoidal(length: int, width: int) -> Positions:
    """Sines and cosines side by side, PE(p, 2i) = sin(p / 10000^(2i / width)).

    >>> sinusoidal(2, 2).matrix.round(3).tolist()
    [[0.0, 1.0], [0.841, 0.54]]
    """
    _check_sizes(length, width)
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(0, width, 2) / width)
    table = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, -1)[:, :width]
    return _added("sinusoidal", table)


def learned(table: Float[np.ndarray, "position dimension"], module: str = "") -> Positions:
    """A table of trained vectors, one for each position."""
    return _added("learned", table, module)


def fresh_learned(length: int, width: int, seed: int = 0) -> Positions:
    """A table as training begins with it: normal numbers of standard deviation 0.02 (Radford et al. 2019)."""
    _check_sizes(length, width)
    return learned(0.02 * np.random.default_rng(seed).standard_normal((length, width)))


def fresh_relative_bias(length: int, heads: int, seed: int = 0, *, buckets: int = 32, furthest: int = 128) -> Positions:
    """T5's buckets of an encoder, with biases as training begins with them: normal numbers of standard deviation 1.

    Raffel et al. 2020, section 2.1: half of the buckets for keys to the left, half of each half exact.
    """
    _check_sizes(length, heads)
    table = np.random.default_rng(seed).standard_normal((buckets, heads))
    return relative_bias(length, table, is_causal=False, furthest=furthest)


def rotary(length: int, head_width: int, base: float = 10000.0) -> Positions:
    """Pairs of numbers turned by p * base^(-2i / head_width). Raises UserError for an odd width."""
    _check_sizes(length, head_width)
    if head_width % 2:
        raise UserError(
            "A rotary head's width is even, since it turns pairs; {head_width} is not.", head_width=head_width
        )
    if not 1 < base < 1e9:
        raise UserError("The base is {base}; choose above 1, such as 10,000.", base=base)
    return _rotations(length, base ** (-np.arange(0, head_width, 2) / head_width))


def relative_bias(
    length: int,
    table: Float[np.ndarray, "bucket head"],
    *,
    is_causal: bool,
    furthest: int = 128,
    module: str = "",
) -> Positions:
    """T5's trained bias of each head for each bucket of distances."""
    distances = np.arange(0 if is_causal else 1 - length, length)
    buckets = bucket_of(distances, len(table), is_causal=is_causal, furthest=furthest)
    bias = table[buckets].T
    return Positions(kind="relative bias", matrix=bias, distances=distances, by_distance=bias, module=module)


def alibi(length: int, heads: int, module: str = "") -> Positions:
    """A penalty for each token of distance, steeper from head to head: -slope * distance."""
    _check_sizes(length, heads)
    distances = np.arange(length)
    bias = -slopes(heads)[:, None] * distances
    return Positions(kind="alibi", matrix=bias, distances=distances, by_distance=bias, module=module)


def slopes(heads: int) -> Float[np.ndarray, "head"]:
    """ALiBi's slopes: 2^(-8/n), 2^(-16/n), …; for n no power of two, those of the power below and between.

    >>> slopes(8)[:3].tolist()
    [0.5, 0.25, 0.125]
    """
    power = 2 ** int(math.log2(heads))
    first = 2.0 ** (-8 / power * np.arange(1, power + 1))
    between = 2.0 ** (-4 / power * np.arange(1, 2 * (heads - power), 2))
    return np.concatenate([first, between])


def bucket_of(
    distances: Int[np.ndarray, "distance"], buckets: int, *, is_causal: bool, furthest: int = 128
) -> Int[np.ndarray, "distance"]:
    """T5's bucket of each distance: one each for the near, ever wider ones up to the furthest, one for all beyond.

    An encoder has half of the buckets for later keys. Raffel et al. 2020, section 2.1.

    >>> bucket_of(np.array([0, 1, 15, 16, 127, 500]), 32, is_causal=True).tolist()
    [0, 1, 15, 16, 31, 31]
    """
    half = buckets if is_causal else buckets // 2
    exact = half // 2
    far = torch.from_numpy(np.maximum(distances, 0) if is_causal else np.abs(distances))
    # In float32 and in this order, as models are trained: at a bucket's edge another rounding is another bias.
    steps = torch.log(far.clamp(min=exact).float() / exact) / math.log(furthest / exact) * (half - exact)
    large = (exact + steps.to(torch.long)).clamp(max=half - 1)
    begin = 0 if is_causal else half * (distances < 0)
    return np.asarray(begin + torch.where(far < exact, far, large).numpy())


def model_positions(model: "LoadedModel", length: int = 128) -> tuple[Positions, ...]:
    """All schemes of a loaded model; none for a model without positions.

    An encoder-decoder may have one for each stack; layers that share a scheme show it once.
    """
    _check_sizes(length, 1)
    length = min(length, model.context)
    schemes: dict[bytes, Positions] = {}
    modules = dict(model.module.named_modules())
    for name, module in modules.items():
        parent = modules[name.rpartition(".")[0]]
        for positions in _of_module(module, parent, name, length):
            schemes.setdefault(positions.matrix.tobytes(), positions)
    n_heads = _alibi_heads(model)
    return (*schemes.values(), *([alibi(length, n_heads)] if n_heads else []))


def _of_module(module: nn.Module, parent: nn.Module, path: str, length: int) -> list[Positions]:
    """What one module adds, rotates or biases by."""
    name = path.rpartition(".")[2]
    if name == "relative_attention_bias" and isinstance(module, nn.Embedding):
        furthest = int(getattr(parent, "relative_attention_max_distance", 128))
        is_causal = bool(getattr(parent, "is_decoder", False))
        return [relative_bias(length, _to_numpy(module.weight), is_causal=is_causal, furthest=furthest, module=path)]
    if isinstance(module, nn.Embedding) and (name in LEARNED or type(parent).__name__ == "LearnedPositions"):
        begin = _first_row(module)
        kind: PositionKind = "sinusoidal" if "Sinusoidal" in type(module).__name__ else "learned"
        return [_added(kind, _to_numpy(module.weight[begin : begin + length]), path)]
    if type(module).__name__ == "SinusoidalPositions":
        return [_added("sinusoidal", _to_numpy(module.table[:length]), path)]  # type: ignore[index]
    return [_rotations(length, frequencies, path) for frequencies in _frequencies(module)]


def _first_row(module: nn.Embedding) -> int:
    """The row of the first position: some families keep rows for padding before it."""
    if getattr(module, "offset", None) is not None:
        return int(module.offset)  # type: ignore[arg-type]
    is_plain = module.padding_idx is None or "Sinusoidal" in type(module).__name__
    return 0 if is_plain else int(module.padding_idx) + 1  # type: ignore[arg-type]


def _frequencies(module: nn.Module) -> list[Float[np.ndarray, "pair"]]:
    """The angles per position of a rotary module: transformers' buffers, or our own cosines and sines."""
    if type(module).__name__ == "Rotary":
        cosine, sine = _to_numpy(module.cosine), _to_numpy(module.sine)  # type: ignore[arg-type]
        half = cosine.shape[1] // 2
        return [np.arctan2(sine[1, half:], cosine[1, half:])] if len(cosine) > 1 else []
    buffers = module.named_buffers(recurse=False)
    return [_to_numpy(buffer) for name, buffer in buffers if name.endswith("inv_freq") and "original" not in name]


def _alibi_heads(model: "LoadedModel") -> int:
    """How many heads have slopes; 0 where the model has none."""
    config: Any = getattr(model.module, "config", None)
    if model.family not in ALIBI and not getattr(config, "alibi", False):
        return 0
    return model.n_heads


def _added(kind: PositionKind, table: Float[np.ndarray, "position dimension"], module: str = "") -> Positions:
    """Vectors that are added: their dot products, averaged over all pairs of the same distance."""
    products = table.astype(float) @ table.T.astype(float)
    curve = np.array([np.diagonal(products, distance).mean() for distance in range(len(table))])
    return Positions(kind=kind, matrix=table, distances=np.arange(len(table)), by_distance=curve[None], module=module)


def _rotations(length: int, frequencies: Float[np.ndarray, "pair"], module: str = "") -> Positions:
    """Rotations: the cosine of each pair's angle, whose mean is the dot product of equal unit vectors so far apart."""
    cosines = np.cos(np.arange(length)[:, None] * frequencies)
    return Positions(
        kind="rotary",
        matrix=cosines,
        distances=np.arange(length),
        by_distance=cosines.mean(1)[None],
        module=module,
    )


def _check_sizes(length: int, width: int) -> None:
    if not 1 <= length <= LONGEST:
        raise UserError("{length} positions cannot be drawn; choose 1 to {longest:,}.", length=length, longest=LONGEST)
    if not 1 <= width <= 4096:
        raise UserError("The size is {width}; choose 1 to 4,096.", width=width)


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().to(device="cpu", dtype=torch.float32).numpy()
