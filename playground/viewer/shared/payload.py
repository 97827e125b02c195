"""Payloads for components: u32 length of a JSON header, the header, then aligned arrays."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

_ALIGNMENT = 8


def encode_payload(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]] | None = None) -> bytes:
    """Encode a header and arrays; `sections` in the header holds offset, length and type of each array.

    Raises ValueError for a number that JSON cannot hold.
    """
    sections, chunks, offset = {}, [], 0
    for name, array in (arrays or {}).items():
        body = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        body += bytes(-len(body) % _ALIGNMENT)
        sections[name] = {
            "offset": offset,
            "length": array.size,
            "dtype": array.dtype.name,
            "shape": array.shape,
        }
        chunks.append(body)
        offset += len(body)
    text = json.dumps({**header, "sections": sections}, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    text += b" " * (-(len(text) + 4) % _ALIGNMENT)
    return struct.pack("<I", len(text)) + text + b"".join(chunks)
