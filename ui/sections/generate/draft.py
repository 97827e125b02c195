"""A session's draft: the tree over one text, where it stands, and the stream that continues it with its KV cache."""

from collections.abc import Iterator
from dataclasses import dataclass, field

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
    model: LoadedModel, text: str, ids: list[int], config: GenerationConfig, on_progress: OnProgress = no_progress
) -> TextDraft:
    """The draft whose branch has these token ids, from a link; it ends before one that was no alternative."""
    tree, node = Tree(text=text), ROOT
    done = 0
    while done < len(ids):
        # One stream serves as long as the sampled tokens are the link's; an alternative needs a new one.
        for generated in generate(model, text, config, prefix=ids[:done]):
            id = ids[done]
            try:
                token = generated if generated.token.id == id else generated.with_alternative(id)
            except UserError:
                return TextDraft(tree=tree, node=node, inspected=node)
            tree, node = tree.add(node, token)
            done += 1
            on_progress(done, len(ids))
            if done == len(ids) or token is not generated:
                break
        else:
            break
    return TextDraft(tree=tree, node=node, inspected=node)
