"""Charts of the scaling page."""
