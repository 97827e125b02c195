"""A line between browsers and a server that can be cut and mended, as when a proxy restarts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"


@dataclass(kw_only=True)
class Relay:
    """Passes on what comes to a port of its own."""

    server: int
    """The port that it passes on to."""
    listener: socket.socket
    is_cut: bool = False
    _ends: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.listener.getsockname()[1]}"

    def cut(self) -> None:
        """End every connection, and every new one at once."""
        self.is_cut = True
        for end in self._ends:
            _shut(end)
        self._ends.clear()

    def mend(self) -> None:
        """Let new connections through."""
        self.is_cut = False

    def accept(self) -> None:
        """Until the listener is closed."""
        with suppress(OSError):
            while True:
                browser, _ = self.listener.accept()
                if self.is_cut:
                    browser.close()
                    continue
                server = socket.create_connection((LOOPBACK, self.server))
                self._ends += [browser, server]
                for ends in ((browser, server), (server, browser)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()


@contextmanager
def relay(server: int) -> Iterator[Relay]:
    """A line to a server's port of loopback; it ends with the block."""
    listener = socket.create_server((LOOPBACK, 0))
    line = Relay(server=server, listener=listener)
    threading.Thread(target=line.accept, daemon=True).start()
    try:
        yield line
    finally:
        _shut(listener)
        listener.close()
        line.cut()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(1 << 16):
            target.sendall(content)
    _shut(source)
    _shut(target)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
