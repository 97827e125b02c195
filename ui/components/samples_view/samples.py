"""Samples over a training as a payload of bounded size."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.viewer.shared.payload import encode_payload

BYTES = 300_000
TEXT_LENGTH = 4_000
"""Longer texts are cut with an ellipsis, so that one sample cannot use up the budget."""
GUESSES = 8

Entry = Mapping[str, Any]
"""A line of samples.jsonl: {"step": int, "samples": [...]}."""


def encode_samples(entries: Sequence[Entry], *, budget: int = BYTES, **header: Any) -> bytes:
    """Encode the entries in about `budget` bytes, thinned evenly with the first and the last kept.

    Samples of an unknown kind, and those that belong in a chart (a spectrum), are left out.
    """
    shown = [entry for entry in map(_plain_entry, entries) if entry["samples"]]
    return encode_payload({"entries": thin(shown, budget), **header})


def thin(entries: Sequence[dict[str, Any]], budget: int) -> list[dict[str, Any]]:
    """Thin the entries evenly to the budget; the first and the last are always kept."""
    sizes = [len(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace")) for entry in entries]
    stride = 1
    kept = list(range(len(entries)))
    while sum(sizes[index] for index in kept) > budget and len(kept) > 2:
        stride += 1
        kept = sorted({*range(0, len(entries), stride), len(entries) - 1})
    return [entries[index] for index in kept]


def _plain_entry(entry: Entry) -> dict[str, Any]:
    samples = [_ENCODERS[sample["kind"]](sample) for sample in entry["samples"] if sample.get("kind") in _ENCODERS]
    return {"step": int(entry["step"]), "samples": samples}


def _cut(value: Any) -> str:
    text = str(value)
    return text if len(text) <= TEXT_LENGTH else text[:TEXT_LENGTH] + "…"


def _encode_text(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "text", "prompt": _cut(sample["prompt"]), "text": _cut(sample["text"])}


def _encode_answer(sample: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: _cut(sample[name]) for name in ("question", "answer", "right")}
    return {"kind": "answer", **texts, "isRight": bool(sample["is_right"])}


def _encode_masked(sample: Mapping[str, Any]) -> dict[str, Any]:
    masked = [
        {
            "position": int(word["position"]),
            "right": str(word["right"]),
            "guesses": [[str(text), float(f"{float(share):.4g}")] for text, share in word["guesses"][:GUESSES]],
        }
        for word in sample["masked"]
    ]
    return {"kind": "masked", "tokens": [str(token) for token in sample["tokens"]], "masked": masked}


_ENCODERS = {"text": _encode_text, "answer": _encode_answer, "masked": _encode_masked}
