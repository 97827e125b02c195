"""Tokens coloured in a running text, or listed with bars.

items.py            what is shown of each token, as bytes
js                  the browser's side
neuron_items.py     neurons as bars, with the tokens that they promote
placed.py           tokens as a view of a page
surprisal_items.py  a text coloured by probability, surprisal or entropy
"""
