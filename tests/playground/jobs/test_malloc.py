"""Freed memory stays with the process that trains."""

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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_pages_that_were_freed_do_not_come_from_the_system_again():
    taken = {
        way: int(subprocess.run([sys.executable, "-c", PROGRAM, way], capture_output=True, check=True).stdout)
        for way in ("keep", "release")
    }
    assert taken["keep"] < 50 < taken["release"]
