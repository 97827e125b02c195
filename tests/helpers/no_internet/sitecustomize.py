"""On a PYTHONPATH: a process reaches this machine alone; each try to reach another is a line in $NO_INTERNET_LOG."""

import ipaddress
import os
import socket
from typing import Any

_connect, _look_up = socket.socket.connect, socket.getaddrinfo


def _refuse(what: object) -> None:
    with open(os.environ["NO_INTERNET_LOG"], "a") as log:
        log.write(f"{what!r}\n")
    raise OSError(101, "Network is unreachable")


def _is_here(host: object) -> bool:
    name = str(host if not isinstance(host, bytes) else host.decode())
    if name in ("", "localhost", "None"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name == socket.gethostname()
    return address.is_loopback or address.is_unspecified


def connect(self: socket.socket, address: Any) -> None:
    if self.family != socket.AF_UNIX and not _is_here(address[0]):
        _refuse(address)
    _connect(self, address)


def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
    if not _is_here(host):
        _refuse(host)
    return _look_up(host, *arguments, **options)


socket.socket.connect = connect  # type: ignore[method-assign]
socket.getaddrinfo = look_up
