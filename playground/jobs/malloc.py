"""Memory that a training process takes again and again, step by step."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt, as its malloc.h numbers them."""
KEPT_BYTES = 1 << 30
LARGEST_KEPT_BYTES = 32 << 20
"""What glibc accepts at most."""


def keep_freed_memory() -> bool:
    """Let this process keep what it frees for what it asks next, where its C library is glibc; returns whether it is.

    Otherwise the memory of each step's activations goes back to the system and comes again page by page, cleared. It is
    for processes that train; a server would keep too much.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST_KEPT_BYTES)) and bool(mallopt(TRIM_THRESHOLD, KEPT_BYTES))
