"""The fine-tuning that ships, so that a before and after is there at first sight."""

from dataclasses import dataclass
from pathlib import Path

EXAMPLE = "books-encoder-sentiment"


@dataclass(frozen=True, kw_only=True)
class ShippedFinetuning:
    """A finished run beside the models."""

    run: Path
    """Its folder: settings, curves, samples, film and the last checkpoint."""
    before: str
    """What `load` calls the base."""
    after: str
    """What `load` calls the result."""


def shipped_example() -> ShippedFinetuning:
    """books-encoder with LoRA on opinions in templated sentences, our own; made by `benchmarks.finetune --example`."""
    from playground.training.finetune.result import before_and_after

    run = Path(__file__).resolve().parents[3] / "assets" / "finetuned" / EXAMPLE
    before, after = before_and_after(run)
    return ShippedFinetuning(run=run, before=before, after=after)
