"""Which parts and tokens a logit comes from."""
