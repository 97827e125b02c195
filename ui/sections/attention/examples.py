"""Example texts, each written to show one behaviour. Model input is not translated."""

from playground.models import LoadedModel
from playground.text import _

DEFAULT_TEXT = "The cat sat on the mat, and the dog sat on the rug. The cat looked at the dog."
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
    unknown = model.adapter.unknown_id()
    if unknown is None:
        return shared
    small = {
        _("Story"): "Anna has the red ball. She gives the ball to Ben.",
        _("English to French"): "french: Anna gives the red ball to Ben.",
        _("English to Chinese"): "chinese: Anna gives the red ball to Ben.",
        _("Repeated symbols"): "KqZfBmXdTWKqZfBmXdTW",
        _("Digits"): "31415926",
        _("Sum"): "17 + 29 =",
    }
    return {title: text for title, text in {**small, **shared}.items() if can_read(model, text, unknown)}


def first_text(model: LoadedModel) -> str:
    """The default text, or the first example that the model's vocabulary covers."""
    unknown = model.adapter.unknown_id()
    if unknown is None or can_read(model, DEFAULT_TEXT, unknown):
        return DEFAULT_TEXT
    return next(iter(examples(model).values()), DEFAULT_TEXT)


def can_read(model: LoadedModel, text: str, unknown: int) -> bool:
    """Whether the vocabulary covers a text and the context holds it."""
    ids = model.tokenizer.encode(text).ids
    return unknown not in ids and len(ids) <= model.context


PAIR_EXAMPLE = "The dog lay on the rug while the cat watched."
