"""Change a pass and measure the effect: ablation, activation patching, interaction, head search."""
