"""Interventions: change activations of a pass and measure the effect.

interventions.py      run a model with replaced activations, resuming from the lowest replaced layer
ablation.py           single and joint ablation of heads, MLPs and layers
label_ablation.py     the same for a classifier's label
circuit.py            the minimal sufficient set of heads
interaction.py        joint effects against sums of single ones
patching.py           clean activations in a corrupted pass: recovered logit difference
patching_examples.py  prompt pairs, and which of them a model solves
findings.py           what ablation, patching and interaction show, in a sentence
"""
