"""Keep freed memory between the steps of a training."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt, as its malloc.h numbers them."""
KEPT_BYTES = 1 << 30
MAX_MMAP_THRESHOLD = 32 << 20
"""The most that glibc accepts."""


def keep_freed_memory() -> bool:
    """Let this process reuse what it frees, if its C library is glibc; returns whether it is.

    Otherwise the memory of each step's activations goes back to the system and returns page by page, cleared. For
    processes that train; a server would keep too much.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, MAX_MMAP_THRESHOLD)) and bool(mallopt(TRIM_THRESHOLD, KEPT_BYTES))
