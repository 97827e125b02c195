"""Saved small models for families that need loading."""

from tests.helpers.pretrained_folders import save_model

__all__ = ["save_model"]
