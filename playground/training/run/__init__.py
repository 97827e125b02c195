"""A run on disk: one module for each thing in its folder."""
