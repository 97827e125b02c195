"""One model, loaded by us and by transformers, and how a comparison of the two ends."""

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from playground.lens import Trace
from playground.models import LoadedModel

CLOSE = 2e-4
"""Largest difference, relative to the largest number if that exceeds 1."""
Verdict = Literal["equal", "refused", "wrong", "no reference"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One comparison: its verdict, and the reason, or what differs."""

    verdict: Verdict
    detail: str = ""


class Differs(Exception):  # noqa: N818
    """Something differs from the reference."""


class NoReference(Exception):  # noqa: N818
    """transformers reports nothing to compare with."""


@dataclass(kw_only=True)
class Subject:
    """One model, loaded by us and by transformers, and one text that both have read."""

    model: LoadedModel
    reference: nn.Module
    traced: Trace
    expected: Any
    """The reference's output, with attentions and hidden states."""
    arguments: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def logits(self) -> Tensor:
        """The reference's logits, [token, vocabulary]."""
        logits: Tensor = self.expected.logits[0]
        return logits


def require_close(name: str, ours: Tensor, theirs: Tensor) -> None:
    """Raise Differs where two tensors differ by more than CLOSE of the largest number, or in shape."""
    ours, theirs = ours.float().cpu(), theirs.float().cpu()
    if ours.shape != theirs.shape:
        raise Differs(f"{name}: shape {tuple(ours.shape)} for {tuple(theirs.shape)}")
    same = ours == theirs
    difference = float(torch.where(same, 0.0, (ours - theirs).abs()).max()) if ours.numel() else 0.0
    finite = theirs[theirs.isfinite()]
    scale = max(1.0, float(finite.abs().max())) if finite.numel() else 1.0
    if not difference <= CLOSE * scale:
        raise Differs(f"{name}: off by {difference:.2g} of {scale:.2g}")
