"""Example texts, each written to show one behaviour. Model input is not translated."""

import re
from collections.abc import Iterator

from playground.lens.capture.tokens import can_read, encode, spell_symbols, symbols_of
from playground.lens.intervene.patching_examples import BLOCK
from playground.models import LoadedModel
from playground.text import _
from ui.cache import results_of

DEFAULT_TEXT = "The cat sat on the mat, and the dog sat on the rug. The cat looked at the dog."
PAIR_EXAMPLE = "The dog lay on the rug while the cat watched."
OTHER_EXAMPLE = "The cat sat on the rug, and the dog sat on the mat. The dog looked at the cat."

_INDUCTION = (
    "Mr. Pemberton met Mrs. Ashcroft at the station. Mrs. Ashcroft gave Mr. Pemberton a letter, "
    "and Mr. Pemberton gave Mrs. Ashcroft an umbrella."
)
_AGREEMENT = "The keys to the old cabinet in the hall are on the table, and the key to the garden is lost."
_REFERENCE = "When Mary and John went to the shop, John gave a bottle of milk to Mary because she was thirsty."
_SCRIPTS = "Hello, 你好, مرحبا, שלום, नमस्ते, こんにちは 👋🏽 naïve café"
_BANK = "She sat on the bank of the river and thought about the bank that had refused her the loan."
_LONG = " ".join(
    [
        "The lamp stood in the window, and the window looked over the harbour.",
        "Every evening the keeper lit the lamp, and every evening the boats turned home.",
        "One night the keeper was ill, and his daughter climbed the stairs with the matches.",
        "She lit the lamp as her father had shown her, and she watched the water until the last boat came in.",
        "In the morning the fishermen asked who had lit the lamp, and the keeper pointed at the girl.",
        "After that the fishermen called her the keeper, and the old man did not mind.",
    ]
    * 4
)

_STORY = "Anna has the red ball. She gives the ball to Ben."
_TO_FRENCH = "french: Anna gives the red ball to Ben."
_TO_CHINESE = "chinese: Anna gives the red ball to Ben."
_SYMBOLS, _DIGITS, _SUM = "KqZfBmXdTWKqZfBmXdTW", "31415926", "17 + 29 ="
_TOYS = {_STORY, _TO_FRENCH, _TO_CHINESE, _SYMBOLS, _DIGITS, _SUM}
_OTHERS = {
    DEFAULT_TEXT: OTHER_EXAMPLE,
    _STORY: "Ben has the blue book. He gives the book to Anna.",
    _TO_FRENCH: "french: Ben gives the blue book to Anna.",
    _TO_CHINESE: "chinese: Ben gives the blue book to Anna.",
    _SYMBOLS: "TfWmKXqBdZTfWmKXqBdZ",
    _DIGITS: "27182845",
    _SUM: "29 + 17 =",
}
"""To each first text another of as many tokens."""


_EXCHANGED = {"cat": "dog", "dog": "cat", "red": "blue", "Mary": "Anna"}
_WORD = re.compile(r"\w\w+")
_TRIED = 5
"""How many words are exchanged in turn, each by so many others, until one keeps the number of tokens."""
_COUNTED = 4_000
"""Of longer texts the tokens are not counted: the copy may have more or fewer."""


def examples(model: LoadedModel) -> dict[str, str]:
    """Example texts by title: those that the model's vocabulary covers and its context holds."""
    texts = _example_texts()
    readable = results_of(model).remember(
        "readable examples", lambda: {text for text in texts.values() if can_read(model, text)}
    )
    plain, short = DEFAULT_TEXT in readable, model.kind == "encoder-decoder"
    return {
        title: text
        for title, text in texts.items()
        # What a model of a toy task reads says nothing to one that reads English.
        if text in readable and not (plain and text in _TOYS) and not (short and text == _LONG)
    }


def _example_texts() -> dict[str, str]:
    return {
        _("Story"): _STORY,
        _("English to French"): _TO_FRENCH,
        _("English to Chinese"): _TO_CHINESE,
        _("Repeated symbols"): _SYMBOLS,
        _("Digits"): _DIGITS,
        _("Sum"): _SUM,
        _("Cat and dog"): DEFAULT_TEXT,
        _("Repeated names (induction)"): _INDUCTION,
        _("Agreement"): _AGREEMENT,
        _("Pronoun reference"): _REFERENCE,
        _("Ambiguous word"): _BANK,
        _("Multilingual"): _SCRIPTS,
        _("Long text"): _LONG,
    }


def first_text(model: LoadedModel) -> str:
    """The default text, or the first example that the model's vocabulary covers, or symbols of its own."""
    if model.adapter.unknown_id() is None or can_read(model, DEFAULT_TEXT):
        return DEFAULT_TEXT
    return next(iter(examples(model).values()), "") or _repeated_symbols(model, seed=0)


def other_text(model: LoadedModel, text: str = "") -> str:
    """A second text: a copy of this one with one word changed, or else another of as many tokens as the first."""
    if text:
        changed = results_of(model).remember(("one word changed", text), lambda: change_word(model, text))
        if changed:
            return changed
    other = _OTHERS.get(first_text(model))
    return other if other is not None and can_read(model, other) else _repeated_symbols(model, seed=1)


def change_word(model: LoadedModel, text: str) -> str:
    """The text with one word exchanged, where possible of as many tokens; empty where there is nothing to exchange."""
    readable = [copy for copy in _copies(text) if can_read(model, copy)]
    if len(text) <= _COUNTED:
        count = len(encode(model.tokenizer, text))
        readable.sort(key=lambda copy: len(encode(model.tokenizer, copy)) != count)
    return next(iter(readable), "")


def _copies(text: str) -> Iterator[str]:
    """Some copies of a text: a known word exchanged, the last word by another of the text, the last sign by another."""
    words = list(_WORD.finditer(text))
    known = next((word for word in words if word[0] in _EXCHANGED), None)
    if known:
        yield text[: known.start()] + _EXCHANGED[known[0]] + text[known.end() :]
    for word in reversed(words[-_TRIED:]):
        others = dict.fromkeys(other[0] for other in words if other[0].casefold() != word[0].casefold())
        alike = sorted(others, key=lambda other: other.islower() != word[0].islower())
        for other in alike[:_TRIED]:
            yield text[: word.start()] + other + text[word.end() :]
    if len(words) < 2:
        body = text.rstrip()
        yield from [body[:-1] + sign for sign in dict.fromkeys(body) if not sign.isspace() and sign != body[-1]][:1]


def _repeated_symbols(model: LoadedModel, *, seed: int) -> str:
    """A block of the model's own symbols, twice."""
    return spell_symbols(model, 2 * symbols_of(model, min(BLOCK, model.context // 2 - 1), seed))
