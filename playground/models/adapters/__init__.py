"""One way to run any model: ours and those of transformers."""
