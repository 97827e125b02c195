"""Freed memory stays with the process that trains, and leaves the one that serves."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, resource, sys
from playground.jobs.malloc import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1] == "keep":
    assert keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
size, count = 1 << 20, 16
for turn in range(6):
    before = faults()
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    for block in blocks:
        libc.free(ctypes.c_void_p(block))
print(faults() - before)
"""
SERVER = """
import ctypes, sys, threading
from playground.jobs.malloc import give_back_freed_memory

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
held = []

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def visit():
    blocks = [libc.malloc(20_000) for _ in range(2_000)]
    for block in blocks:
        ctypes.memset(block, 1, 20_000)
    held.append(libc.malloc(20_000))  # at the end of the thread's own arena: what lies before it stays
    for block in blocks:
        libc.free(ctypes.c_void_p(block))

threads = [threading.Thread(target=visit) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
before = resident()
assert give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_pages_that_were_freed_do_not_come_from_the_system_again():
    taken = {
        way: int(subprocess.run([sys.executable, "-c", PROGRAM, way], capture_output=True, check=True).stdout)
        for way in ("keep", "release")
    }
    assert taken["keep"] < 50 < taken["release"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="malloc_trim is glibc's")
def test_pages_that_the_threads_of_a_server_freed_go_back():
    given = int(subprocess.run([sys.executable, "-c", SERVER], capture_output=True, check=True).stdout)
    assert given > 80_000_000  # of three times 40


ARENAS = """
import ctypes, sys, threading
from playground.jobs.malloc import share_arenas

if sys.argv[1] == "shared":
    assert share_arenas(2)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(8)
blocks = []

def visit():
    together.wait()
    blocks.append(libc.malloc(1_000))
    together.wait()

threads = [threading.Thread(target=visit) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len({block >> 26 for block in blocks}))  # an arena begins at a multiple of 64 MiB
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_threads_share_arenas():
    counts = {}
    for how in ("each its own", "shared"):
        done = subprocess.run([sys.executable, "-c", ARENAS, how], capture_output=True, text=True, check=True)
        counts[how] = int(done.stdout)
    assert counts["shared"] <= 2 < counts["each its own"]
