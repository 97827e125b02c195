"""Which bytes of the typed text each token covers: those that its prediction pays for.

What stands between two tokens, as the space of a vocabulary of words, belongs to the second of them; what a normaliser
drops behind a character, as an accent that it composes, to the first; other characters that it drops to none. Where a
character becomes several tokens that do not spell it, nobody can tell how much of it each of them covers.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from playground.decoding import well_formed
from playground.lens.capture.text_tokens import TextToken, text_tokens
from playground.lens.capture.tokens import encode, rust_tokenizer

if TYPE_CHECKING:
    from playground.models import LoadedModel

WORD_MARKS = ("@@", "</w>")
"""Endings of pieces in vocabularies of tokenizers written in Python: a word goes on, or ends."""
HANGUL_VOWELS_AND_FINALS = range(0x1160, 0x1200)


@dataclass(frozen=True, kw_only=True)
class TypedBytes:
    """What a person typed of a token."""

    content: bytes
    tokens: int
    """How many tokens stand for these bytes together: of several, nobody can tell which of them each stands for."""


@dataclass(frozen=True, kw_only=True)
class _ReadText:
    typed: bytes
    """Without the characters that the tokenizer drops."""
    ends: list[int | None]
    """The byte behind each token."""


def typed_ends(model: "LoadedModel", text: str) -> list[int | None]:
    """The byte of the text behind each token; None where that is not known. Raises UserError as `text_tokens` does.

    Tokens that close a text are left out.
    """
    text = well_formed(text)
    return _read_text(model.tokenizer, text, text_tokens(model, text)).ends


def typed_contents(tokenizer: object, texts: Sequence[str], tokens: Sequence[TextToken]) -> tuple[TypedBytes, ...]:
    """The typed bytes of each token of a text, or of a pair of texts."""
    found: dict[int, TypedBytes] = {}
    for segment, text in enumerate(texts):
        numbers = [number for number, token in enumerate(tokens) if token.token.segment == segment]
        read = _read_text(tokenizer, text, [tokens[number] for number in numbers])
        found |= dict(zip(numbers, _slices(read), strict=True))
    return tuple(found[number] for number in range(len(tokens)))


def _slices(read: _ReadText) -> Iterator[TypedBytes]:
    """The bytes between two ends that are known, for each of the tokens between them."""
    begin, waiting = 0, 0
    for end in read.ends:
        waiting += 1
        if end is not None:
            yield from [TypedBytes(content=read.typed[begin:end], tokens=waiting)] * waiting
            begin, waiting = end, 0
    yield from [TypedBytes(content=read.typed[begin:], tokens=waiting)] * waiting


def _read_text(tokenizer: object, text: str, tokens: Sequence[TextToken]) -> _ReadText:
    typed = text.encode()
    spelled = _spelled_ends(typed, [token.content for token in tokens])
    if spelled is not None:
        return _ReadText(typed=typed, ends=[*spelled])
    if rust_tokenizer(tokenizer) is None:
        return _ReadText(typed=typed, ends=_aligned_ends(text, tokens))
    read = zip(text, _are_read(tokenizer, text, tokens), strict=True)
    parts = [character.encode() if is_read else b"" for character, is_read in read]
    return _ReadText(typed=b"".join(parts), ends=_offset_ends(text, tokens, parts))


def covered_bytes(ends: Sequence[int | None], chosen: Sequence[bool]) -> int | None:
    """How many bytes the chosen tokens cover, of which there may be more than ends; None where that is not known.

    >>> covered_bytes([2, None, 7], [False, True, True, True]), covered_bytes([2, None, 7], [False, False, True])
    (5, None)
    """
    borders = [0, *ends, *[ends[-1] if ends else 0] * (len(chosen) - len(ends))]
    total = 0
    for border, before, behind in zip(borders, [False, *chosen], [*chosen, False], strict=True):
        if before != behind:
            if border is None:
                return None
            total += border if before else -border
    return total


def _spelled_ends(typed: bytes, contents: Sequence[bytes]) -> list[int] | None:
    """The ends of tokens that spell the typed bytes, with a space before them or without; None where they do not.

    >>> _spelled_ends(b"a cat", [b" a", b" c", b"at"])
    [1, 3, 5]
    """
    joined = b"".join(contents)
    added = len(joined) - len(typed)
    if joined != b" " * added + typed or added > 1:
        return None
    return [max(0, end - added) for end in accumulate(map(len, contents))]


def _offset_ends(text: str, tokens: Sequence[TextToken], parts: Sequence[bytes]) -> list[int | None]:
    """The ends by the characters that the tokenizer reports; parts: the bytes of each, none of those that it drops."""
    ends: list[int | None] = [0] * len(tokens)
    reached = list(accumulate(map(len, parts), initial=0))
    position = 0
    for group, following in _groups(tokens):
        start, position = tokens[group[0]].start, max(tokens[number].end for number in group)
        inner = _inner_ends(text[start:position], [tokens[number].content for number in group])
        while position < following and _is_mark(text[position]):
            position += 1
        for number, end in zip(group, inner, strict=True):
            ends[number] = None if end is None else reached[start] + end
        ends[group[-1]] = reached[position]
    return _with_template(tokens, ends, reached[-1])


def _are_read(tokenizer: object, text: str, tokens: Sequence[TextToken]) -> list[bool]:
    """Of each character, whether some token stands for it.

    tokenizers leaves characters out of its spans that it reads: the first one behind an added token where it puts a
    space (RoBERTa), and all but the last that a normaliser makes one of (ALBERT's two backticks).
    """
    are_read = [character.isspace() or _is_mark(character) for character in text]
    for token in tokens:
        are_read[token.start : token.end] = [True] * (token.end - token.start)
    left = {character for character, is_read in zip(text, are_read, strict=True) if not is_read}
    kept = {character for character in left if any(not token.special for token in encode(tokenizer, character))}
    return [is_read or character in kept for character, is_read in zip(text, are_read, strict=True)]


def _groups(tokens: Sequence[TextToken]) -> Iterator[tuple[list[int], int]]:
    """Tokens that share characters, and where the characters of the next ones begin."""
    group: list[int] = []
    reach = 0
    for number, token in enumerate(tokens):
        if token.is_template:
            continue
        if group and token.start >= reach:
            yield group, token.start
            group = []
        group.append(number)
        reach = max(reach, token.end)
    if group:
        yield group, reach


def _inner_ends(typed: str, contents: list[bytes]) -> list[int | None]:
    """The ends of tokens that share characters, from the first of these on."""
    if len(contents) > 1 and contents[0] == b" " and not typed[:1].isspace():
        # The tokenizer put a space before the text, and says that it is the first character.
        return [0, *_inner_ends(typed, contents[1:])]
    written = b"".join(contents).decode(errors="replace").removeprefix("" if typed[:1].isspace() else " ")
    is_spelled = [len(c.encode()) for c in written] == [len(c.encode()) for c in typed]
    ends = _spelled_ends(written.encode(), contents) if is_spelled else None
    return [*ends] if ends is not None else [*[None] * (len(contents) - 1), len(typed.encode())]


def _is_mark(character: str) -> bool:
    """Whether a character goes with the one before it, which a normaliser may compose of both."""
    base = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(base).startswith("M") or ord(base) in HANGUL_VOWELS_AND_FINALS


def _aligned_ends(text: str, tokens: Sequence[TextToken]) -> list[int | None]:
    """The ends of pieces found one after another in the text, up to the first that is not where it should be."""
    ends: list[int | None] = []
    reached = list(accumulate((len(character.encode()) for character in text), initial=0))
    position: int | None = 0
    for token in tokens:
        if position is not None and not token.is_template:
            piece = token.content.decode("utf-8", "replace")
            position = None if token.is_unknown else _end_of_piece(text, position, piece)
        ends.append(None if position is None else reached[position])
    return _with_template(tokens, ends, reached[-1])


def _end_of_piece(text: str, position: int, piece: str) -> int | None:
    """Where a piece ends in the text, in small letters or as it is; None where something else stands there."""
    bare, behind_gap = piece, position
    for mark in WORD_MARKS:
        bare = bare.removesuffix(mark)
    while text[behind_gap : behind_gap + 1].isspace():
        behind_gap += 1
    for form in dict.fromkeys((piece, bare, bare.lstrip(" "))):
        for start in (position, behind_gap):
            if text[start : start + len(form)].lower() == form.lower():
                return start + len(form) if form else position
    return None


def _with_template(tokens: Sequence[TextToken], ends: list[int | None], last: int) -> list[int | None]:
    """The ends with those of the template's tokens, which cover nothing, and of the last one, which ends the text."""
    typed = [number for number, token in enumerate(tokens) if not token.is_template]
    if typed:
        ends[typed[-1] :] = [last] * (len(tokens) - typed[-1])
    for number, token in enumerate(tokens):
        if token.is_template and (not typed or number < typed[-1]):
            ends[number] = ends[number - 1] if number else 0
    return ends
