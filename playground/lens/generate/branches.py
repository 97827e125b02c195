"""A tree of continuations: every token is a node, and a branch is a path from the root to a node."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.lens.generate.generation import GeneratedToken, GenerationConfig, generate

if TYPE_CHECKING:
    from playground.models import LoadedModel

ROOT = -1
"""The node before the first new token: the text itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A token of the tree, and the node it follows."""

    parent: int
    generated: GeneratedToken


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """All continuations of a text that were written or chosen. Growing gives a new tree; node numbers stay."""

    text: str
    nodes: tuple[Node, ...] = field(default=())

    def children(self, node: int) -> list[int]:
        """The nodes that follow a node, in the order in which they came."""
        return [number for number, other in enumerate(self.nodes) if other.parent == node]

    def path(self, node: int) -> list[int]:
        """The nodes from the text to a node, that node included; none for the root."""
        self._check(node)
        found = []
        while node != ROOT:
            found.append(node)
            node = self.nodes[node].parent
        return found[::-1]

    def ids(self, node: int) -> list[int]:
        """The token ids from the text to a node."""
        return [self.nodes[number].generated.token.id for number in self.path(node)]

    def leaves(self) -> list[int]:
        """The nodes that nothing follows."""
        parents = {node.parent for node in self.nodes}
        return [number for number in range(len(self.nodes)) if number not in parents]

    def surprise(self, node: int) -> float:
        """How little the model expected the whole branch up to a node, in nats."""
        return sum(self.nodes[number].generated.surprise for number in self.path(node))

    def add(self, parent: int, generated: GeneratedToken) -> tuple["Tree", int]:
        """The tree with a token after a node, and the token's node; one that is there already is kept."""
        self._check(parent)
        for number in self.children(parent):
            if self.nodes[number].generated.token.id == generated.token.id:
                return self, number
        return replace(self, nodes=(*self.nodes, Node(parent=parent, generated=generated))), len(self.nodes)

    def choose(self, node: int, token: int) -> tuple["Tree", int]:
        """Branch: put one of a node's alternatives in its place. Raises UserError for a token not among them."""
        self._check(node)
        if node == ROOT:
            raise UserError("Nothing has been written yet; let the model write a token first.")
        return self.add(self.nodes[node].parent, self.nodes[node].generated.instead(token))

    def _check(self, node: int) -> None:
        if not ROOT <= node < len(self.nodes):
            raise UserError("There is no token {node} in this tree; choose one that is drawn.", node=node)


def grow(
    model: "LoadedModel", tree: Tree, node: int = ROOT, config: GenerationConfig | None = None
) -> Iterator[tuple[Tree, int]]:
    """Write on from a node, yielding the grown tree and its newest node after each token."""
    for generated in generate(model, tree.text, config, written=tree.ids(node)):
        tree, node = tree.add(node, generated)
        yield tree, node
