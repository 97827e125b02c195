"""One thread for scipy's linear algebra: its matrices here are smaller than what waking a second thread costs.

Each step of L-BFGS-B solves a system of at most 20 numbers. scipy's OpenBLAS hands it to as many threads as there are
cores, which wait for each other in a busy loop: on two busy cores a fit then took thirty times as long.
"""

import ctypes
from pathlib import Path

import scipy

PLACES = ("../scipy.libs", ".dylibs")
"""Where scipy's wheels keep their libraries: on Linux and Windows, and on macOS."""
SETTERS = ("scipy_openblas_set_num_threads", "openblas_set_num_threads")


def use_one_thread() -> None:
    """Tell the OpenBLAS that scipy brings along; numpy's and torch's keep their threads. Nothing where it has none."""
    home = Path(scipy.__file__).parent
    for place in PLACES:
        for library in (home / place).glob("*openblas*"):
            loaded = ctypes.CDLL(str(library))
            setter = next((getattr(loaded, name) for name in SETTERS if hasattr(loaded, name)), None)
            if setter is not None:
                setter(1)
