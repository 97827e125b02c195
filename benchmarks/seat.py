"""A seat: a visitor that speaks the server's own protocol, as Streamlit's front end does, without a browser."""

import json
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from google.protobuf.message import Message  # type: ignore[import-untyped]
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

PATIENCE_SECONDS = 240.0
KEPT_RUNS = 2
"""Runs of a script after which the front end forgets a message that it could be told by its hash."""


@dataclass(kw_only=True)
class Seen:
    """What one run of a script showed."""

    finished: bool = False
    elements: list[Message] = field(default_factory=list)
    """The elements, as their own messages."""
    times: list[float] = field(default_factory=list)
    """When each of them came, on the monotonic clock."""
    texts: list[tuple[str, str]] = field(default_factory=list)
    """(where, text) of every string that was sent."""

    @property
    def exceptions(self) -> list[str]:
        """The boxes of errors that nobody caught."""
        return [element.message for element in self.elements if element.DESCRIPTOR.name == "Exception"]

    def widgets(self) -> dict[str, str]:
        """What kind each widget is, by its id."""
        return {element.id: element.DESCRIPTOR.name for element in self.elements if getattr(element, "id", "")}

    def components(self, name: str) -> Iterator[tuple[float, Any]]:
        """When each element of one of our components came, and the element."""
        for moment, element in zip(self.times, self.elements, strict=True):
            if getattr(element, "component_name", "") == f"playground_{name}":
                yield moment, element


class Seat:
    """A session of the app."""

    def __init__(self, address: str, *, headers: Mapping[str, str] | None = None) -> None:
        self._address = address.replace("http", "ws", 1)
        self._socket: ClientConnection = connect(
            f"{self._address}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            additional_headers=headers,
            max_size=None,
            ping_interval=None,  # a busy machine answers late
        )
        self.page, self.query, self.page_hash = "", "", ""
        self.polls: dict[str, float] = {}
        """The fragments that ask to be run again, and after how many seconds."""
        self._kept: dict[str, tuple[int, ForwardMsg]] = {}
        self._runs = 0

    def open(self, page: str = "", **query: str) -> Seen:
        """Go to a page's own address."""
        self.page, self.query, self.page_hash = page, urlencode(query), ""
        return self.send(())

    def send(self, states: Iterable[WidgetState], *, fragment: str = "", polled: bool = False) -> Seen:
        """Run the page's script again with these states of its widgets."""
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_name, run.page_script_hash = self.query, self.page, self.page_hash
        run.fragment_id, run.is_auto_rerun = fragment, polled
        run.widget_states.widgets.extend(states)
        run.cached_message_hashes.extend(self._kept)
        self.send_bytes(message.SerializeToString())
        return self.read()

    def send_bytes(self, content: bytes) -> None:
        """Send whatever bytes."""
        self._socket.send(content)

    def read(self) -> Seen:
        """Everything up to the end of a run of the script."""
        seen, end = Seen(), time.monotonic() + PATIENCE_SECONDS
        while not seen.finished:
            content = self._socket.recv(timeout=max(0.0, end - time.monotonic()), decode=False)
            message = self._recall(ForwardMsg.FromString(bytes(content)))
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self.page_hash = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "script_finished":
                # A run that gave way to another one is followed by that one.
                seen.finished = message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            elif kind == "delta":
                _keep(seen, message.delta)
            else:
                self._note_polls(message)
        self._forget()
        return seen

    def think(self, seconds: float, states: Iterable[WidgetState] = ()) -> list[Seen]:
        """Leave the page alone for so long; what its fragments that run by themselves showed meanwhile."""
        end, seen, kept = time.monotonic() + seconds, [], tuple(states)
        due = {name: time.monotonic() + interval for name, interval in self.polls.items()}
        while (now := time.monotonic()) < end:
            name = min(due, key=lambda name: due[name], default=None)
            if name is None or due[name] >= end:
                time.sleep(end - now)
            elif due[name] > now:
                time.sleep(due[name] - now)
            else:
                seen.append(self.send(kept, fragment=name, polled=True))
                due = {name: max(due.get(name, 0.0), now + interval) for name, interval in self.polls.items()}
        return seen

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def drop(self) -> None:
        """Vanish without a word."""
        self._socket.socket.close()

    def _recall(self, message: ForwardMsg) -> ForwardMsg:
        """The message itself, where the server has sent only the hash of one that we keep."""
        if message.WhichOneof("type") == "ref_hash":
            message = self._kept[message.ref_hash][1]
        if message.metadata.cacheable:
            self._kept[message.hash] = (self._runs, message)
        return message

    def _forget(self) -> None:
        self._runs += 1
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > self._runs - KEPT_RUNS - 1}

    def _note_polls(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self.polls.clear()
        elif kind == "auto_rerun":
            self.polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                self.polls.pop(name, None)


def header_of(payload: bytes) -> dict[str, Any]:
    """The header of a component's payload (`playground.viewer.shared.payload`)."""
    (length,) = struct.unpack_from("<I", payload)
    header: dict[str, Any] = json.loads(payload[4 : 4 + length])
    return header


def _keep(seen: Seen, delta: Any) -> None:
    if delta.WhichOneof("type") == "new_element":
        kind = delta.new_element.WhichOneof("type")
        if kind is not None:
            seen.elements.append(getattr(delta.new_element, kind))
            seen.times.append(time.monotonic())
    seen.texts.extend(strings_in(delta))


def strings_in(message: Message, where: str = "") -> Iterable[tuple[str, str]]:
    """Every string in a message, with the names of the fields that lead there."""
    for descriptor, value in message.ListFields():
        path = f"{where}.{descriptor.name}" if where else descriptor.name
        values = value if descriptor.is_repeated and not hasattr(value, "items") else [value]
        for one in values:
            if isinstance(one, Message):
                yield from strings_in(one, path)
            elif isinstance(one, str):
                yield path, one
