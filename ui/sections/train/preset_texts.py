"""What the cards of the presets say, translated when it is shown."""

from playground.text import N_, _


def preset_title(name: str) -> str:
    """The preset's name on the page."""
    return _(PRESET_TEXTS[name][0]) if name in PRESET_TEXTS else name


def preset_sentence(name: str) -> str:
    """What is learned, in one sentence."""
    return _(PRESET_TEXTS[name][1]) if name in PRESET_TEXTS else ""


def preset_caption(name: str) -> str:
    """What one will see, in a sentence or two."""
    return _(PRESET_TEXTS[name][2]) if name in PRESET_TEXTS else ""


PRESET_TEXTS = {
    "induction": (
        N_("Induction heads"),
        N_("Two heads learn together to copy what came next last time; a stripe appears in the attention."),
        N_(
            "A block of random symbols is repeated. Around step 250 heads in two layers learn together to copy what "
            "came next last time: the loss drops and a stripe appears in the attention."
        ),
    ),
    "reverse": (
        N_("Reverse digits"),
        N_("An encoder-decoder reverses eight digits; cross-attention learns to begin at the end."),
        N_("An encoder-decoder reverses eight digits. Its cross-attention turns into an anti-diagonal."),
    ),
    "addition": (
        N_("Three-digit addition"),
        N_("A decoder adds: digits become correct one by one, whole sums all at once."),
        N_(
            "A digit is a token, and a sum is correct when all four of its digits are. Compare the two measures: "
            "digits become correct one by one, sums all at once."
        ),
    ),
    "grokking": (
        N_("Grokking: addition modulo 53"),
        N_("The training pairs are memorised early; the rule that solves the others is found much later."),
        N_(
            "By step 100 the training pairs are memorised, and the others are not. Much later the model finds the "
            "rule: the spectrum of its embedding shows a few frequencies."
        ),
    ),
    "documentation": (
        N_("English: Python's documentation"),
        N_("A decoder reads technical English and begins to write like it."),
        N_("A decoder reads the documentation of the Python that runs this app, and begins to write like it."),
    ),
    "own-text": (
        N_("Your own text"),
        N_("A decoder learns a text that you paste, character by character."),
        N_("Paste a text under “Task”; a decoder learns it, character by character."),
    ),
    "speedrun": (
        N_("Speedrun: characters"),
        N_("Characters, with the settings that learn Shakespeare's in the fewest seconds of one core."),
        N_(
            "Muon, rotary positions, SwiGLU and two small layers. To repeat the record of the README, 1.88 nats per "
            "character, choose tinyshakespeare.txt as its text under “All settings”."
        ),
    ),
    "tales": (
        N_("Synthetic stories (known entropy)"),
        N_("A decoder learns endless short stories; the loss approaches their known entropy."),
        N_("Endless short stories whose lowest possible loss is known. Change the Zipf exponent and watch the gap."),
    ),
    "translation": (
        N_("Translation into French and Chinese"),
        N_("Cross-attention learns to align the words, though word order differs."),
        N_("Word order differs, and the gold alignment is known: compare the cross-attention with it."),
    ),
    "masked": (
        N_("Masked LM (BERT-style)"),
        N_("An encoder learns to fill in masked words, and whether two sentences belong together."),
        N_("An encoder predicts masked words, and whether the second sentence follows the first."),
    ),
    "no-residuals": (
        N_("Without residuals and norms"),
        N_("Eight layers that only hand on what they write: the loss stands still."),
        N_(
            "Nothing leads around a layer, and nothing is normed: signals and gradients shrink with every layer. "
            "Switch residual connections or norms on again under “All settings” and compare."
        ),
    ),
    "classification": (
        N_("Sentence classification"),
        N_("An encoder learns to tell statements, questions and commands apart."),
        N_("An encoder distinguishes statements, questions and commands."),
    ),
}
"""Title, a sentence for the card, and what one will see."""
