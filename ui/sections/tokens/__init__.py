"""Sections of the page Tokens.

tokenizer.py       a text as bytes, pieces and ids
steps.py           the steps of one pre-token: merges, best segmentation, longest match
two_tokenizers.py  the same text in two models
languages.py       what one sentence costs in twenty languages
embedding.py       nearest tokens, projection, sums of vectors
word_states.py     one word in several texts, layer by layer
sentences.py       sentence similarity and retrieval
shares.py          what each word adds to the similarity of two sentences
subject.py         the model, its texts, and what its tokenizer makes of them
"""
