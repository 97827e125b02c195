"""What a captured pass shows.

attention_view.py   what an attention picture shows: tokens hidden, sink excluded, heads averaged
picture_check.py    whether the cells of a picture are the exact weights
chosen_tokens.py    several queries or keys of a map taken together
head_search.py      heads ranked by a pattern, against chance
head_scores.py      how much each head attends where the known kinds of head do
head_comparison.py   a layer's heads beside a single head of equal width
head_kind.py        what kind of head one sees, in a sentence; heads like it
steps/              every number of a head, step by step, with its derivation
positions.py        sines, learned vectors, rotations, biases by distance, ALiBi
root_of_width.py    what the root of d_k does to entropy and gradient of the softmax
free_attention.py   attention without a model, over vectors that anybody may change
"""
