"""A tree of alternative continuations: every token is a node, a branch is a path from the text to a node."""

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
    """A token of the tree, and the number of the node that it follows."""

    parent: int
    generated: GeneratedToken


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """All continuations of a text so far. Immutable: growing returns a new tree, and node numbers stay valid."""

    text: str
    nodes: tuple[Node, ...] = field(default=())

    def children(self, node: int) -> list[int]:
        """Nodes that follow a node, oldest first."""
        return [number for number, other in enumerate(self.nodes) if other.parent == node]

    def path(self, node: int) -> list[int]:
        """Nodes from the first token to this node, included; empty for the root."""
        self._check_node(node)
        path = []
        while node != ROOT:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]

    def ids(self, node: int) -> list[int]:
        """Token ids from the first token to this node."""
        return [self.nodes[number].generated.token.id for number in self.path(node)]

    def leaves(self) -> list[int]:
        """Nodes that nothing follows."""
        parents = {node.parent for node in self.nodes}
        return [number for number in range(len(self.nodes)) if number not in parents]

    def surprisal(self, node: int) -> float:
        """Surprisal of the whole branch up to a node, -log p in nats."""
        return sum(self.nodes[number].generated.surprisal for number in self.path(node))

    def add(self, parent: int, generated: GeneratedToken) -> tuple["Tree", int]:
        """The tree with a token after a node, and the token's node number; an existing node is reused."""
        self._check_node(parent)
        for number in self.children(parent):
            if self.nodes[number].generated.token.id == generated.token.id:
                return self, number
        return replace(self, nodes=(*self.nodes, Node(parent=parent, generated=generated))), len(self.nodes)

    def branch(self, node: int, token: int) -> tuple["Tree", int]:
        """Branch off at a node with one of its alternatives. Raises UserError for a token not among them."""
        self._check_node(node)
        if node == ROOT:
            raise UserError("Nothing has been generated yet; generate a token first.")
        return self.add(self.nodes[node].parent, self.nodes[node].generated.with_alternative(token))

    def _check_node(self, node: int) -> None:
        if not ROOT <= node < len(self.nodes):
            raise UserError("There is no token {node} in this tree; choose one that is shown.", node=node)


def grow(
    model: "LoadedModel", tree: Tree, node: int = ROOT, config: GenerationConfig | None = None
) -> Iterator[tuple[Tree, int]]:
    """Continue from a node, yielding the grown tree and its newest node after each token."""
    for generated in generate(model, tree.text, config, prefix=tree.ids(node)):
        tree, node = tree.add(node, generated)
        yield tree, node
