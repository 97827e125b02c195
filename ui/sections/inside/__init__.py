"""The page inside a head.

sections.py                   which section is shown, and the trace that some need
selection.py                  layer, head and query token
walkthrough.py                step by step, from the embedding to the residual stream
steps.py                      the pictures of a step
step_layout.py                one step on the page, and the derivation of the number that is clicked
attention_by_hand.py          toy example: edit words and vectors
attention_by_hand_figures.py  its figures
positions.py                  position schemes
head_comparison.py            multi-head vs. single-head
"""
