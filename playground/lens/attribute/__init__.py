"""Attribution: which component, token or layer a prediction comes from.

attribution.py           direct logit attribution by component; value-weighted attention
integrated_gradients.py  token attribution by gradients
label_attribution.py     token attribution of a classifier's label
rollout.py               attention rollout and attention flow
logit_lens.py            predictions from every layer
stream_check.py          whether the stream and a logit are the sums that they are shown as
findings.py              what logit and token attribution show, in a sentence
"""
