"""A visitor of a lesson: thinks, types a text, chooses a head, opens a page or a run; what that took is written down.

Six in ten texts are those of the lesson, which all visitors type at about the same time; the rest are his own.
"""

import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.seat import Seat, Seen, header_of

TEXT_AREA, VIEW = "live_text", "attention"
SHARED = 0.6
"""How often a text is the lesson's."""
LESSON_SECONDS = 30.0
"""How long the lesson stays with a text."""
LESSON = (
    "The cat sat on the mat because it was tired",
    "The old man gave the boy a book and the boy read it",
    "When the rain stopped the children ran into the garden",
    "She opened the door and saw the sea for the first time",
    "The king asked the queen what the queen had seen",
    "Once upon a time there was a little house in a deep wood",
    "The dog that chased the cat was faster than the cat",
    "He said that he would come but he did not come",
)
WORDS = (
    *("the", "a", "small", "old", "bright", "cat", "dog", "river", "house", "garden", "king", "child", "book", "night"),
    *("ran", "slept", "sang", "found", "looked", "walked", "under", "over", "behind", "and", "but", "when", "slowly"),
)
OTHER_PAGES = ("inside", "generate", "tokens", "ablate", "scaling", "evaluate", "emergence", "glossary", "train")
ACTIONS = {"text": 50, "head": 20, "page": 15, "run": 15}
"""How often each thing is done, of a hundred."""
MODELS = ("books-decoder", "books-decoder", "books-decoder", "books-encoder")


@dataclass(kw_only=True)
class Ledger:
    """What all visitors of a measurement have seen. All methods are thread-safe."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    """By what was done, in the order in which it ended."""
    errors: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, kind: str, seconds: float) -> None:
        """Write down how long something took."""
        with self._guard:
            self.seconds.setdefault(kind, []).append(seconds)

    def blame(self, error: str) -> None:
        """Write down something that should not have been."""
        with self._guard:
            self.errors.append(error)

    def check(self, seen: Seen, what: str) -> None:
        """Blame each box of an error on the page."""
        for sentence in errors_of(seen):
            self.blame(f"{what}: {sentence}")


def errors_of(seen: Seen) -> list[str]:
    """The error boxes of a run of a script: those that nobody caught, and our own sentences in red."""
    alerts = [element for element in seen.elements if isinstance(element, Alert)]
    return seen.exceptions + [alert.body for alert in alerts if alert.format == Alert.ERROR]


class Visitor:
    """One person at one seat. Not thread-safe: a thread of its own for each."""

    def __init__(self, seat: Seat, *, seed: int, ledger: Ledger, runs: Sequence[str] = ()) -> None:
        self._seat, self._ledger, self._runs = seat, ledger, runs
        self._dice = random.Random(seed)
        self._model = self._dice.choice(MODELS)
        self._states: dict[str, WidgetState] = {}
        self._area, self._view, self._text = "", "", ""
        self._revisions: dict[str, Any] = {}
        self._header: dict[str, Any] = {}

    def arrive(self) -> float:
        """Open the attention page; returns the moment at which the overview came."""
        began = time.monotonic()
        self._states.clear()
        self._header = {}
        seen = self._seat.open(model=self._model)
        painted = self._take(seen, "the first page")
        if painted is None:
            self._ledger.blame("the first page: no overview came")
        return painted or began

    def stay(self, until: float, think: tuple[float, float]) -> None:
        """Think, do something, think again."""
        while time.monotonic() < until:
            pause = min(self._dice.uniform(*think), max(0.0, until - time.monotonic()))
            for seen in self._seat.think(pause, self._states.values()):
                self._ledger.check(seen, "a fragment")
            if time.monotonic() < until:
                self.act(self._dice.choices(list(ACTIONS), weights=list(ACTIONS.values()))[0])

    def act(self, action: str) -> None:
        """Do one thing. Texts are typed and heads chosen on the attention page, to which he goes back first."""
        if action == "page" or (action == "run" and not self._runs):
            self._open("page", self._dice.choice(OTHER_PAGES))
        elif action == "run":
            self._open("run", "train", run=self._dice.choice(self._runs))
        else:
            if not self._area:
                began = time.monotonic()
                self._ledger.note("page", self.arrive() - began)
            if action == "text":
                self._type(self._next_text())
            else:
                self._choose_head()

    def _open(self, kind: str, page: str, **query: str) -> None:
        self._states.clear()
        self._area = ""
        began = time.monotonic()
        seen = self._seat.open(page, **query)
        self._ledger.note(kind, time.monotonic() - began)
        self._ledger.check(seen, page)

    def _next_text(self) -> str:
        if self._dice.random() < SHARED:
            turn = int(time.monotonic() / LESSON_SECONDS)
            return next(text for text in lesson_from(turn) if text != self._text)
        return " ".join(self._dice.choices(WORDS, k=self._dice.randint(6, 16)))

    def _type(self, text: str) -> None:
        """Report a text, as the text area does half a second after the last key; until the heads of it are there."""
        before, self._text = self._header.get("trace"), text
        report = {"text": {"value": text, "revision": self._revisions[self._area]}}
        began = time.monotonic()
        painted = self._take(self._report(self._area, report), "a text")
        if painted is None or self._header.get("trace") == before:
            self._ledger.blame("a text: no overview of it came")
        else:
            self._ledger.note("overview", painted - began)
            self._ledger.note("overview, shared" if text in LESSON else "overview, own", painted - began)

    def _choose_head(self) -> None:
        layer, head = (self._dice.randrange(int(self._header[name])) for name in ("layers", "heads"))
        selected = {"layer": layer, "head": head, "combine": "head"}
        report = {"view": {"selected": selected, "settings": {}, "revision": self._header["revision"]}}
        began = time.monotonic()
        seen = self._report(self._view, report)
        self._take(seen, "a head")
        came = [moment for moment, element in seen.components("head") if _names(element, layer, head)]
        if came:
            self._ledger.note("head", came[-1] - began)
        else:
            self._ledger.blame("a head: its map did not come")

    def _report(self, widget: str, report: Mapping[str, Any]) -> Seen:
        self._states[widget] = WidgetState(id=widget, json_value=json.dumps(report))
        return self._seat.send(self._states.values())

    def _take(self, seen: Seen, what: str) -> float | None:
        """Remember the page's text area and view; returns when the overview came, None where none did."""
        self._ledger.check(seen, what)
        painted = None
        for moment, element in seen.components(VIEW):
            self._view, self._header, painted = element.id, header_of(element.bytes), moment
        for _moment, element in seen.components(TEXT_AREA):
            if element.id.endswith("-text_area"):
                self._area = element.id
                data = json.loads(element.json)
                self._revisions[element.id] = data["revision"]
                self._text = data["value"]  # a text goes along to other pages and comes back
        return painted


def _names(element: Any, layer: int, head: int) -> bool:
    header = header_of(element.bytes)
    return bool(header["layer"] == layer and header["head"] == head)


def lesson_from(turn: int) -> tuple[str, ...]:
    """The lesson's texts, beginning with that of a turn."""
    start = turn % len(LESSON)
    return LESSON[start:] + LESSON[:start]
