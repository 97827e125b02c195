"""Sweeps: train a grid of sizes, token budgets and seeds, and collect what they reach."""
