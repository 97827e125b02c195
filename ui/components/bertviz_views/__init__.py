"""BertViz's head, model and neuron view on the page, without a network and within a budget.

budget.py     how many tokens and layers one document may hold
document.py   attention maps as one HTML document, by BertViz's own functions
loader.js     the part of require.js that BertViz uses
offline.py    a document that loads nothing and runs only our scripts
packaged.py   jQuery and D3 from installed packages
page.css      light and dark theme
show.py       a view on the page, with a choice of layers
source.py     tokens, maps and vectors of a trace
"""

from ui.components.bertviz_views.budget import Budget, View, within_budget
from ui.components.bertviz_views.document import bertviz_document, neuron_document
from ui.components.bertviz_views.show import budget_of, document_of, show_bertviz
from ui.components.bertviz_views.source import Source, Support, neuron_supported, source_of

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
