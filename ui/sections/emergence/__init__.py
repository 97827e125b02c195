"""What the Emergence page is made of."""
