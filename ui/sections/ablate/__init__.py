"""The sections of Take it apart: what is chosen, the work with its progress, and the pictures."""
