"""What a captured pass shows: head scores, pictures, positions, and every step of a head."""
