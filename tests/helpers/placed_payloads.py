"""What stands on a page without a server, read as its scripts read it."""

import base64
import html
import re
from typing import Any

import numpy as np

from tests.e2e.components.test_payload import decode

PAYLOAD = re.compile(r'<script type="text/plain" data-of="([\w-]+)" data-kind="(\w+)">([^<]*)</script>')
FRAME = re.compile(r'srcdoc="([^"]*)"')


def payloads(page: str) -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Header and arrays of everything on the page, in its order."""
    return [decode(base64.b64decode(text)) for _place, _kind, text in PAYLOAD.findall(page)]


def framed(output: str) -> str:
    """The page in the frame of a cell's output."""
    return html.unescape(FRAME.findall(output)[0])


def exact_maps(page: str) -> dict[tuple[str, int, int], np.ndarray]:
    """Each exact map, full, by the name of its trace, layer and head."""
    found = {}
    for header, arrays in payloads(page):
        if header["kind"] != "head":
            continue
        size = header["rows"], header["columns"]
        full = arrays["map"].reshape(size) if header["packing"] == "full" else np.zeros(size, dtype=np.float32)
        if header["packing"] == "lower":
            full[np.tril_indices(size[0])] = arrays["map"]
        found[header["trace"], header["layer"], header["head"]] = full
    return found
