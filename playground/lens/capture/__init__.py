"""One pass through a model, everything kept that the other packages ask about."""
