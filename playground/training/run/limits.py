"""What a run may use while it trains; jobs/limits.py checks what it may ask for before it starts. Needs no torch."""

import math
from dataclasses import dataclass

from playground.errors import UserError
from playground.text import N_

OUT_OF_MEMORY = N_("The machine has no memory left for this training; choose a smaller model, batch or context.")


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Limits of one run."""

    seconds: float = math.inf
    """Of training in all sessions."""
    disk_bytes: int = 8 * 2**30
    """Of the run's folder."""
    paused_seconds: float = math.inf
    """After which a paused run ends, so that another can train."""


class LimitReachedError(UserError):
    """The run has used what it may; it has not failed."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, in Python's words or torch's."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate memory" in str(error))
