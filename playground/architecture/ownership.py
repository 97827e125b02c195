"""Which module of a pass answers for which weights: the nearest one around them that ran."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from playground.architecture.architecture import Weight

_EXPERT = re.compile(r"(^|\.)(experts\.)(\d+)(?=\.)")


@dataclass(kw_only=True, eq=False)
class Ownership:
    """A model's weights by the module that answers for them, and which of them were counted."""

    paths: dict[nn.Module, str]
    """The path of each module."""
    by_module: dict[nn.Module, list[tuple[str, Tensor]]]
    """Path and tensor of the weights of each module that ran."""
    unrun: dict[str, list[tuple[str, Tensor]]]
    """The same by the path of the outermost module that did not run."""
    tables: set[str]
    """The paths of the weights of embeddings."""
    counted: dict[int, str] = field(default_factory=dict)
    """Under which path a tensor was counted first, by its id."""

    def weights_of(self, modules: list[nn.Module]) -> tuple[Weight, ...]:
        """The weights of these modules; those counted before say where, the others count from now on."""
        return self._counted([entry for module in modules for entry in self.by_module.get(module, ())])

    def never_run(self) -> Iterator[tuple[str, tuple[Weight, ...]]]:
        """Path and weights of what did not run, without what is a name for weights that did."""
        for path, entries in self.unrun.items():
            left = [(name, tensor) for name, tensor in entries if id(tensor) not in self.counted]
            if left:
                yield path, self._counted(left)

    def _counted(self, entries: list[tuple[str, Tensor]]) -> tuple[Weight, ...]:
        weights = []
        for name, tensor in entries:
            shared = self.counted.get(id(tensor), "")
            shape, is_table = tuple(tensor.shape), name in self.tables
            weights.append(Weight(name=name, shape=shape, shared_with=shared, is_table=is_table))
            self.counted.setdefault(id(tensor), name)
        return merge_experts(weights)


def own_weights(module: nn.Module, ran: set[nn.Module], containers: set[nn.Module]) -> Ownership:
    """Find the owners of all weights. containers: modules around the blocks, which own only what is theirs directly."""
    paths = {part: path for path, part in module.named_modules()}
    by_path = {path: part for part, path in paths.items()}
    by_module: dict[nn.Module, list[tuple[str, Tensor]]] = defaultdict(list)
    unrun: dict[str, list[tuple[str, Tensor]]] = defaultdict(list)
    tables: set[str] = set()
    for part, path in paths.items():
        for name, tensor in part.named_parameters(recurse=False):
            entry = (f"{path}.{name}" if path else name, tensor)
            tables |= {entry[0]} if isinstance(part, nn.Embedding) else set()
            owner, outermost = part, path
            while owner not in ran and owner not in containers:
                outermost, parent = paths[owner], paths[owner].rpartition(".")[0]
                owner = by_path[parent]
            if owner in containers and owner is not part:
                unrun[outermost].append(entry)
            else:
                by_module[owner].append(entry)
    return Ownership(paths=paths, by_module=dict(by_module), unrun=dict(unrun), tables=tables)


def merge_experts(weights: list[Weight]) -> tuple[Weight, ...]:
    """The matrices of experts that stand in a list become one with an axis more: 8 of [64, 32] are [8, 64, 32]."""
    merged: dict[str, list[Weight]] = defaultdict(list)
    for weight in weights:
        merged[_EXPERT.sub(r"\1\g<2>*", weight.name)].append(weight)
    return tuple(
        alike[0] if len(alike) == 1 else replace(alike[0], name=name, shape=(len(alike), *alike[0].shape))
        for name, alike in merged.items()
    )
