"""What a head of random numbers answers: the classical trap of asking a language model as if it were a classifier.

`AutoModelForSequenceClassification` loads any encoder or decoder. Where the checkpoint has no such head, transformers
adds one, draws its weights at random, and only warns; the answers look like any other and change with the seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float

from playground.errors import UserError
from playground.lens.generate.classification import ask, scores_of
from playground.lens.generate.encoded_rows import encode_row
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

N_LABELS = 2
SEEDS = tuple(range(6))


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomHeads:
    """The answers of several random heads about one text."""

    architecture: str
    untrained: tuple[str, ...]
    """The tensors that the checkpoint lacks."""
    seeds: tuple[int, ...]
    labels: tuple[str, ...]
    scores: Float[np.ndarray, "seed label"]

    @property
    def winners(self) -> int:
        """How many of the labels win with some seed."""
        return len(set(self.scores.argmax(-1).tolist()))


def ask_random_heads(
    model: "LoadedModel", text: str, *, seeds: Sequence[int] = SEEDS, on_progress: OnProgress = no_progress
) -> RandomHeads:
    """Ask a sequence classifier of two labels on this model's weights, its head drawn anew for each seed.

    The model is loaded once more, beside the one that is shown. Raises UserError where it does not fit, where the
    family has no such class, and where the checkpoint has a trained head.
    """
    from playground.models.adapters.pretrained_head import load_random_head

    if model.is_own:
        raise UserError("{name} is a model of ours: transformers adds no head to it.", name=model.name)
    row = encode_row(model, text, truncate=True)
    whole, head = load_random_head(model, N_LABELS)
    scores = []
    for done, seed in enumerate(seeds, start=1):
        _draw(whole, head.untrained, seed)
        scores.append(scores_of(ask(model, head, [row])[0], "softmax"))
        on_progress(done, len(seeds))
    return RandomHeads(
        architecture=head.architecture,
        untrained=head.untrained,
        seeds=tuple(seeds),
        labels=head.labels,
        scores=np.stack(scores),
    )


@torch.no_grad()
def _draw(module: torch.nn.Module, names: Sequence[str], seed: int) -> None:
    """Fill the tensors as transformers does: matrices from a normal distribution, biases with zeros."""
    generator = torch.Generator().manual_seed(seed)
    std = float(getattr(module.config, "initializer_range", 0.02))
    for name in names:
        tensor = module.get_parameter(name)
        drawn = torch.zeros(tensor.shape)
        if tensor.ndim > 1:
            drawn.normal_(std=std, generator=generator)
        tensor.copy_(drawn)
