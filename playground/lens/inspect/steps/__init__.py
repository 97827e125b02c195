"""Every step of a token's way: symbol, formula, numbers, the derivation of any number, and the lines of code.

walkthrough.py   the steps in their order; the derivation of a listed number
embedding.py     embedding and position
norm.py          residual stream to layer input
projection.py    query, keys and values
rotation.py      rotary positions
scores.py        query–key products, scaling, bias and mask
softmax.py       weights
weighted_sum.py  weights times values
gate.py          what multiplies z before the output projection, found by its numbers
gate_step.py     the gate's argument, the multiplier, the gated z
output.py        output projection, and into the residual stream
findings.py      which key a query attends to most, in a sentence

feed_forward_norm.py      what the feed-forward layer reads
mixture_step.py           the router's scores and shares
feed_forward_rows.py      up, activation, down
feed_forward_residual.py  what it adds to the stream
neuron_step.py            the neurons that add most
stream_step.py            what every layer added, and its part in the logit
output_head_step.py       the layers of a head of its own
output_steps.py           final norm, logits, probabilities

step.py          a step, its tables and rows
vectors.py       numbers with how they came about: learned, sums, products, normed
products.py      the same for matrices of thousands of rows
derivation.py    the terms of one number
code_lines.py    the lines of our own transformer that compute a step
head.py          every number of one head at one query token
layer.py         one captured layer, of which any head can be asked for
sources.py       which piece of which matrix made a head's queries, keys and values

one_pass.py      a layer and a token, read from one pass
whole_token.py   a token through all blocks to the logits, recomputed
token_rows.py    one pass of which some tokens' rows are kept
token_inputs.py  what the steps after attention are made from
block.py         how a block combines its layers with the stream
feed_forward.py  a feed-forward layer's matrices and activation
activation.py    activation functions, and which one made some numbers
router.py        which experts are chosen, and their shares
mixture.py       the experts of a mixture
norm_map.py      norms and matrices as they are applied to rows
output_head.py   from the last block to the logits
stream.py        the final state as a sum of parts; their contributions to a logit
neurons.py       neurons ranked, the tokens they promote, a search
neuron_text.py   one neuron at every token of a text
logit_slopes.py  what a direction that a layer writes changes in the logits
neuron_logits.py the same with how each number came about
"""
