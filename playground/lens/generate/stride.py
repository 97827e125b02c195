"""What the stride of a sliding window does to the perplexity of a text longer than the window.

A token at the start of a window is predicted from few others: a large stride is fast and overstates the perplexity.
Press et al. 2021, "Shortformer", section 2; transformers' guide to the perplexity of fixed-length models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.lens.capture.tokens import encode
from playground.lens.generate.surprisal import Windows, spans, text_surprisal
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True)
class StrideScore:
    """The perplexity under one stride."""

    stride: int
    least_context: int
    """Tokens before a predicted one, at least, beyond the first window."""
    passes: int
    """Forward passes that it took."""
    perplexity: float
    bits_per_byte: float | None
    """None where the tokenizer does not tell which bytes are predicted."""


def stride_scores(
    model: "LoadedModel", text: str, *, window: int, strides: Sequence[int], on_progress: OnProgress = no_progress
) -> list[StrideScore]:
    """Score a text under each stride; progress counts the passes.

    Raises UserError for a model that is no decoder, and for a window or stride that does not fit.
    """
    if model.kind != "decoder":
        raise UserError("A window slides over the text of a decoder; {name} is none.", name=model.name)
    n_tokens = len(encode(model.tokenizer, text))
    passes = {stride: sum(1 for _ in spans(n_tokens, window, stride)) for stride in strides}
    done, scores = 0, []

    def watch(_done: int, _total: int) -> None:
        nonlocal done
        done += 1
        on_progress(done, sum(passes.values()))

    for stride in strides:
        judged = text_surprisal(model, text, windows=Windows(window=window, stride=stride), on_progress=watch)
        scores.append(
            StrideScore(
                stride=stride,
                least_context=window - stride,
                passes=passes[stride],
                perplexity=judged.perplexity,
                bits_per_byte=judged.bits_per_byte,
            )
        )
    return scores
