"""What is trained of a model: its head, its last layers, LoRA beside its matrices, its biases, or everything.

BitFit trains biases only (Ben Zaken et al. 2022); layer-wise rates fall from the head downwards (Howard and Ruder 2018,
section 3.2: discriminative fine-tuning).
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from playground.errors import UserError
from playground.models.adapters.low_rank import is_linear, sides_of
from playground.training.lora import add_lora
from playground.transformer import check_choice, check_count

Method = Literal["head", "last", "lora", "biases", "all"]
Matrix = Literal["query", "key", "value", "output", "up", "gate", "down"]
METHODS: tuple[Method, ...] = get_args(Method)
MATRICES: tuple[Matrix, ...] = get_args(Matrix)
LARGEST_RANK = 256
ABOVE = ("norm", "ln_f", "pooler", "classifier", "score", "head")
"""Parts of names of what stands above the blocks."""

_ATTENTION = re.compile(r"att(?!n_norm)", re.IGNORECASE)
_FUSED = re.compile(r"query_key_value|qkv|c_attn|key_value|in_proj", re.IGNORECASE)
_INDEX = re.compile(r"^(.*?)\.(\d+)(?:\.|$)")


@dataclass(frozen=True, kw_only=True)
class TrainedParts:
    """Which parameters of a model learn; a new head always does."""

    method: Method = "lora"
    layers: int = 2
    """How many of the last layers learn, for the method `last`; norm and head above them do, too."""
    rank: int = 8
    """Of LoRA."""
    alpha: float = 16.0
    """LoRA's change is multiplied by alpha / rank."""
    matrices: tuple[Matrix, ...] = ("query", "value")
    """Beside which matrices of each layer LoRA learns; one that holds several counts as each of them."""

    def __post_init__(self) -> None:
        check_choice("method", self.method, METHODS)
        check_count("layers", self.layers)
        check_count("rank", self.rank, largest=LARGEST_RANK)
        if isinstance(self.alpha, bool) or not isinstance(self.alpha, int | float) or not 0 < self.alpha < math.inf:
            raise UserError("alpha is {alpha!r}; choose a positive number, often twice the rank.", alpha=self.alpha)
        if isinstance(self.matrices, str) or not set(self.matrices) <= set(MATRICES):
            raise UserError(
                "The matrices are {matrices!r}; choose some of {known}.",
                matrices=self.matrices,
                known=", ".join(MATRICES),
            )
        if self.method == "lora" and not self.matrices:
            raise UserError("LoRA needs at least one kind of matrix to learn beside; query and value are usual.")


def choose_trained(model: nn.Module, parts: TrainedParts, *, is_new: Callable[[str], bool]) -> tuple[str, ...]:
    """Let these parts of a model learn and freeze the others; returns the paths of the layers with LoRA.

    is_new: whether a parameter belongs to a new head. Raises UserError for parts that the model does not have.
    """
    if parts.method == "biases" and not any(n.endswith("bias") and not is_new(n) for n, _ in model.named_parameters()):
        raise UserError("This model has no biases to train; choose LoRA, which is about as small.")
    model.requires_grad_(False)
    paths = _SELECTIONS[parts.method](model, parts)
    for name, parameter in model.named_parameters():
        if is_new(name):
            parameter.requires_grad_(True)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError("Nothing would be trained that way; choose other parts of the model.")
    return paths


def _train_where(model: nn.Module, wanted: Callable[[str], bool]) -> tuple[str, ...]:
    for name, parameter in model.named_parameters():
        if wanted(name):
            parameter.requires_grad_(True)
    return ()


def _train_head(model: nn.Module, parts: TrainedParts) -> tuple[str, ...]:
    """The new head alone; of a model without one its output matrix, which may be its embedding, too."""
    return _train_where(model, lambda name: _last_module(name) in ("head", "lm_head", "embed_out", "output_projection"))


def _last_module(name: str) -> str:
    return name.rpartition(".")[0].rpartition(".")[2]


def _train_last(model: nn.Module, parts: TrainedParts) -> tuple[str, ...]:
    stacks = stacks_of(model)
    if not stacks:
        raise UserError("The layers of this model are not told apart by name; choose other parts to train.")
    most = max(stacks.values())
    if parts.layers > most:
        raise UserError("The model has {most} layers; choose at most as many to train.", most=most)
    depths = depth_of(model)
    # Of two stacks, the last layers of the one that answers.
    answering = [path for path in stacks if "encoder" not in path.split(".")] or list(stacks)
    return _train_where(
        model,
        lambda name: (
            (
                (place := place_in(name, stacks)) is not None
                and place[0] in answering
                and place[1] >= stacks[place[0]] - parts.layers
            )
            or (depths(name) > most and not name.startswith("encoder.") and "embed" not in name)
        ),
    )


def _train_lora(model: nn.Module, parts: TrainedParts) -> tuple[str, ...]:
    paths = lora_paths(model, parts.matrices)
    if not paths:
        raise UserError("No matrix of this model is called one of {known}.", known=", ".join(parts.matrices))
    for path in paths:
        add_lora(model, path, rank=parts.rank, alpha=parts.alpha)
    return paths


def _train_biases(model: nn.Module, parts: TrainedParts) -> tuple[str, ...]:
    return _train_where(model, lambda name: name.endswith("bias"))


def _train_all(model: nn.Module, parts: TrainedParts) -> tuple[str, ...]:
    return _train_where(model, lambda name: True)


_SELECTIONS: dict[Method, Callable[[nn.Module, TrainedParts], tuple[str, ...]]] = {
    "head": _train_head,
    "last": _train_last,
    "lora": _train_lora,
    "biases": _train_biases,
    "all": _train_all,
}


# Where a parameter stands


def stacks_of(model: nn.Module) -> dict[str, int]:
    """The outermost lists of layers that each hold several linear layers, by path, and how many layers each has."""
    stacks: dict[str, int] = {}
    for path, module in model.named_modules():
        if not isinstance(module, nn.ModuleList) or not len(module) or any(path.startswith(f"{s}.") for s in stacks):
            continue
        if all(sum(is_linear(part) for part in layer.modules()) > 1 for layer in module):
            stacks[path] = len(module)
    return stacks


def place_in(name: str, stacks: dict[str, int]) -> tuple[str, int] | None:
    """The stack and the layer of a parameter; None outside the layers."""
    for path in stacks:
        if name.startswith(f"{path}."):
            return path, int(name[len(path) + 1 :].partition(".")[0])
    return None


def depth_of(model: nn.Module) -> Callable[[str], int]:
    """How deep a parameter stands: 0 is the embedding, k the k-th layer, and one more what stands above the layers."""
    stacks = stacks_of(model)
    above = max(stacks.values(), default=0) + 1

    def depth(name: str) -> int:
        place = place_in(name, stacks)
        if place is not None:
            return place[1] + 1
        return above if any(word in name for word in ABOVE) and "embed" not in name else 0

    return depth


def lora_paths(model: nn.Module, matrices: tuple[Matrix, ...]) -> tuple[str, ...]:
    """The linear layers within blocks that are one of these matrices, in the model's order."""
    stacks = stacks_of(model)
    return tuple(
        path
        for path, module in model.named_modules()
        if is_linear(module) and place_in(path, stacks) is not None and matrices_in(path, module) & set(matrices)
    )


def matrices_in(path: str, layer: nn.Module) -> frozenset[Matrix]:
    """What a linear layer of a block computes, told by its path and its shape.

    An own model's query_key_value is all three; `attention.output` is the attention's, `intermediate` the one upwards.
    """
    outer, _, last = path.rpartition(".")
    inside = outer.rpartition(".")[2] if last in ("dense", "base") else last
    if _ATTENTION.search(outer):
        if held := held_together(path):
            return held
        letter = inside.lower().removeprefix("w")[:1]
        is_output = inside.startswith("out") or inside in ("o", "o_proj", "c_proj")
        return frozenset({"output"}) if is_output else _BY_LETTER.get(letter, frozenset({"output"}))
    if "gate" in last or last == "wi_0":
        return frozenset({"gate"})
    outputs, inputs = sides_of(layer)
    return frozenset({"up"}) if outputs >= inputs else frozenset({"down"})


def held_together(path: str) -> frozenset[Matrix]:
    """The matrices of an attention that one linear layer of this name holds; empty where it holds one."""
    last = path.rpartition(".")[2]
    if not _FUSED.search(last):
        return frozenset()
    return frozenset({"key", "value"} if "query" not in last and "key_value" in last else QUERY_KEY_VALUE)


QUERY_KEY_VALUE: frozenset[Matrix] = frozenset({"query", "key", "value"})
_BY_LETTER: dict[str, frozenset[Matrix]] = {
    "q": frozenset({"query"}),
    "k": frozenset({"key"}),
    "v": frozenset({"value"}),
}
