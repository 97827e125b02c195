"""Every step of an attention head: symbol, formula, numbers, the derivation of any number, and the lines of code.

walkthrough.py   the steps in their order; the derivation of a listed number
embedding.py     embedding and position
norm.py          residual stream to layer input
projection.py    query, keys and values
rotation.py      rotary positions
scores.py        query–key products, scaling, bias and mask
softmax.py       weights
weighted_sum.py  weights times values
output.py        output projection, and into the residual stream
finding.py       which key a query attends to most, in a sentence

step.py          a step, its tables and rows
vectors.py       numbers with how they came about: learned, sums, products, normed
derivation.py    the terms of one number
code_lines.py    the lines of our own transformer that compute a step
head.py          every number of one head at one query token
layer.py         one captured layer, of which any head can be asked for
sources.py       which piece of which matrix made a head's queries, keys and values
"""
