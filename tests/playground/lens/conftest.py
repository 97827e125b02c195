"""Saved small models for families that need loading."""

from tests.playground.models.conftest import save_model

__all__ = ["save_model"]
