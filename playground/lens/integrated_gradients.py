"""Which tokens a logit came from: integrated gradients (Sundararajan et al. 2017) over the token embeddings.

captum walks the straight line from a baseline to the embeddings and adds up gradients. The embeddings are put in at
the model's own embedding module, seen by this context only, so that a shared model stays as it is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from playground.errors import UserError
from playground.lens.activations import OnRun, Reading, logits_of, no_report
from playground.lens.hooks import editing
from playground.lens.parts import embedding_of

if TYPE_CHECKING:
    from playground.models import LoadedModel

Baseline = Literal["zero", "mean"]
COMPLETE = 0.05
"""The completeness error, as a share of the change explained, up to which a result counts as converged."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenAttribution:
    """Each token's share of the change of a logit from the baseline to the text.

    The shares add up to explained = at_text - at_baseline, but for `error`, which more steps make smaller.
    """

    shares: Float[np.ndarray, "token"]
    at_text: float
    at_baseline: float
    error: float
    steps: int

    @property
    def explained(self) -> float:
        """What the shares should add up to."""
        return self.at_text - self.at_baseline

    @property
    def is_complete(self) -> bool:
        """Whether the shares add up well enough to be shown."""
        return abs(self.error) <= COMPLETE * max(abs(self.explained), 0.1)


def integrated_gradients(
    model: "LoadedModel",
    reading: Reading,
    *,
    position: int,
    token: int,
    steps: int = 64,
    baseline: Baseline = "zero",
    on_run: OnRun = no_report,
) -> TokenAttribution:
    """The share of each token in the logit of `token` at a position.

    baseline: embeddings of zero, or the mean embedding of the vocabulary. An encoder-decoder's shares are those of its
    source. Raises UserError for a model without an output head and for a prediction that is not there.
    """
    from captum.attr import IntegratedGradients

    if not model.has_output_head:
        raise UserError(f"{model.name} has no output head, so that there is no prediction to explain.")
    if steps < 2:
        raise UserError("The line needs at least 2 steps.")
    embedding = embedding_of(model)
    name = "ids" if model.family == "playground" else "input_ids"
    ids = reading.arguments[name]
    done = 0

    def logit(embedded: Tensor) -> Tensor:
        nonlocal done
        logits = _logits_with(model, reading, ids, embedded)
        done += len(embedded)
        on_run(min(done, steps), steps)
        return logits[:, position, token]

    if not -len(reading.tokens) <= position < len(reading.tokens) or not 0 <= token < _vocabulary(model):
        raise UserError(
            f"Choose a position from {-len(reading.tokens)} to {len(reading.tokens) - 1} and a known token."
        )
    with torch.no_grad():
        end = embedding(ids)
        begin = torch.zeros_like(end) if baseline == "zero" else _mean_embedding(model).expand_as(end)
        at_text, at_baseline = (float(_logits_with(model, reading, ids, e)[0, position, token]) for e in (end, begin))
    with torch.enable_grad():
        found = IntegratedGradients(logit).attribute(
            end, begin, n_steps=steps, method="gausslegendre", internal_batch_size=8
        )
    shares = found[0].sum(-1).detach().float().cpu().numpy()
    return TokenAttribution(
        shares=shares,
        at_text=at_text,
        at_baseline=at_baseline,
        error=float(shares.sum()) - (at_text - at_baseline),
        steps=steps,
    )


def _vocabulary(model: "LoadedModel") -> int:
    return int(embedding_of(model).num_embeddings)  # type: ignore[arg-type]


def _mean_embedding(model: "LoadedModel") -> Tensor:
    embedding = embedding_of(model)
    every = torch.arange(_vocabulary(model), device=model.device)
    return torch.as_tensor(embedding(every)).mean(0)


def _logits_with(model: "LoadedModel", reading: Reading, ids: Tensor, embedded: Tensor) -> Tensor:
    """The logits with the embeddings of the text's ids replaced, for as many rows as there are."""
    rows = len(embedded)
    arguments = {
        name: value.expand(rows, *value.shape[1:]) if isinstance(value, Tensor) else value
        for name, value in reading.arguments.items()
    }
    width = ids.shape[1]
    first = True

    def put(found: Tensor) -> Tensor | None:
        # An encoder-decoder embeds its target with the same module, after the source.
        nonlocal first
        here, first = first and found.shape[1] == width, False
        return embedded if here else None

    with editing({(embedding_of(model), "output"): put}):
        logits = logits_of(model, model.module(**arguments))
    assert logits is not None
    return logits
