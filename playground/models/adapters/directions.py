"""Families whose way of reading their name does not tell."""

from playground.text import N_

BIDIRECTIONAL = {
    "xlnet": N_("{name} predicts by a second set of queries (Yang et al. 2019, section 2.3), which is not run here.")
}
"""Families with a next-token head whose attention is not causal: why it is not asked."""
MASK_BEHIND = {"xlm", "flaubert"}
"""Families that are decoders where their configuration says `causal`. Their head is listed among those of masked
models; `generate` puts a mask behind what they read."""
