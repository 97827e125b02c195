"""BertViz's head, model and neuron view as documents that need no network, within a budget.

budget.py     how many tokens and layers one document may hold
document.py   attention maps as one HTML document, by BertViz's own functions
loader.js     the part of require.js that BertViz uses
offline.py    a document that loads nothing and runs only our scripts
packaged.py   jQuery and D3 from installed packages
page.css      light and dark theme
source.py     tokens, maps and vectors of a trace
"""
