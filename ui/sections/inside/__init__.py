"""The page inside a head.

sections.py                   which section is shown, and the trace that some need
selection.py                  layer, head and query token
walkthrough.py                step by step, from the embedding to the probabilities
step_choice.py                the map of the steps, and which one is shown
head_way.py                   the steps of attention
token_way.py                  the steps after it, and what is traced through them
neuron_table.py               the neurons that add most, with the tokens they promote
neuron_pictures.py            one neuron along the text, and what it changes in the logits
neuron_search.py              a search over neurons by their tokens
token_program.py              the steps after attention in Python
steps.py                      the pictures of a step
step_doors.py                 where one goes on from a step
step_layout.py                one step on the page, and the derivation of the number that is clicked
by_hand.py                    which part is shown: attention, the root of d_k, residual connections
root_of_width.py              entropy and gradient of the softmax against the width
residuals.py                  four runs with and without residual connections and norms
attention_by_hand.py          toy example: edit words and vectors
attention_by_hand_figures.py  its figures
positions.py                  position schemes
architecture.py               the drawing of the model, whose boxes lead to their steps
box_steps.py                  which step a box leads to
length_cost.py                time and memory of a pass against its length
head_comparison.py            multi-head vs. single-head
"""
