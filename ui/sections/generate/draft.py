"""A session's draft: the tree over one text, where it stands, and the stream that continues it with its KV cache."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from playground.errors import UserError
from playground.lens.generate.branches import ROOT, Tree, grow
from playground.lens.generate.generation import GenerationConfig, generate
from playground.models import LoadedModel
from playground.progress import OnProgress, no_progress
from ui.job import Job

Stream = Iterator[tuple[Tree, int]]
StreamItem = list[tuple[Tree, int]]
"""The tree with the next token, and its node; empty where the stream has ended."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pending:
    """A token that is being computed."""

    stream: Stream
    config: GenerationConfig
    job: Job[StreamItem]
    started: float
    """Monotonic seconds."""


@dataclass(kw_only=True, eq=False)
class TextDraft:
    """A session's tree over one text."""

    tree: Tree
    node: int = ROOT
    """End of the branch that is shown."""
    inspected: int = ROOT
    """The token of that branch whose numbers are shown."""
    remaining: int = 0
    """How many more tokens to generate now."""
    message: str = ""
    pending: Pending | None = None
    _stream: Stream | None = field(default=None, repr=False)
    _settings: object = None

    @property
    def has_ended(self) -> bool:
        """Whether the model itself ended the branch, or the context is full."""
        return self.node != ROOT and self.tree.nodes[self.node].generated.stop_reason in ("end", "context")

    @property
    def inspected_index(self) -> int:
        """The inspected token's number in the branch, from 1; 0 for the last one, the default."""
        path = self.tree.path(self.node)
        return path.index(self.inspected) + 1 if self.inspected in path[:-1] else 0

    def inspect(self, number: int) -> None:
        """Inspect a token of the branch by its number from 1; the last one where there is none."""
        path = self.tree.path(self.node)
        self.inspected = path[number - 1] if 0 < number <= len(path) else self.node

    def take_stream(self, model: LoadedModel, config: GenerationConfig) -> Stream:
        """The stream that continues the branch, with its KV cache while nothing has changed; the caller owns it."""
        stream, self._stream = self._stream, None
        if stream is None or self._settings != (config, self.node):
            stream = grow(model, self.tree, self.node, config)
        return stream

    def append(self, config: GenerationConfig, stream: Stream, item: StreamItem) -> None:
        """Append the stream's next token and take the stream back; an empty item: the stream has ended."""
        if not item:
            self.remaining = 0
            return
        self.tree, self.node = item[0]
        self._stream, self._settings, self.inspected = stream, (config, self.node), self.node
        self.remaining = 0 if self.has_ended else max(0, self.remaining - 1)

    def branch(self, node: int, token: int) -> None:
        """Branch off at a node with another token, and show that branch."""
        self.tree, self.node = self.tree.branch(node, token)
        self.show_branch(self.node)

    def stop(self) -> None:
        """Generate no more, and drop the token that is being computed."""
        if self.pending is not None:
            self.pending.job.abandon()
        self.remaining, self.pending = 0, None

    def show_branch(self, node: int) -> None:
        """Show the branch that ends at this node."""
        self.stop()
        self.node, self.inspected, self._stream = node, node, None


def replay(
    model: LoadedModel,
    text: str,
    branches: Sequence[Sequence[int]],
    config: GenerationConfig,
    on_progress: OnProgress = no_progress,
) -> TextDraft:
    """The draft whose branches have these token ids, from a link, the first one shown.

    Each ends before a token that was no alternative.
    """
    tree, ends = Tree(text=text), []
    total, replayed = sum(map(len, branches)), count(1)
    for ids in branches:
        tree, end = _follow(model, tree, ids, config, lambda: on_progress(next(replayed), total))
        ends.append(end)
    node = ends[0] if ends else ROOT
    return TextDraft(tree=tree, node=node, inspected=node)


def _follow(
    model: LoadedModel, tree: Tree, ids: Sequence[int], config: GenerationConfig, tell: Callable[[], None]
) -> tuple[Tree, int]:
    """The tree with a branch of these ids, and where it ends; what the tree has already is not computed again."""
    node, done = ROOT, 0
    while done < len(ids) and (children := tree.children(node)):
        known = [child for child in children if tree.nodes[child].generated.token.id == ids[done]]
        try:
            tree, node = (tree, known[0]) if known else tree.branch(children[0], ids[done])
        except UserError:
            return tree, node
        done += 1
        tell()
    while done < len(ids):
        # One stream serves as long as the sampled tokens are the link's; an alternative needs a new one.
        for generated in generate(model, tree.text, config, prefix=list(ids[:done])):
            try:
                token = generated if generated.token.id == ids[done] else generated.with_alternative(ids[done])
            except UserError:
                return tree, node
            tree, node = tree.add(node, token)
            done += 1
            tell()
            if done == len(ids) or token is not generated:
                break
        else:
            break
    return tree, node
