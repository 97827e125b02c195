"""The heads whose attention changed most over a set of texts, with intervals over the texts.

Each head is compared with itself before fine-tuning: Jensen-Shannon divergence of its rows in nats, mean over the
queries (Lin 1991), as where two models are compared on one text. Heads keep their number in fine-tuning, so here it
means something.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.evaluation.resampling import Spread, bootstrap_spread, resampled_sums
from playground.finetuning.model_pair import ModelPair
from playground.lens.capture.site import SiteKind
from playground.lens.comparison import Alignment, align_tokens, align_words, compare_heads
from playground.lens.inspect.attention_view import ViewOptions
from playground.lens.several_texts import MOST_TEXTS
from playground.lens.trace import Trace, trace
from playground.progress import OnProgress, no_progress

FIRST = 5
"""How often a head is among so many that changed most, is counted over the resamples."""


@dataclass(frozen=True, kw_only=True)
class HeadChange:
    """How much one head changed."""

    layer: int
    head: int
    divergence: Spread
    """Mean over the texts, in nats, with its interval over the texts."""
    among_first: float
    """Share of resamples in which it is among the FIRST that changed most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeadDrift:
    """Every head of one kind of attention, on every text."""

    kind: SiteKind
    texts: tuple[str, ...]
    divergence: Float[np.ndarray, "text layer head"]
    """In nats, from 0 to ln 2."""
    resampled: Float[np.ndarray, "resample layer head"]
    """Means over texts drawn with replacement."""

    @property
    def mean(self) -> Float[np.ndarray, "layer head"]:
        """Over the texts."""
        return np.asarray(self.divergence.mean(0))

    def ranked(self, most: int | None = None) -> list[HeadChange]:
        """The heads, the most changed first; equal ones in their order."""
        mean, among = self.mean, _among_first(self.resampled)
        order = np.argsort(-mean, axis=None, kind="stable")[:most]
        places = [divmod(int(index), mean.shape[1]) for index in order]
        return [
            HeadChange(
                layer=layer,
                head=head,
                divergence=bootstrap_spread(mean[layer, head], self.resampled[:, layer, head], len(self.texts)),
                among_first=float(among[layer, head]),
            )
            for layer, head in places
        ]


def head_drift(
    pair: ModelPair, texts: Sequence[str], kind: SiteKind | None = None, on_progress: OnProgress = no_progress
) -> HeadDrift:
    """Trace every text with both models. A long text is cut at the context.

    kind: by default that of the stack that predicts. Raises UserError without texts, and for too many.
    """
    if not texts or len(texts) > MOST_TEXTS:
        raise UserError("Heads are compared over 1 to {most} texts; these are {n}.", most=MOST_TEXTS, n=len(texts))
    tables = []
    for done, text in enumerate(texts):
        on_progress(done, len(texts))
        before = trace(pair.before, text, truncate=True)
        after = trace(pair.after, text, _target_of(pair, before), truncate=True)
        kind = kind or before._kind(None)
        tables.append(_divergence(before, after, kind))
    assert kind is not None
    divergence = np.stack(tables)
    sums = resampled_sums(divergence.reshape(len(texts), -1))
    resampled = (sums / len(texts)).reshape(-1, *divergence.shape[1:])
    return HeadDrift(kind=kind, texts=tuple(texts), divergence=divergence, resampled=resampled)


def _target_of(pair: ModelPair, before: Trace) -> str | None:
    """An encoder-decoder answers each text itself: both decoders read what the model before has answered."""
    if not before.target:
        return None
    ids = [token.id for token in before.target if not token.special]
    return str(pair.before.tokenizer.decode(ids, skip_special_tokens=True))


def _divergence(before: Trace, after: Trace, kind: SiteKind) -> Float[np.ndarray, "layer head"]:
    axes: list[Alignment] = []
    for name in ("query_tokens", "key_tokens"):
        sides = [getattr(side, name)(kind) for side in (before, after)]
        same = [token.id for token in sides[0]] == [token.id for token in sides[1]]
        axes.append((align_tokens if same else align_words)(*sides))
    return compare_heads((before, after), (ViewOptions(kind=kind),) * 2, (axes[0], axes[1]))


def _among_first(resampled: Float[np.ndarray, "resample layer head"]) -> Float[np.ndarray, "layer head"]:
    """How often each head is among the FIRST, over the resamples; a head that did not change is never."""
    flat = resampled.reshape(len(resampled), -1)
    least = np.sort(flat, axis=1)[:, -min(FIRST, flat.shape[1])][:, None]
    return np.asarray(((flat >= least) & (flat > 0)).mean(0).reshape(resampled.shape[1:]))
