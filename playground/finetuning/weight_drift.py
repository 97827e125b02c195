"""How far each weight moved, and how low-rank the change is.

The change of a matrix is W' - W. Its size is the Frobenius norm beside W's own; its singular values say in how many
directions it goes: LoRA of rank r changes at most r (Hu et al. 2022, section 4.1). Roy and Vetterli 2007, "The
effective rank" (equation 3); Rudelson and Vershynin 2007 (the stable rank).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from playground.errors import UserError
from playground.finetuning.model_pair import ModelPair
from playground.progress import OnProgress, no_progress

ROWS_AT_ONCE = 4096
"""Rows of a matrix that are in memory in float64."""
ROUNDING = 2.0
"""A singular value counts where it is so many times as large as rounding alone would make it."""
GRAM_ERROR = 1e-7
"""Of the largest singular value: below this, float64 of a Gram matrix holds none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightDrift:
    """One matrix, or a vector such as a bias, before and after."""

    name: str
    """Its path in the model; of a matrix that holds several, with the part's name behind it."""
    stack: str
    """The path before the number of its layer, such as "encoder.blocks"; empty outside the layers."""
    layer: int | None
    """None outside the layers."""
    part: str
    """The path behind the number of its layer."""
    shape: tuple[int, ...]
    norm: float
    """Frobenius norm before."""
    change: float
    """Frobenius norm of the change."""
    singular_values: Float[np.ndarray, "direction"]
    """Of the change, descending; those that rounding alone would make are left out. Empty without a change."""

    @property
    def is_matrix(self) -> bool:
        """Whether it is no vector."""
        return len(self.shape) > 1

    @property
    def relative(self) -> float:
        """The change's norm over the norm before; infinite where everything was 0."""
        if not self.change:
            return 0.0
        return self.change / self.norm if self.norm else math.inf

    @property
    def rank(self) -> int:
        """Directions of the change that are more than rounding."""
        return len(self.singular_values)

    @property
    def effective_rank(self) -> float:
        """exp of the entropy of the singular values as shares of their sum: r where r are equal; 0 without a change."""
        if not self.rank:
            return 0.0
        shares = self.singular_values / self.singular_values.sum()
        return math.exp(float(-(shares * np.log(shares)).sum()))

    @property
    def stable_rank(self) -> float:
        """Sum of the squared singular values over the largest one; 0 without a change."""
        squares = self.singular_values**2
        return float(squares.sum() / squares[0]) if self.rank else 0.0

    def energy(self, directions: int) -> float:
        """Share of the squared change in its largest directions; 0 without a change."""
        squares = self.singular_values**2
        return float(squares[:directions].sum() / squares.sum()) if self.rank else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelDrift:
    """All weights that both models have, in the model's order."""

    weights: tuple[WeightDrift, ...]
    added: tuple[str, ...]
    """What only the model after has: a new classifier."""
    dropped: tuple[str, ...]
    """What only the model before has."""

    @property
    def changed(self) -> tuple[WeightDrift, ...]:
        """The weights that moved."""
        return tuple(weight for weight in self.weights if weight.change)

    @property
    def relative(self) -> float:
        """Norm of all changes over the norm of all weights before: the model as one long vector."""
        norm = math.sqrt(sum(weight.norm**2 for weight in self.weights))
        return math.sqrt(sum(weight.change**2 for weight in self.weights)) / norm if norm else 0.0


@torch.inference_mode()
def model_drift(pair: ModelPair, on_progress: OnProgress = no_progress) -> ModelDrift:
    """Compare every weight of both models. Raises UserError where they have none in common."""
    before, after = _named_tensors(pair.before.module), _named_tensors(pair.after.module)
    matches = match_names(before, after)
    if not matches:
        raise UserError(
            "{before} and {after} have no weight in common.", before=pair.before.name, after=pair.after.name
        )
    rows = dict(pair.before.adapter.fused_rows())
    weights: list[WeightDrift] = []
    for done, (first, second) in enumerate(matches.items()):
        on_progress(done, len(matches))
        weights += _drifts(first, before[first], after[second], rows.get(first, {}))
    return ModelDrift(
        weights=tuple(weights),
        added=tuple(name for name in after if name not in set(matches.values())),
        dropped=tuple(name for name in before if name not in matches),
    )


def match_names(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, str]:
    """The names of both models for the same tensor, where the shapes agree.

    A head around a body puts one word before every name of the body: `encoder.…` becomes `bert.encoder.…`.

    >>> one = torch.zeros(2, 2)
    >>> match_names({"layer.w": one, "pool.w": one}, {"body.layer.w": one, "head.w": one})
    {'layer.w': 'body.layer.w'}
    """
    inner = {name.partition(".")[2]: name for name in after}
    matches: dict[str, str] = {}
    for name, tensor in before.items():
        found = next((other for other in (name, inner.get(name, ""), name.partition(".")[2]) if other in after), None)
        if found is not None and after[found].shape == tensor.shape:
            matches[name] = found
    return matches


def _named_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters by path, a shared one once."""
    return {name: parameter.detach() for name, parameter in module.named_parameters()}


def _drifts(name: str, before: Tensor, after: Tensor, rows: Mapping[str, slice]) -> Iterator[WeightDrift]:
    """The drift of a weight, or of each part that its rows hold."""
    if not rows:
        yield tensor_drift(name, before, after)
    for part, chosen in rows.items():
        yield tensor_drift(name, before[chosen], after[chosen], part=part)


def tensor_drift(
    name: str, before: Float[Tensor, "*shape"], after: Float[Tensor, "*shape"], *, part: str = ""
) -> WeightDrift:
    """The drift of one weight; more than two axes (experts) are put together to rows. part: which rows it is."""
    stack, layer, path = place_of(name)
    norm, change, gram = _norms(_as_matrix(before), _as_matrix(after))
    values = np.zeros(0)
    if change:
        values = _singular_values(gram, rounding_level(_as_matrix(after))) if before.ndim > 1 else np.array([change])
    return WeightDrift(
        name=f"{name} · {part}" if part else name,
        stack=stack,
        layer=layer,
        part=_named_part(path, part),
        shape=tuple(before.shape),
        norm=norm,
        change=change,
        singular_values=values,
    )


def _as_matrix(weight: Tensor) -> Float[Tensor, "row column"]:
    return weight.reshape(-1, weight.shape[-1])


def _norms(
    before: Float[Tensor, "row column"], after: Float[Tensor, "row column"]
) -> tuple[float, float, Float[Tensor, "side side"]]:
    """Frobenius norm before and of the change, and the change's Gram matrix along the shorter side; in float64."""
    if before.shape[0] < before.shape[1]:
        before, after = before.T, after.T
    side = before.shape[1]
    gram, squares = torch.zeros(side, side, dtype=torch.float64), 0.0
    for start in range(0, len(before), ROWS_AT_ONCE):
        old = before[start : start + ROWS_AT_ONCE].double().cpu()
        change = after[start : start + ROWS_AT_ONCE].double().cpu() - old
        squares += float(old.square().sum())
        if bool(change.any()):
            gram += change.T @ change
    return math.sqrt(squares), math.sqrt(float(gram.diagonal().sum())), gram


def _singular_values(gram: Float[Tensor, "side side"], rounding: float) -> Float[np.ndarray, "direction"]:
    """Square roots of the eigenvalues, descending and exact to 1e-8 of the largest, without those of rounding."""
    values = np.asarray(torch.linalg.eigvalsh(gram).clamp(min=0).sqrt().flip(0).numpy())
    return np.asarray(values[values > max(rounding, GRAM_ERROR * values[0])])


def rounding_level(weight: Float[Tensor, "row column"]) -> float:
    """The largest singular value that rounding the weight to its dtype is expected to make, times ROUNDING.

    Errors of rounding are about uniform within one unit in the last place: their standard deviation is at most
    eps |w| / sqrt(12), and a matrix of independent ones has the largest singular value sd (sqrt(rows) + sqrt(columns))
    (Vershynin 2010, theorem 5.31).
    """
    rows, columns = weight.shape
    deviation = torch.finfo(weight.dtype).eps * float(weight.double().square().mean().sqrt()) / math.sqrt(12)
    return ROUNDING * deviation * (math.sqrt(rows) + math.sqrt(columns))


def place_of(name: str) -> tuple[str, int | None, str]:
    """Stack, layer and part of a weight's path: the first number is that of its layer.

    >>> place_of("encoder.blocks.3.attention.output.weight"), place_of("embedding.weight")
    (('encoder.blocks', 3, 'attention.output'), ('', None, 'embedding'))
    """
    words = name.removesuffix(".weight").split(".")
    number = next((index for index, word in enumerate(words) if word.isdecimal()), None)
    if number is None:
        return "", None, ".".join(words)
    return ".".join(words[:number]), int(words[number]), ".".join(words[number + 1 :])


def _named_part(path: str, part: str) -> str:
    """`attention.query_key_value` and `query` are `attention.query`; of a bias, `attention.query.bias`."""
    if not part:
        return path
    words = path.split(".")
    ending = words[-1:] if words[-1] == "bias" else []
    return ".".join([*words[: len(words) - len(ending) - 1], part, *ending])
