"""Texts to begin with, written for what they show. Model input is not translated."""

from playground.models.catalogue import Kind
from ui.text import _

DEFAULT_TEXT = "The cat sat on the mat, and the dog sat on the rug. The cat looked at the dog."
OTHER_TEXT = "The cat sat on the rug, and the dog sat on the mat. The dog looked at the cat."

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


def examples(kind: Kind) -> dict[str, str]:
    """Example texts by title, for a kind of model."""
    shared = {
        _("Cat and dog"): DEFAULT_TEXT,
        _("Names that recur"): _INDUCTION,
        _("Agreement"): _AGREEMENT,
        _("Who is she?"): _REFERENCE,
        _("Two banks"): _BANK,
        _("Many scripts"): _SCRIPTS,
    }
    return shared if kind == "encoder-decoder" else {**shared, _("A long text"): _LONG}


PAIR_EXAMPLE = "The dog lay on the rug while the cat watched."
