"""Synthetic stories of a small world with known entropy."""
