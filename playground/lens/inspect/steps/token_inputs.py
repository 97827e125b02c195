"""What the steps after attention are made from: one token of a pass, and what is listed of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from playground.lens.inspect.steps.block import BlockRows
from playground.lens.inspect.steps.feed_forward import Branch, FeedForward
from playground.lens.inspect.steps.logit_slopes import LogitSlopes, logit_slopes
from playground.lens.inspect.steps.neurons import NeuronName, RankedNeurons, feed_forward_of, rank_neurons
from playground.lens.inspect.steps.output_head import OutputHead
from playground.lens.inspect.steps.stream import Contributions, Stream, contributions, read_stream
from playground.lens.inspect.steps.whole_token import WholeToken

MOST_NEURONS, MOST_TOKENS, MOST_DIMENSIONS = 20, 16, 20
"""How many neurons, tokens of the vocabulary and dimensions have columns of their own; sums run over all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenInputs:
    """One token of a pass, one layer of its stack, and what is listed."""

    token: WholeToken
    """Its first row is the token."""
    layer: int
    label: str
    """The token's."""
    spelling: Callable[[int], str]
    """The label of a token of the vocabulary."""
    dimension: int = 0
    """The dimension to trace: its row of each matrix is listed."""
    traced_neuron: NeuronName | None = None
    """Whose row of each matrix is listed; by default the one that adds most."""
    traced_token: int | None = None
    """Whose logit is followed; by default the most probable one."""

    @property
    def block(self) -> BlockRows:
        """The block of the layer."""
        return self.token.blocks[self.token.index_of(self.layer)]

    @property
    def head(self) -> OutputHead | None:
        """The output head; None where the model has none."""
        return self.token.ending.head

    @cached_property
    def feed_forward(self) -> FeedForward | None:
        """The layer's; None where the model has none."""
        return None if self.block.feed_forward is None else feed_forward_of(self.token, self.layer)

    @property
    def is_mixture(self) -> bool:
        """Whether the layer consists of experts."""
        return self.feed_forward is not None and self.feed_forward.body.experts > 1

    @cached_property
    def ranked(self) -> RankedNeurons | None:
        """Its neurons, those that add most first."""
        return None if self.feed_forward is None else rank_neurons(self.feed_forward)

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The neurons that the token goes through: all, or its experts'."""
        return () if self.feed_forward is None else self.feed_forward.branches()

    @cached_property
    def neuron(self) -> NeuronName | None:
        """The traced neuron: the chosen one, if the token goes through it, else the one that adds most."""
        names = () if self.ranked is None else self.ranked.names
        return self.traced_neuron if self.traced_neuron in names else next(iter(names), None)

    @cached_property
    def stream(self) -> Stream:
        """The final state as a sum of parts."""
        return read_stream(self.token)

    @cached_property
    def slopes(self) -> LogitSlopes | None:
        """What the layer's neurons change in the logits; None without neurons or an output head."""
        return logit_slopes(self.token, self.layer)

    @cached_property
    def logits(self) -> Float[np.ndarray, "vocabulary"] | None:
        """The model's own logits; None without an output head."""
        logits = self.token.rows.logits
        return None if logits is None else logits[0].numpy()

    @cached_property
    def top(self) -> tuple[int, ...]:
        """The most probable tokens, and the traced one."""
        if self.logits is None:
            return ()
        count = min(MOST_TOKENS, len(self.logits))
        best = torch.from_numpy(self.logits).topk(count).indices.tolist()
        return tuple(best if self.traced in best or self.traced is None else [*best[:-1], self.traced])

    @cached_property
    def traced(self) -> int | None:
        """The token whose logit is followed; None without an output head."""
        if self.logits is None:
            return None
        is_there = self.traced_token is not None and 0 <= self.traced_token < len(self.logits)
        return self.traced_token if is_there else int(self.logits.argmax())

    @cached_property
    def contributions(self) -> Contributions | None:
        """The traced token's logit by part of the stream; None without an output head."""
        if self.head is None or self.traced is None:
            return None
        return contributions(self.head, self.stream, self.traced)

    def listed_neurons(self, branch: Branch) -> tuple[int, ...]:
        """The branch's neurons that have columns of their own, in the order of their numbers."""
        names = [] if self.ranked is None else [*self.ranked.names[:MOST_NEURONS]]
        names += [] if self.neuron is None else [self.neuron]
        return tuple(sorted({name.number for name in names if name.expert == branch.expert}))
