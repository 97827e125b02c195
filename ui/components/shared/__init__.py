"""What all custom components share: registration, payloads, bundling."""
