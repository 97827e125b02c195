"""A sweep small enough to run in a test: two sizes, three budgets of 16 to 64 steps."""

from playground.sweeps.grid import SweepConfig
from playground.tasks.tales.tales_task import TalesConfig


def sweep_config(**changes) -> SweepConfig:
    """Six cells of a few hundred milliseconds in all."""
    given = {
        "task": TalesConfig(names=4),
        "sizes": ((8, 1), (16, 1)),
        "tokens": (512, 1024, 2048),
        "context": 16,
        "batch": 2,
        "warm_up": 2,
        "evaluations": 4,
        "evaluate_rows": 2,
    }
    return SweepConfig(**{**given, **changes})
