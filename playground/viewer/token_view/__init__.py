"""Tokens coloured in a running text, or listed with bars.

items.py            what is shown of each token, as bytes
js                  the browser's side
surprisal_items.py  a text coloured by probability, surprisal or entropy
"""
