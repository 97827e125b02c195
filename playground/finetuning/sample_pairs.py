"""What a model writes before and after fine-tuning, after the same prompts and with the same random numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.finetuning.model_pair import ModelPair
from playground.lens.generate.generation import GeneratedToken, GenerationConfig, generate
from playground.progress import OnProgress, no_progress

if TYPE_CHECKING:
    from playground.models import LoadedModel

MOST_PROMPTS = 12


@dataclass(frozen=True, kw_only=True)
class SamplePair:
    """One prompt, and both models' continuations."""

    prompt: str
    before: str
    after: str
    shared: int
    """New tokens that both begin with."""
    lengths: tuple[int, int]
    """New tokens of either."""


def sample_pairs(
    pair: ModelPair,
    prompts: Sequence[str],
    config: GenerationConfig | None = None,
    on_progress: OnProgress = no_progress,
) -> tuple[SamplePair, ...]:
    """Continue each prompt with both models; token k of a prompt has the same random number in both.

    Raises UserError for too many prompts or none, and for models that write nothing.
    """
    if not prompts or len(prompts) > MOST_PROMPTS:
        raise UserError("Both models continue 1 to {most} prompts; these are {n}.", most=MOST_PROMPTS, n=len(prompts))
    config = replace(config or GenerationConfig(), alternatives=1)
    pairs = []
    for done, prompt in enumerate(prompts):
        written = []
        for row, model in enumerate((pair.before, pair.after)):
            on_progress(2 * done + row, 2 * len(prompts))
            written.append(list(generate(model, prompt, config)))
        pairs.append(_pair(pair, prompt, written[0], written[1]))
    return tuple(pairs)


def _pair(
    pair: ModelPair, prompt: str, before: Sequence[GeneratedToken], after: Sequence[GeneratedToken]
) -> SamplePair:
    ids = [[new.token.id for new in side] for side in (before, after)]
    shared = next((k for k, both in enumerate(zip(*ids, strict=False)) if both[0] != both[1]), min(map(len, ids)))
    return SamplePair(
        prompt=prompt,
        before=_spelled(pair.before, ids[0]),
        after=_spelled(pair.after, ids[1]),
        shared=shared,
        lengths=(len(before), len(after)),
    )


def _spelled(model: "LoadedModel", ids: list[int]) -> str:
    return str(model.tokenizer.decode(ids, skip_special_tokens=True))
