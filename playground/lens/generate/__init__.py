"""What a model predicts, answers and generates: next tokens, sampled text, beams, masked tokens, labels, surprisal.

predictions.py     next-token distribution; temperature, top-k, top-p, min-p
continuation.py    one text continued with the model's KV cache: logits and attention weights of each step
generation.py      sample token by token, with alternatives and attention at each
branches.py        tree of alternative continuations
beams.py           beam search with every beam kept for the chart
fill_mask.py       what an encoder predicts at masked positions
encoded_rows.py    texts as a classifier reads them
classification.py  labels of texts
token_labels.py    labels of tokens
answer_spans.py    where a passage answers a question
row_answers.py     a head asked about the rows of a table
random_heads.py    what a head of random numbers answers
chat_template.py   a conversation as a model reads it
template_worker.py renders a chat template in a process of its own
surprisal.py       surprisal and entropy of each token of a text, perplexity, bits per byte
stride.py          what the stride of a sliding window does to the perplexity
findings.py        what the pictures of predictions show, in sentences
"""
