"""Split text into sentences, and encode many sentences as one flat array of token ids."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt16
from tokenizers import Tokenizer

_ABBREVIATED = """mr mrs ms messrs mme mlle dr st prof rev hon sr jr capt col gen lieut sergt
no vol fig cf vs viz etc e.g i.e"""
ABBREVIATIONS = frozenset(_ABBREVIATED.split())
"""Words whose full stop ends no sentence."""
AT_ONCE = 4096
"""Texts encoded together: a compromise between speed and the memory of their encodings."""

_END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+|[。！？]+[”’」』）]*\s*")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«—]*$")
_OPENING = "\"'“‘«([—-_"


def split_sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph, without the spaces around them.

    A sentence ends at . ! ? or … before a space, unless a small letter follows or the stop belongs to an
    abbreviation or an initial; and at 。！？ wherever they stand.
    """
    cuts = [stop.end() for stop in _END.finditer(paragraph) if _ends_sentence(paragraph, stop)]
    parts = [paragraph[begin:end].strip() for begin, end in zip([0, *cuts], [*cuts, len(paragraph)], strict=True)]
    return [part for part in parts if part]


def _ends_sentence(paragraph: str, stop: re.Match[str]) -> bool:
    if stop[0][0] in "。！？":
        return True
    following = paragraph[stop.end() : stop.end() + 8].lstrip(_OPENING)[:1]
    if following.islower():
        return False
    if stop[0].rstrip() != ".":
        return True
    before = _LAST_WORD.search(paragraph[max(0, stop.start() - 20) : stop.start()])
    word = before[0] if before else ""
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    return not is_initial and word.lower() not in ABBREVIATIONS


@dataclass(frozen=True, kw_only=True, eq=False)
class Sentences:
    """Documents as token ids: sentence k is ids[starts[k]:starts[k+1]], document d begins at sentence documents[d].

    Both arrays of offsets end with their total, so that every end is the next one's start.
    """

    ids: UInt16[np.ndarray, "token"]
    starts: Int[np.ndarray, "sentence+1"]
    documents: Int[np.ndarray, "document+1"]

    def __len__(self) -> int:
        return len(self.starts) - 1


def encode_sentences(tokenizer: Tokenizer, documents: Iterable[str]) -> Sentences:
    """Encode each document, a paragraph a line, sentence by sentence; an empty document is left out.

    Within a paragraph a sentence keeps the space before it: to a byte-level vocabulary that is part of its first word.
    """
    by_document = [sentences for document in documents if (sentences := _spaced_sentences(document))]
    ids, starts = encode_flat(tokenizer, [sentence for sentences in by_document for sentence in sentences])
    return Sentences(ids=ids, starts=starts, documents=_offsets([len(part) for part in by_document]))


def _spaced_sentences(document: str) -> list[str]:
    paragraphs = [split_sentences(line) for line in document.splitlines()]
    return [(" " if index else "") + sentence for sentences in paragraphs for index, sentence in enumerate(sentences)]


def encode_flat(tokenizer: Tokenizer, texts: list[str]) -> tuple[UInt16[np.ndarray, "token"], np.ndarray]:
    """The ids of all texts in one array, without special tokens, and their offsets; the last offset is the end."""
    parts: list[np.ndarray] = []
    for begin in range(0, len(texts), AT_ONCE):
        encodings = tokenizer.encode_batch_fast(texts[begin : begin + AT_ONCE], add_special_tokens=False)
        parts.extend(np.array(encoding.ids, dtype=np.uint16) for encoding in encodings)
    return np.concatenate([np.zeros(0, dtype=np.uint16), *parts]), _offsets([len(part) for part in parts])


def _offsets(lengths: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
