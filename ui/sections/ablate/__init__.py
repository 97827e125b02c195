"""Sections of Take it apart.

ablation.py           single-head and joint ablation, and the minimal sufficient set of heads
attribution.py        direct logit attribution by component
head_circuits.py      one head: value-weighted attention, query-key products
patching.py           activation patching between a clean and a corrupted prompt
token_attribution.py  attention rollout, attention flow, integrated gradients
interaction.py        interaction effects of chosen components
head_search.py        find heads by pattern
options.py            text, target token and components; the clean pass
figure.py             a figure with its CSV
"""
