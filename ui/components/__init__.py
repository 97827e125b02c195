"""Custom components: a Python wrapper, plain ES modules and a style sheet each."""
