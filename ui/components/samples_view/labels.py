"""Labels of the samples view; {names} in braces are filled in by the browser."""

from playground.text import _


def samples_view_labels() -> dict[str, str]:
    """Labels of the samples view, by the names that its JavaScript uses."""
    return {
        "empty": _("The first samples appear at the first evaluation."),
        "over": _("Samples over training"),
        "step": _("step {step}"),
        "newest": _("Follow the newest"),
        "input": _("Input"),
        "output": _("Model output"),
        "reference": _("Reference"),
        "correct": _("correct"),
        "wrong": _("wrong"),
        "share": _("{correct} of {count} correct"),
        "prompt": _("Prompt"),
        "continuation": _("Continuation"),
        "guesses": _("Predictions at position {position}"),
        "referenceWord": _("reference: {word}"),
        "maskedHelp": _(
            "Each outlined word was masked and shows the model's top prediction. Point at one for the others."
        ),
    }
