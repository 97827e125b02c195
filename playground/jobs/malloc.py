"""Let glibc keep freed memory between training steps."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""
KEPT_BYTES = 1 << 30
MAX_MMAP_THRESHOLD = 32 << 20
"""The most that glibc accepts."""


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees; returns False if its C library is not glibc.

    By default each step's activations go back to the system, which then clears every page again. Only for processes
    that train: a server would keep too much.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, MAX_MMAP_THRESHOLD)) and bool(mallopt(TRIM_THRESHOLD, KEPT_BYTES))
