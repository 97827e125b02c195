"""A real Ray on loopback: one node that says it has two CPUs and a GPU, in a folder of its own."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import psutil

from benchmarks.browser import free_port
from tests.helpers.waiting import until

LOOPBACK = "127.0.0.1"


def end_tree(process: subprocess.Popen) -> None:
    """End a process and all that it started; nothing else on the machine."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.terminate()
    _, alive = psutil.wait_procs(family, timeout=10)
    for member in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()


@contextlib.contextmanager
def ray_cluster(port: int = 0) -> Iterator[str]:
    """Its address, at a port of its own choice unless one is given; it ends with the block."""
    assert importlib.util.find_spec("ray"), "pip install -r requirements-dev.txt brings Ray"
    port, folder = port or free_port(), tempfile.mkdtemp(prefix="ray")
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", f"--port={port}", "--num-cpus=2"]
    command += ["--num-gpus=1", "--include-dashboard=false", f"--node-ip-address={LOOPBACK}", f"--temp-dir={folder}"]
    command += ["--object-store-memory=80000000", "--disable-usage-stats", "--block"]
    # Ray's own niceness, 15, leaves a worker a thirtieth of a processor beside two busy test processes.
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port), "Ray")
        yield f"{LOOPBACK}:{port}"
    finally:
        end_tree(process)
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as asking:
        return asking.connect_ex((LOOPBACK, port)) == 0
