"""Sections of Take it apart.

ablation.py           ablation of single components and joint sets, and the minimal sufficient set of heads
setting.py            how components are ablated and effects measured
attribution.py        direct logit attribution by component
head_circuits.py      one head: value-weighted attention, query-key products
patching.py           activation patching between a clean and a corrupted prompt
patching_prompts.py   its prompts and answers, and whether the model solves the examples
token_attribution.py  attention rollout, attention flow, integrated gradients
interaction.py        interaction effects of chosen components
head_search.py        find heads by pattern
heads.py              the selected head, with doors to where it is looked at
options.py            text, target token and components; the clean pass
figure.py             a figure with its CSV and what it shows in a sentence
"""
