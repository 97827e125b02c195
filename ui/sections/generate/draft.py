"""What is being written: the tree, where it stands, and the pass that goes on from there with its cache."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from playground.errors import UserError
from playground.lens.generate.branches import ROOT, Tree, grow
from playground.lens.generate.generation import GenerationConfig, generate
from playground.models import LoadedModel
from playground.progress import OnProgress, no_progress
from ui.jobs import Work

Stream = Iterator[tuple[Tree, int]]
Token = list[tuple[Tree, int]]
"""The tree with the next token, and its node; empty where the stream has nothing more to write."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pending:
    """A token that is being computed: by which stream, with which settings, since when (monotonic seconds)."""

    stream: Stream
    config: GenerationConfig
    work: Work[Token]
    begun: float


@dataclass(kw_only=True, eq=False)
class Draft:
    """A session's tree over one text. node: the end of the branch that is shown; looked: the token looked at in it.

    left: how many more tokens are to be written now.
    """

    tree: Tree
    node: int = ROOT
    looked: int = ROOT
    left: int = 0
    message: str = ""
    pending: Pending | None = None
    _stream: Stream | None = field(default=None, repr=False)
    _settings: object = None

    @property
    def has_ended(self) -> bool:
        """Whether the model itself ended the branch, or the context is full."""
        return self.node != ROOT and self.tree.nodes[self.node].generated.ends in ("end", "context")

    @property
    def looked_place(self) -> int:
        """Which token of the branch is looked at, counted from 1; 0 for the last, which is looked at by itself."""
        path = self.tree.path(self.node)
        return path.index(self.looked) + 1 if self.looked in path[:-1] else 0

    def look_at(self, place: int) -> None:
        """Look at a token of the branch by its place; at the last where there is no such one."""
        path = self.tree.path(self.node)
        self.looked = path[place - 1] if 0 < place <= len(path) else self.node

    def take_stream(self, model: LoadedModel, config: GenerationConfig) -> Stream:
        """What writes after the branch, with the cache while nothing else has changed. Whoever takes it has it."""
        stream, self._stream = self._stream, None
        if stream is None or self._settings != (config, self.node):
            stream = grow(model, self.tree, self.node, config)
        return stream

    def write(self, config: GenerationConfig, stream: Stream, written: Token) -> None:
        """Put down the token that the stream wrote, and give the stream back; none: it has nothing more to write."""
        if not written:
            self.left = 0
            return
        self.tree, self.node = written[0]
        self._stream, self._settings, self.looked = stream, (config, self.node), self.node
        self.left = 0 if self.has_ended else max(0, self.left - 1)

    def branch(self, node: int, token: int) -> None:
        """Put another token in a node's place, and stand there."""
        self.tree, self.node = self.tree.choose(node, token)
        self.stand(self.node)

    def stop(self) -> None:
        """Write no more, and want no token that is being computed."""
        if self.pending is not None:
            self.pending.work.leave()
        self.left, self.pending = 0, None

    def stand(self, node: int) -> None:
        """Show the branch that ends with this node."""
        self.stop()
        self.node, self.looked, self._stream = node, node, None


def replay(
    model: LoadedModel, text: str, ids: list[int], config: GenerationConfig, on_progress: OnProgress = no_progress
) -> Draft:
    """The draft whose branch has these token ids, as a link gives them; it ends before one that was never offered."""
    tree, node = Tree(text=text), ROOT
    place = 0
    while place < len(ids):
        for generated in generate(model, text, config, written=ids[:place]):
            wanted = ids[place]
            try:
                found = generated if generated.token.id == wanted else generated.instead(wanted)
            except UserError:
                return Draft(tree=tree, node=node, looked=node)
            tree, node = tree.add(node, found)
            place += 1
            on_progress(place, len(ids))
            if place == len(ids) or found is not generated:
                break
        else:
            break
    return Draft(tree=tree, node=node, looked=node)
