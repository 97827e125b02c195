"""Every step of an attention head, with its numbers and where they come from."""
