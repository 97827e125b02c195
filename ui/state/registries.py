"""What the server keeps for all its sessions: traces, runs' logs, speeds, turns. Each is bounded."""

import os
from functools import cache
from typing import TYPE_CHECKING

from playground.jobs.turns import Turns
from ui.readings import Readings
from ui.run_logs import RunLogs

if TYPE_CHECKING:
    from playground.training.calibration import Speeds

TRACE_BYTES = 2 << 30
FORWARD_SLOTS = max(1, (os.cpu_count() or 1) // 4)
"""Passes at once: each one uses all of torch's threads, and two on two cores are slower than one after the other."""


@cache
def readings() -> Readings:
    """The server's traces, bounded in bytes."""
    return Readings(max_bytes=TRACE_BYTES)


@cache
def run_logs() -> RunLogs:
    """What the server's runs have written, bounded in bytes."""
    return RunLogs()


@cache
def torch_threads() -> int:
    """How many threads torch was given when the server started."""
    import torch

    return torch.get_num_threads()


@cache
def speeds() -> "Speeds":
    """How fast this machine trains."""
    from playground.training.calibration import Speeds

    return Speeds()


@cache
def turns() -> Turns:
    """Whose forward pass is next on this server."""
    return Turns(FORWARD_SLOTS)
