"""Doors to the page Evaluate: the perplexity of a text, an answer against a reference, labels against a table."""

from playground.text import _
from ui.state.address import pack
from ui.state.parameters import HYPOTHESES, LINES_FROM, PREDICTED_BY, REFERENCES, REFERENCES_2, SECTION, TEXT
from ui.widgets.doors import EVALUATE, door


def text_measure_door(text: str) -> None:
    """From a text, as it is or as it was generated, to its perplexity."""
    door(_("Measure this"), EVALUATE, {str(SECTION): "perplexity", str(TEXT): pack(text)})


def answer_measure_door(answer: str) -> None:
    """From an answer to BLEU, with room for the reference."""
    empty = {str(parameter): "" for parameter in (REFERENCES, REFERENCES_2)}
    parameters = {str(SECTION): "bleu", str(LINES_FROM): "pasted", str(HYPOTHESES): pack(answer), **empty}
    door(
        _("Measure this"), EVALUATE, parameters, help_text=_("BLEU, chrF and TER: write the reference beside it there.")
    )


def labels_measure_door() -> None:
    """From a loaded classifier to its accuracy on a table of labelled texts."""
    parameters = {str(SECTION): "classification", str(PREDICTED_BY): "model"}
    door(_("Measure it on a table"), EVALUATE, parameters)
