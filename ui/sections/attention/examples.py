"""Example texts, each written to show one behaviour. Model input is not translated."""

from playground.lens.capture.tokens import can_read, spell_symbols, symbols_of
from playground.lens.intervene.patching import BLOCK
from playground.models import LoadedModel
from playground.text import _

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
    * 6
)

_STORY = "Anna has the red ball. She gives the ball to Ben."
_TO_FRENCH = "french: Anna gives the red ball to Ben."
_TO_CHINESE = "chinese: Anna gives the red ball to Ben."
_SYMBOLS, _DIGITS, _SUM = "KqZfBmXdTWKqZfBmXdTW", "31415926", "17 + 29 ="
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


def examples(model: LoadedModel) -> dict[str, str]:
    """Example texts by title; for a small vocabulary only those that it covers."""
    shared = {
        _("Cat and dog"): DEFAULT_TEXT,
        _("Repeated names (induction)"): _INDUCTION,
        _("Agreement"): _AGREEMENT,
        _("Pronoun reference"): _REFERENCE,
        _("Ambiguous word"): _BANK,
        _("Multilingual"): _SCRIPTS,
    }
    if model.kind != "encoder-decoder":
        shared[_("Long text")] = _LONG
    if model.adapter.unknown_id() is None:
        return shared
    small = {
        _("Story"): _STORY,
        _("English to French"): _TO_FRENCH,
        _("English to Chinese"): _TO_CHINESE,
        _("Repeated symbols"): _SYMBOLS,
        _("Digits"): _DIGITS,
        _("Sum"): _SUM,
    }
    return {title: text for title, text in {**small, **shared}.items() if can_read(model, text)}


def first_text(model: LoadedModel) -> str:
    """The default text, or the first example that the model's vocabulary covers, or symbols of its own."""
    if model.adapter.unknown_id() is None or can_read(model, DEFAULT_TEXT):
        return DEFAULT_TEXT
    return next(iter(examples(model).values()), "") or _repeated_symbols(model, seed=0)


def other_text(model: LoadedModel) -> str:
    """A second text of as many tokens as the first."""
    text = first_text(model)
    other = _OTHERS.get(text)
    return other if other is not None and can_read(model, other) else _repeated_symbols(model, seed=1)


def _repeated_symbols(model: LoadedModel, *, seed: int) -> str:
    """A block of the model's own symbols, twice."""
    return spell_symbols(model, 2 * symbols_of(model, min(BLOCK, model.context // 2 - 1), seed))
