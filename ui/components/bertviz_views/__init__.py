"""BertViz's head, model and neuron view on the page, without a network and within a budget.

show.py  a view on the page, with a choice of layers

The documents are those of `playground.viewer`.
"""

from playground.viewer.bertviz_views.budget import Budget, View, within_budget
from playground.viewer.bertviz_views.document import bertviz_document, neuron_document
from playground.viewer.bertviz_views.source import Source, Support, neuron_supported, source_of
from ui.components.bertviz_views.show import budget_of, document_of, show_bertviz

__all__ = [
    "Budget",
    "Source",
    "Support",
    "View",
    "bertviz_document",
    "budget_of",
    "document_of",
    "neuron_document",
    "neuron_supported",
    "show_bertviz",
    "source_of",
    "within_budget",
]
