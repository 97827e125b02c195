"""Points planted on a known law, for tests: never shipped, never drawn outside of them."""

import numpy as np

LAW = {"E": 1.7, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


def planted_csv(*, noise: float = 0.004, sizes: int = 6, budgets: int = 5, seed: int = 0) -> str:
    """A table of runs on Chinchilla's law, with normal noise on the log loss."""
    random = np.random.default_rng(seed)
    lines = ["run,params,tokens,loss"]
    for size in np.geomspace(1e6, 1e9, sizes):
        for tokens in np.geomspace(2e7, 2e10, budgets):
            loss = LAW["E"] + LAW["A"] / size ** LAW["alpha"] + LAW["B"] / tokens ** LAW["beta"]
            loss *= np.exp(noise * random.standard_normal())
            lines.append(f"n{size:.0f}-d{tokens:.0f},{size:.0f},{tokens:.0f},{loss:.6f}")
    return "\n".join(lines) + "\n"
