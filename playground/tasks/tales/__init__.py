"""Synthetic stories of a small world whose entropy is known, token by token.

words.py       nouns, names, adjectives and verbs in three languages
world.py       who and what there is, and how frequent: Zipf's law
chances.py     what a sentence may say next, and with which probability
stories.py     generate stories with the surprisal of every token
tales_task.py  language modelling on them
scenes.py      single scenes, each one sentence in every language
languages.py   a scene in English, French and Chinese, with its alignment
"""
