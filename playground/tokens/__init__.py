"""Tokens and embeddings: how a text is cut, where its tokens lie, and what its sentences mean.

pretokens.py     the pieces of text that a tokenizer's algorithm gets, after normaliser and pre-tokenizer
bpe.py           byte-pair encoding: merges in order
unigram.py       the unigram model's best segmentation
wordpiece.py     WordPiece's longest match
segmentation.py  the steps of one pre-token, whatever the algorithm
tokenization.py  a text as bytes, pieces and ids, with what the template adds
languages.py     one sentence in twenty languages, and what a tokenizer makes of it
boundaries.py    one text in two tokenizers
matrices.py      input and output embedding, nearest tokens by cosine
analogies.py     sums and differences of embedding vectors
projection.py    the embedding space in two dimensions (PCA)
word_states.py   one word in two texts, layer by layer
sentences.py     sentence embeddings, ranking, and each word's share
findings.py      what the pictures show, in sentences
"""
