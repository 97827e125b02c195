"""Next-token predictions, sampling, beams, masked tokens and surprisal."""
