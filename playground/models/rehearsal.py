"""Rehearse: read a text with a stranger's tokenizer in a process that can be given up, before this one reads it.

Python can end no thread, and a regular expression in a thread may hold the interpreter with everybody in it. What the
process has read in good time is read again here, in the same time; what it has not is refused, and remembered.
"""

import atexit
import json
import os
import re
import select
import struct
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from tokenizers import Encoding, Tokenizer

from playground.errors import UserError
from playground.models.tokenizer_risks import LONG_TEXT, Risk, has_tame_decoder, risk_of

CPU_SECONDS = 1
"""What a text may take. 40,000 characters take a tenth of a second with every published tokenizer."""
LOAD_CPU_SECONDS, WALL_SECONDS = 20, 60.0
"""A vocabulary of 256,000 tokens loads in 2 seconds; on a busy machine time passes while others work."""
MOST_PROCESSES = 3
REMEMBERED = 20_000
WORKER = Path(__file__).with_name("tokenizer_worker.py")
TOO_SLOW = "it takes too much time or memory"


class TokenizerProcess:
    """A process that reads texts with one tokenizer."""

    def __init__(self, source: dict[str, str]) -> None:
        self.guard = Lock()
        self._source: dict[str, Any] | None = source
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        # Without the environment, whose secrets a stranger's tokenizer has no business with.
        self._process = subprocess.Popen([sys.executable, "-I", "-X", "utf8", str(WORKER)], env={}, **pipes)

    def read(self, texts: tuple[str, ...]) -> str | None:
        """None where all texts were read in good time, otherwise why not. Then the process has ended."""
        failure = self._load() if self._source is not None else None
        return failure or self._ask({"texts": texts, "seconds": CPU_SECONDS})

    def _load(self) -> str | None:
        source, self._source = self._source, None
        return self._ask({**(source or {}), "texts": (), "seconds": LOAD_CPU_SECONDS})

    def _ask(self, message: dict[str, Any]) -> str | None:
        answer = self._answer(message)
        if answer is None:
            self.end()
            return TOO_SLOW
        if "error" in answer:
            self.end()
            return str(answer["error"])
        return TOO_SLOW if answer["seconds"] > max(CPU_SECONDS, message["seconds"]) else None

    def _answer(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """What the process answers; None where it takes too long or has died."""
        assert self._process.stdin is not None
        content = json.dumps(message).encode()
        try:
            self._process.stdin.write(struct.pack("<Q", len(content)) + content)
            self._process.stdin.flush()
            end = time.monotonic() + WALL_SECONDS
            head = self._read_bytes(8, end)
            body = None if head is None else self._read_bytes(struct.unpack("<Q", head)[0], end)
        except OSError:
            return None
        answer: dict[str, Any] | None = None if body is None else json.loads(body)
        return answer

    def _read_bytes(self, count: int, end: float) -> bytes | None:
        assert self._process.stdout is not None
        content = b""
        while len(content) < count:
            if not select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            part = os.read(self._process.stdout.fileno(), count - len(content))
            if not part:
                return None
            content += part
        return content

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Rehearsals:
    """The server's processes, one for each tokenizer that needs one, the least recently used ended first."""

    def __init__(self) -> None:
        self._processes: OrderedDict[str, TokenizerProcess] = OrderedDict()
        self._outcomes: LRUCache[tuple[str, bytes], str | None] = LRUCache(REMEMBERED)
        self._guard = Lock()

    def read(self, key: str, source: Callable[[], dict[str, str]], texts: tuple[str, ...]) -> str | None:
        """None where the tokenizer of that key reads all texts in good time, otherwise why not."""
        known = (key, sha256(json.dumps(texts).encode()).digest())
        with self._guard:
            if known in self._outcomes:
                return self._outcomes[known]
        failure = self._read_apart(key, source, texts)
        with self._guard:
            self._outcomes[known] = failure
        return failure

    def _read_apart(self, key: str, source: Callable[[], dict[str, str]], texts: tuple[str, ...]) -> str | None:
        while True:
            process = self._process(key, source)
            with process.guard:
                if not process.is_over:
                    return process.read(texts)
            # The text of somebody who came before has ended it: that is not the fault of these.
            with self._guard:
                if self._processes.get(key) is process:
                    del self._processes[key]

    def _process(self, key: str, source: Callable[[], dict[str, str]]) -> TokenizerProcess:
        with self._guard:
            if key not in self._processes:
                self._processes[key] = TokenizerProcess(source())
            self._processes.move_to_end(key)
            idle = [other for other in self._processes if other != key and not self._processes[other].guard.locked()]
            for other in idle[: max(0, len(self._processes) - MOST_PROCESSES)]:
                self._processes.pop(other).end()
            return self._processes[key]

    def close(self) -> None:
        """End all processes."""
        with self._guard:
            while self._processes:
                self._processes.popitem()[1].end()


@cache
def rehearsals() -> Rehearsals:
    """The processes of this server; they end with it."""
    processes = Rehearsals()
    atexit.register(processes.close)
    return processes


def rehearse(tokenizer: Tokenizer, *texts: str | None) -> None:
    """Raise UserError for a text that the tokenizer fails on, or takes more than CPU_SECONDS for.

    Costs nothing for tokenizers that are sure to be quick, and a millisecond for others.
    """
    risky = risky_texts(tokenizer, *texts)
    if not risky:
        return
    if tokenizer not in _keys:
        _keys[tokenizer] = sha256(tokenizer.to_str().encode()).hexdigest()
    failure = rehearsals().read(_keys[tokenizer], lambda: {"settings": tokenizer.to_str()}, risky)
    if failure is not None:
        raise _refusal(failure)


def risky_texts(tokenizer: Tokenizer, *texts: str | None) -> tuple[str, ...]:
    """Those of the texts that the tokenizer is not sure to read quickly."""
    if tokenizer not in _risks:
        _risks[tokenizer] = risk_of(tokenizer)
    risk = _risks[tokenizer]
    return tuple(text for text in texts if text and (risk == "any" or (risk == "long" and len(text) > LONG_TEXT)))


_risks: WeakKeyDictionary[Tokenizer, Risk] = WeakKeyDictionary()
_keys: WeakKeyDictionary[Tokenizer, str] = WeakKeyDictionary()


def encoding_of(
    tokenizer: Tokenizer, text: str, pair: str | None = None, *, add_special_tokens: bool = True
) -> Encoding:
    """What the tokenizer makes of a text, or of two. Raises UserError as `rehearse` does, and where it panics."""
    rehearse(tokenizer, text, pair)
    try:
        return tokenizer.encode(text, pair, add_special_tokens=add_special_tokens)
    except BaseException as error:
        if type(error) is not Exception and not is_panic(error):  # the library's own are of no narrower type
            raise
        raise _refusal(str(error)) from error


def is_panic(error: BaseException) -> bool:
    """Whether the Rust library has panicked, which is no Exception and would end a thread without a word."""
    return type(error).__name__ == "PanicException"


def rehearse_file(path: Path, name: str, *texts: str) -> None:
    """Raise UserError for a tokenizer.json that cannot be opened, or takes too long for the texts.

    It may lack their words. Only what holds a regular expression, or hides what it holds, is opened apart.
    """
    content = path.read_bytes()
    if not DOUBTFUL.search(content):
        return
    key = sha256(content).hexdigest()
    failure = rehearsals().read(key, lambda: {"path": str(path.resolve())}, texts)
    if failure is not None and not LACKS_WORDS.search(failure):
        raise UserError("The tokenizer of {name} cannot be read: {reason}.", name=name, reason=failure)


LACKS_WORDS = re.compile(r"Missing \[UNK\]|`unk_id` is missing|Unk token .* not found", re.IGNORECASE)
"""What the library says of a text whose words are not in the vocabulary, which has no token for such words."""


def check_decoder(tokenizer: Any, name: str) -> None:
    """Raise UserError for a tokenizer that may take for ever to make a text of ids."""
    rust = tokenizer if isinstance(tokenizer, Tokenizer) else getattr(tokenizer, "backend_tokenizer", None)
    if rust is not None and not has_tame_decoder(rust):
        raise UserError(
            "The tokenizer of {name} puts texts together with a regular expression that may never end; such "
            "tokenizers are not opened.",
            name=name,
        )


DOUBTFUL = re.compile(rb'"Regex"|"Replace"|"Prepend"|max_input_chars_per_word|\\u00[2-7]')
"""In a tokenizer.json; letters that are written as numbers could spell any of them."""


def _refusal(failure: str) -> UserError:
    if failure == TOO_SLOW:
        return UserError(
            "The tokenizer takes more than {seconds} s for this text, which none needs; shorten the text, or choose "
            "another model.",
            seconds=CPU_SECONDS,
        )
    return UserError("The tokenizer fails on this text: {reason}", reason=failure)
