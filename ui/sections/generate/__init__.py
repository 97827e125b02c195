"""Sections of the page Generate.

sections.py           which sections a kind of model has
next_token.py         next-token distribution, and what the sampling filters remove
text_doors.py         from a text, typed or generated, to the pages that look at one
measure_doors.py      from a text or an answer to the page Evaluate
token_doors.py        from a predicted token to the heads that wrote it
sampling_options.py   temperature, top-k, top-p, min-p
continuation.py       generate token by token: step, run, pause
continuation_view.py  the generated text, alternatives of a token, the tree of branches
draft.py              the session's tree over one text, and the stream that continues it
chat.py               a conversation as the model reads it, and its reply
chat_turns.py         the turns, edited
fill_mask.py          fill-mask with an encoder
translation.py        an encoder-decoder's answer: greedy and beam search
surprisal.py          surprisal of each token, perplexity
logit_lens.py         the prediction after each layer
classify.py           what a trained head answers, and whether it was trained
labels.py             labels of the text with their probabilities
token_labels.py       labels drawn on the tokens
answers.py            answers to a question, drawn on the passage
label_attribution.py  which tokens a label comes from
label_ablation.py     which heads and larger parts a label needs
rows.py               several texts at once: lines, or a CSV in and out
random_heads.py       a model without a classifier, asked as one all the same
"""
