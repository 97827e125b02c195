"""What the presets are called, and what one will see."""

from functools import cache

from ui.text import _


def preset_title(name: str) -> str:
    """The preset's name for a person."""
    return _titles().get(name, (name, ""))[0]


def preset_words(name: str) -> str:
    """What one will see, in a sentence or two."""
    return _titles().get(name, (name, ""))[1]


@cache
def _titles() -> dict[str, tuple[str, str]]:
    return {
        "induction": (
            _("Induction heads appear"),
            _(
                "A block of random symbols is repeated. Around step 250 two heads in two layers find out how to copy "
                "what came next last time: the loss falls off a cliff and a stripe appears in the film."
            ),
        ),
        "reverse": (
            _("Reverse digits"),
            _("An encoder-decoder reverses eight digits. Its cross-attention turns into an anti-diagonal."),
        ),
        "addition": (
            _("Add numbers of three digits"),
            _(
                "A digit is a token, and a sum is right when all four of its digits are. Compare the two measures: "
                "digits get right one by one, sums all at once."
            ),
        ),
        "grokking": (
            _("Grokking: addition modulo 53"),
            _(
                "By step 100 every pair it was shown is known by heart, and the others are not. Much later it finds "
                "the rule: the spectrum of its embedding shows a few frequencies."
            ),
        ),
        "documentation": (
            _("English: Python's documentation"),
            _("A decoder reads the documentation of the Python that runs this app, and begins to write like it."),
        ),
        "own-text": (
            _("Your own text"),
            _("Paste a text under “Task”; a decoder learns it, character by character."),
        ),
        "tales": (
            _("Tales with a known floor"),
            _("Endless small stories whose lowest possible loss is known. Turn the Zipf dial and watch the gap."),
        ),
        "translation": (
            _("Translate tales into French and Chinese"),
            _("Word order differs, and the gold alignment is known: hold the cross-attention against it."),
        ),
        "masked": (
            _("Masked words, as BERT"),
            _("An encoder fills in missing words, and says whether the second sentence follows the first."),
        ),
        "classification": (
            _("Sort sentences by kind"),
            _("An encoder tells statements, questions and commands apart."),
        ),
    }
