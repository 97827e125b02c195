"""What glibc does with freed memory: a training keeps it from step to step, a server gives it back now and then."""

import ctypes
import sys
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of glibc's malloc.h."""
KEPT_BYTES = 1 << 30
MAX_MMAP_THRESHOLD = 32 << 20
"""The most that glibc accepts."""


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees; returns False if its C library is not glibc.

    By default each step's activations go back to the system, which then clears every page again. Only for processes
    that train: a server would keep too much.
    """
    mallopt = _glibc("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(MMAP_THRESHOLD, MAX_MMAP_THRESHOLD)) and bool(mallopt(TRIM_THRESHOLD, KEPT_BYTES))


def give_back_freed_memory() -> bool:
    """Give pages in which nothing lies back to the system; returns False if the C library is not glibc, or none went.

    Each thread of a server frees into a part (arena) of its own, and glibc gives back only what lies at the end of one.
    Python's lock is free meanwhile; a thread that asks for memory waits while its own arena is gone through.
    """
    malloc_trim = _glibc("malloc_trim")
    return malloc_trim is not None and bool(malloc_trim(0))


def share_arenas(count: int = 2) -> bool:
    """Let all threads allocate in that many arenas; returns False if the C library is not glibc.

    By default there are eight for each processor. Every visit runs in a thread of its own, which leaves small holes in
    the arena that it was given; in few arenas the next thread fills them. Arenas that exist already stay.
    """
    mallopt = _glibc("mallopt")
    return mallopt is not None and bool(mallopt(ARENA_MAX, count))


def _glibc(name: str) -> Any:
    """A function of glibc's own; None where the C library is another."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
