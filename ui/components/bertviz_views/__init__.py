"""BertViz's head, model and neuron view on the page, without a network and within a budget.

document.py   maps to one HTML document, by BertViz's own functions;  offline.py  what makes it offline and safe
packaged.py   jQuery and D3 from installed packages;  loader.js  stands in for require.js;  page.css  both themes
source.py     what is asked of a trace;  budget.py  how much may be drawn;  show.py  the page's part
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
