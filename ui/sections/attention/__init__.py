"""Sections of the attention page."""
