"""Waiting for other processes, with an end to patience."""

import time
from collections.abc import Callable

PATIENCE = 120.0


def until(holds: Callable[[], object], what: str = "it") -> float:
    """Wait until something holds; returns the seconds that took. Fails after two minutes."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE, f"waited in vain for {what}"
        time.sleep(0.01)
    return time.monotonic() - began
