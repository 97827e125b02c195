"""Read texts with a stranger's tokenizer in a process of its own: it may take all time and memory, or panic.

Run by its path, so that nothing of the app is imported. A message is its length in 8 bytes and JSON. The first one
names a tokenizer ({"path"} or {"settings"}), every one texts and a time ({"texts", "seconds"}), and each is answered
with {"seconds"} or {"error"}. Beyond its time the system ends the process.
"""

import json
import struct
import sys
import time
from typing import Any

MEGABYTES = 3072
SHOWN_LETTERS = 200


def limit_memory() -> None:
    """Let the system refuse more memory than the largest vocabularies take; write no file."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the waiting process ends this one in time
        return
    for name, most in (("RLIMIT_AS", MEGABYTES << 20), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)):
        resource.setrlimit(getattr(resource, name), (most, most))


def limit_time(seconds: int) -> None:
    """Let the system end this process after so many more seconds of work."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def read_message() -> dict[str, Any] | None:
    """The next message; None where the other side is gone."""
    head = sys.stdin.buffer.read(8)
    if len(head) < 8:
        return None
    (length,) = struct.unpack("<Q", head)
    message: dict[str, Any] = json.loads(sys.stdin.buffer.read(length))
    return message


def write_message(message: dict[str, Any]) -> None:
    """Answer."""
    text = json.dumps(message).encode()
    sys.stdout.buffer.write(struct.pack("<Q", len(text)) + text)
    sys.stdout.buffer.flush()


def serve() -> None:
    """Load the tokenizer, then read texts until nobody asks."""
    from tokenizers import Tokenizer

    tokenizer: Any = None
    while (message := read_message()) is not None:
        limit_time(message["seconds"])
        try:
            if tokenizer is None:
                source = message["path"] if "path" in message else message["settings"]
                tokenizer = Tokenizer.from_file(source) if "path" in message else Tokenizer.from_str(source)
                tokenizer.no_padding()
                tokenizer.no_truncation()
            write_message({"seconds": _read(tokenizer, message.get("texts", ()))})
        except BaseException as error:  # a panic of the Rust library is no Exception
            write_message({"error": (str(error).strip() or type(error).__name__)[:SHOWN_LETTERS]})
            return


def _read(tokenizer: Any, texts: list[str]) -> float:
    """The seconds of work that the slowest text takes; each is read as the app reads it."""
    slowest = 0.0
    for text in texts:
        start = time.process_time()
        tokenizer.encode(text)
        slowest = max(slowest, time.process_time() - start)
    return slowest


if __name__ == "__main__":
    limit_memory()
    serve()
