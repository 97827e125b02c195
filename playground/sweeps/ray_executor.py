"""Train the cells of a sweep on a Ray cluster: one task for each cell, on a GPU where a node has one free.

The sweep's folder lies on a filesystem that all nodes share: a cell whose worker died resumes on another node from its
last checkpoint. The package travels with the task; the nodes need requirements.txt and requirements-cluster.txt.
"""

import contextlib
import importlib
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.errors import UserError
from playground.sweeps.executors import POLL_SECONDS, STOP_SECONDS, mark_failed, wait_until_idle
from playground.sweeps.folder import Sweep
from playground.sweeps.grid import Cell
from playground.text import N_
from playground.training.run.control import Command, send
from playground.training.run.status import Message, message_of

PACKAGE = Path(__file__).resolve().parents[1]
CONNECT_SECONDS = 5.0
LARGEST_PORT = 65_535
RECOUNT_SECONDS = 5.0
"""How long a count of the cluster's CPUs and GPUs holds: nodes come and go."""


def train_cell(folder: str, uses_gpu: bool) -> "Message | None":
    """The Ray task: train into a run folder. Returns why it could not; None where it could."""
    if not uses_gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    from playground.errors import UserError
    from playground.training.run.folder import read_train_config, run

    path = Path(folder)
    if not path.is_dir():
        template = N_("The node {node} does not see {folder}; put the sweep where all nodes share a folder.")
        return Message(template=template, values={"node": os.uname().nodename, "folder": folder})
    torch.set_num_threads(1)
    try:
        for _ in run(read_train_config(path / "config.json"), path):
            pass
    except UserError as error:
        return message_of(error)
    return None


class RayExecutor:
    """Trains on a cluster that is running already; it is never started here."""

    def __init__(self, address: str) -> None:
        self._ray = connect(address)
        self._runs: dict[Any, tuple[Cell, Path, bool]] = {}
        self._counted_at, self._cpus, self._gpus = -RECOUNT_SECONDS, 0, 0

    @property
    def slots(self) -> int:
        """One for each CPU of the cluster, as it is now; a task on a GPU takes a CPU, too."""
        if time.monotonic() - self._counted_at > RECOUNT_SECONDS:
            resources = self._ray.cluster_resources()
            self._cpus, self._gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
            self._counted_at = time.monotonic()
        return self._cpus

    def start(self, sweep: Sweep, cell: Cell) -> None:
        """Send a cell to the cluster: to a GPU while one is free and the cell may use it."""
        folder = sweep.run_folder(cell).resolve()
        used = sum(uses_gpu for _, _, uses_gpu in self._runs.values())
        uses_gpu = cell.config.device != "cpu" and used < self._gpus
        # Not retried by Ray: the scheduler counts retries, and names the cells that they do not help.
        remote = self._ray.remote(num_cpus=1, num_gpus=int(uses_gpu), max_retries=0)(train_cell)
        self._runs[remote.remote(str(folder), uses_gpu)] = (cell, folder, uses_gpu)

    def working(self) -> frozenset[str]:
        """The cells whose tasks have not ended, after a moment's wait."""
        self._settle_ended(POLL_SECONDS)
        return frozenset(cell.name for cell, _, _ in self._runs.values())

    def close(self) -> None:
        """Stop every cell with a checkpoint, and leave the cluster."""
        for _, folder, _ in self._runs.values():
            with contextlib.suppress(UserError):
                send(folder, Command(action="stop"))
        wait_until_idle(self, STOP_SECONDS)
        for reference in self._runs:
            self._ray.cancel(reference, force=True)
        disconnect()

    def _settle_ended(self, seconds: float) -> None:
        """Drop the tasks that have ended, after waiting for one at most so long."""
        if not self._runs:
            time.sleep(seconds)
            return
        ended, _ = self._ray.wait(list(self._runs), num_returns=1, timeout=seconds)
        for reference in ended:
            _, folder, _ = self._runs.pop(reference)
            # Where the worker or its node is gone, its folder shows a live state without a process.
            with contextlib.suppress(self._ray.exceptions.RayError):
                message = self._ray.get(reference)
                if message is not None:
                    mark_failed(folder, message)


@dataclass(kw_only=True)
class Connection:
    """This process's one connection to a cluster, and the number of sweeps that use it."""

    address: str = ""
    users: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)


_connection = Connection()


def connect(address: str) -> Any:
    """Connect to a cluster and return Ray's module; each call is undone by one `disconnect`.

    Raises UserError where Ray is not installed, nobody answers, or this process is connected to another cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        raise UserError("Ray is not installed; run `pip install -r requirements-cluster.txt`.") from error
    with _connection.guard:
        if _connection.users and _connection.address != address:
            raise UserError(
                "A sweep is running on the Ray cluster at {address}; use that one, or wait for its end.",
                address=_connection.address,
            )
        if not _connection.users:
            _join(ray, address)
        _connection.address, _connection.users = address, _connection.users + 1
    return ray


def disconnect() -> None:
    """Leave the cluster, unless another sweep uses it."""
    with _connection.guard:
        _connection.users -= 1
        if not _connection.users:
            importlib.import_module("ray").shutdown()


def _join(ray: Any, address: str) -> None:
    _check_reachable(address)
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="ERROR",
            runtime_env={"py_modules": [str(PACKAGE)], "env_vars": {"OMP_NUM_THREADS": "1"}},
        )
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise _no_cluster(address) from error


def _check_reachable(address: str) -> None:
    """Raise UserError where nobody listens: Ray itself would try for minutes. auto names no host."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal() or int(port) > LARGEST_PORT:
        if address == "auto":
            return
        raise UserError(
            "{address!r} is no address of a Ray cluster; write HOST:PORT, as 10.0.0.1:6379, or auto.", address=address
        )
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise _no_cluster(address) from error


def _no_cluster(address: str) -> UserError:
    return UserError(
        "No Ray cluster answers at {address}; start one with `ray start --head`, and the sweep on one of its nodes.",
        address=address,
    )
