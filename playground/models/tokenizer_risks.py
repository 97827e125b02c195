"""Which parts of a tokenizer may never end on some text: regular expressions, and replacements that grow.

`(a+)+$` tries every way to part a run of letters, and forty replacements of a by aa make a terabyte of one letter. What
is not sure to be quick is read in a process of its own first (`rehearsal`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from tokenizers import Tokenizer

Risk = Literal["none", "long", "any"]
"""Which texts may take too long: none, those that are long, any."""
LONG_TEXT = 2_000
"""Characters. One repetition costs at most the square of a text's length."""
LONGEST_PATTERN = 10_000
MOST_GROWTH = 16
"""How many times longer a text may become by replacements."""
USUAL_WORD = 1_000
"""Characters of the longest word that WordPiece cuts: it tries every end for every start."""


def risk_of(tokenizer: Tokenizer) -> Risk:
    """The risk of reading a text."""
    parts = (tokenizer.normalizer, tokenizer.pre_tokenizer)
    risk = worst(risk for part in parts if part is not None for risk in _risks(_state(part)))
    growth = 1.0 if tokenizer.normalizer is None else growth_of(_state(tokenizer.normalizer))
    word = getattr(tokenizer.model, "max_input_chars_per_word", 0) or 0
    return "any" if growth > MOST_GROWTH else worst([risk, "long" if word > USUAL_WORD else "none"])


def has_tame_decoder(tokenizer: Tokenizer) -> bool:
    """Whether ids are sure to become a text quickly. Nothing that models use has another decoder."""
    if tokenizer.decoder is None:
        return True
    state = _state(tokenizer.decoder)
    return worst(_risks(state)) != "any" and growth_of(state) <= MOST_GROWTH


def worst(risks: Iterable[Risk]) -> Risk:
    """The worst of some risks."""
    found = set(risks)
    return "any" if "any" in found else "long" if "long" in found else "none"


def _state(part: Any) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(part.__getstate__())
    return state


def _risks(state: Any) -> Iterator[Risk]:
    """The risk of every regular expression in a part's settings."""
    for pattern in _patterns(state):
        if "Regex" in pattern:
            yield pattern_risk(str(pattern["Regex"]))


def _patterns(state: Any) -> Iterator[Mapping[str, Any]]:
    for part in _parts(state):
        if isinstance(part.get("pattern"), dict):
            yield part["pattern"]


def _parts(state: Any) -> Iterator[dict[str, Any]]:
    """A part and everything in it."""
    if isinstance(state, dict):
        yield state
        for inner in state.values():
            yield from _parts(inner)
    elif isinstance(state, list):
        for inner in state:
            yield from _parts(inner)


def growth_of(state: Any) -> float:
    """How many times longer replacements and prefixes may make a text, one after the other."""
    growth = 1.0
    for part in _parts(state):
        if part.get("type") in ("Replace", "Prepend"):
            pattern = part.get("pattern")
            replaced = pattern.get("String", "") if isinstance(pattern, dict) else ""
            added = part.get("content", part.get("prepend", ""))
            growth *= max(1.0, len(str(added)) / max(1, len(replaced)))
    return growth


def pattern_risk(pattern: str) -> Risk:
    """What a regular expression may cost, told from its spelling alone; a doubtful one may cost anything.

    >>> pattern_risk(r"[\\s\\S]"), pattern_risk(r"\\w+|[^\\w\\s]"), pattern_risk("(a+)+$"), pattern_risk("a?a?a?aaa")
    ('none', 'long', 'any', 'any')
    """
    if len(pattern) > LONGEST_PATTERN:
        return "any"
    repeats, most, depth, index = 0, 0, 0, 0
    while index < len(pattern):
        sign = pattern[index]
        if sign == "\\":
            if pattern[index + 1 : index + 2].isdigit() or pattern[index + 1 : index + 2] in ("k", "g"):
                return "any"  # what a group has matched before
            index += 1
        elif sign == "[":
            index = _class_end(pattern, index)
        elif sign == "(":
            if pattern.startswith("(?~", index):
                return "any"
            depth += 1
            index += 1 if pattern[index + 1 : index + 2] == "?" else 0
        elif sign == ")":
            depth -= 1
            if pattern[index + 1 : index + 2] in tuple("?*+{"):
                return "any"
        elif sign == "|" and depth:
            return "any"
        elif sign == "|":
            repeats = 0
        elif sign in "?*+{" and not (sign == "{" and pattern[index - 2 : index] in ("\\p", "\\P")):
            repeats += 1
            most = max(most, repeats)
        index += 1
    return "any" if most > 1 else "long" if most else "none"


def _class_end(pattern: str, start: int) -> int:
    """Where a class of characters that begins at `start` ends; classes may stand in it."""
    depth, index = 0, start
    while index < len(pattern):
        if pattern[index] == "\\":
            index += 1
        elif pattern[index] == "[":
            depth += 1
        elif pattern[index] == "]":
            depth -= 1
            if not depth:
                return index
        index += 1
    return index
