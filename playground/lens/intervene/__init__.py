"""Interventions: change activations of a pass and measure the effect.

interventions.py  run a model with replaced activations, resuming from the lowest replaced layer
ablation.py       single-head and joint ablation, and the minimal sufficient set of heads
interaction.py    joint effects against sums of single ones
patching.py       clean activations in a corrupted pass: recovered logit difference
"""
