"""Head scores over several texts: one text shows what a head does there, several how far that holds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.capture.site import SiteKind
from playground.lens.trace import trace
from playground.models import LoadedModel
from playground.progress import OnProgress

MOST_TEXTS = 50
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class ScoreInterval:
    """The mean of a score over texts, with its confidence interval."""

    mean: float
    low: float
    """NaN where one text alone defines the score."""
    high: float
    count: int
    """Texts on which the score is defined."""


def split_texts(listing: str) -> list[str]:
    """The texts of a list, one on each line, at most `MOST_TEXTS`; empty lines are none.

    >>> split_texts("one\\n\\n two ")
    ['one', 'two']
    """
    return [line.strip() for line in listing.splitlines() if line.strip()][:MOST_TEXTS]


def score_texts(
    model: LoadedModel, texts: Sequence[str], kind: SiteKind, on_text: OnProgress | None = None
) -> dict[str, Float[np.ndarray, "text layer head"]]:
    """Each text's head scores, from a pass of its own. Raises UserError for a text that is too long."""
    tables = []
    for done, text in enumerate(texts):
        if on_text is not None:
            on_text(done, len(texts))
        tables.append(trace(model, text).head_scores(kind).scores)
    return {name: np.stack([table[name] for table in tables]) for name in tables[0]} if tables else {}


def interval(values: Float[np.ndarray, "text"]) -> ScoreInterval | None:
    """Mean and Student's t interval over the texts that define a score, each counted once; None where none does."""
    from scipy.special import stdtrit

    known = values[np.isfinite(values)].astype(np.float64)
    count = len(known)
    if not count:
        return None
    mean, reach = float(known.mean()), math.nan
    if count > 1:
        reach = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2) * known.std(ddof=1) / math.sqrt(count))
    return ScoreInterval(mean=mean, low=mean - reach, high=mean + reach, count=count)
