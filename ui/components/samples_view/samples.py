"""Samples over a training as the few bytes that a browser needs: what a person reads, bounded."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ui.components.shared.payload import encode_payload

BYTES = 300_000
TEXT_LENGTH = 4_000
"""Longer texts are cut, with an ellipsis, so that one sample cannot fill the budget."""
GUESSES = 8

Entry = Mapping[str, Any]
"""A line of samples.jsonl: {"step": int, "samples": [...]}."""


def encode_samples(entries: Sequence[Entry], *, budget: int = BYTES, **header: Any) -> bytes:
    """Return the entries in about `budget` bytes; too many are thinned evenly, the first and the last kept.

    Entries without anything to read (a spectrum belongs in a chart) are left out, samples of an unknown kind too.
    """
    shown = [entry for entry in map(_plain_entry, entries) if entry["samples"]]
    return encode_payload({"entries": thin(shown, budget), **header})


def thin(entries: Sequence[dict[str, Any]], budget: int) -> list[dict[str, Any]]:
    """Entries evenly spread, as many as the budget has room for, and always the first and the last."""
    sizes = [len(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace")) for entry in entries]
    stride = 1
    kept = list(range(len(entries)))
    while sum(sizes[index] for index in kept) > budget and len(kept) > 2:
        stride += 1
        kept = sorted({*range(0, len(entries), stride), len(entries) - 1})
    return [entries[index] for index in kept]


def _plain_entry(entry: Entry) -> dict[str, Any]:
    samples = [_SHAPES[sample["kind"]](sample) for sample in entry["samples"] if sample.get("kind") in _SHAPES]
    return {"step": int(entry["step"]), "samples": samples}


def _cut(text: Any) -> str:
    words = str(text)
    return words if len(words) <= TEXT_LENGTH else words[:TEXT_LENGTH] + "…"


def _text(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "text", "prompt": _cut(sample["prompt"]), "text": _cut(sample["text"])}


def _answer(sample: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: _cut(sample[name]) for name in ("question", "answer", "right")}
    return {"kind": "answer", **words, "isRight": bool(sample["is_right"])}


def _masked(sample: Mapping[str, Any]) -> dict[str, Any]:
    masked = [
        {
            "position": int(word["position"]),
            "right": str(word["right"]),
            "guesses": [[str(text), float(f"{float(share):.4g}")] for text, share in word["guesses"][:GUESSES]],
        }
        for word in sample["masked"]
    ]
    return {"kind": "masked", "tokens": [str(token) for token in sample["tokens"]], "masked": masked}


_SHAPES = {"text": _text, "answer": _answer, "masked": _masked}
