"""Waiting for other processes, with an end to patience."""

import time
from collections.abc import Callable

PATIENCE = 120.0


def until(holds: Callable[[], object], what: str = "it", seconds: float = PATIENCE) -> float:
    """Wait until something holds, at most so long; returns the seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"waited in vain for {what}"
        time.sleep(0.01)
    return time.monotonic() - began
