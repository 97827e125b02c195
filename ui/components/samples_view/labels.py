"""Every word that the samples show, translated; {names} in braces are filled in by the browser."""

from playground.text import _


def default_labels() -> dict[str, str]:
    """Return the words of the samples by the names their code uses."""
    return {
        "empty": _("The first samples appear at the first evaluation."),
        "over": _("Samples over time"),
        "step": _("step {step}"),
        "newest": _("Follow the newest"),
        "question": _("Question"),
        "answer": _("Answer"),
        "right": _("Right"),
        "correct": _("correct"),
        "wrong": _("wrong"),
        "share": _("{right} of {count} right"),
        "prompt": _("Prompt"),
        "continuation": _("What the model wrote"),
        "guesses": _("Guesses for position {position}"),
        "rightWord": _("right: {word}"),
        "maskedHelp": _(
            "Each outlined word was masked; it shows the model's best guess. Point at one for all guesses."
        ),
    }
