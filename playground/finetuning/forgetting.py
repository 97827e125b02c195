"""What fine-tuning costs elsewhere: bits per byte on text that it did not train on, before and after.

The same passages are scored by both models, and resampled together: the interval of the difference is a paired one.
McCloskey and Cohen 1989 (catastrophic interference).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.errors import UserError
from playground.evaluation.perplexity import bits_per_byte
from playground.evaluation.resampling import PairedSpread, paired_bootstrap
from playground.finetuning.model_pair import ModelPair
from playground.lens.generate.surprisal import text_surprisal
from playground.progress import OnProgress, no_progress

LEAST_PASSAGES = 5
MOST_PASSAGES = 200


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A text to score; of an encoder-decoder the target of a source."""

    text: str
    target: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Forgetting:
    """Bits per byte of both models on the same passages."""

    passages: tuple[Passage, ...]
    nats: Float[np.ndarray, "model passage"]
    """Total surprisal of each passage: before, after."""
    bytes: Float[np.ndarray, "passage"]
    """Predicted ones."""
    is_masked: bool
    """Whether tokens were predicted from both sides: a pseudo-likelihood (Salazar et al. 2020)."""
    bits: PairedSpread
    """Bits per byte: before, after, and after less before; an interval above 0 is forgetting."""

    def of_passages(self) -> Float[np.ndarray, "model passage"]:
        """Bits per byte of each passage."""
        return np.array(
            [[bits_per_byte(np.array([n]), b) for n, b in zip(row, self.bytes, strict=True)] for row in self.nats]
        )


def forgetting(pair: ModelPair, passages: Sequence[Passage], on_progress: OnProgress = no_progress) -> Forgetting:
    """Score every passage with both models.

    Raises UserError for too few or too many passages, for a model without an output head, and for one that translates
    if a passage has no target.
    """
    if not LEAST_PASSAGES <= len(passages) <= MOST_PASSAGES:
        raise UserError(
            "Forgetting is measured on {least} to {most} passages; these are {n}.",
            least=LEAST_PASSAGES,
            most=MOST_PASSAGES,
            n=len(passages),
        )
    nats, sizes = np.zeros((2, len(passages))), np.zeros(len(passages))
    for done, passage in enumerate(passages):
        for row, model in enumerate((pair.before, pair.after)):
            on_progress(2 * done + row, 2 * len(passages))
            scores = text_surprisal(model, passage.text, target=passage.target)
            nats[row, done] = scores.surprisal[scores.predicted].sum()
            if scores.bytes is None:
                raise UserError("Passage {number}: {reason}", number=done + 1, reason=scores.missing_bits)
            sizes[done] = scores.bytes
        if not sizes[done]:
            raise UserError("In passage {number} no token is predicted; make it longer.", number=done + 1)
    first, second = (np.stack([row, sizes], axis=1) for row in nats)
    return Forgetting(
        passages=tuple(passages),
        nats=nats,
        bytes=sizes,
        is_masked=pair.before.kind == "encoder",
        bits=paired_bootstrap(first, second, bits_of_sums),
    )


def bits_of_sums(sums: Float[np.ndarray, "resample 2"]) -> Float[np.ndarray, "resample"]:
    """Bits per byte of each resample's nats and bytes."""
    return np.asarray(sums[..., 0] / np.log(2) / sums[..., 1])
