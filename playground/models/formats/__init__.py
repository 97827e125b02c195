"""What models arrive as: checkpoint folders, GGUF files, hub repositories, Python wheels."""
