"""Where a shorter run leaves a longer one: the forks of a warm-up, stable, decay schedule (Hu et al. 2024, section 4).

Up to its decay a run has the learning rates of every longer one, so it may continue from a checkpoint of the longest.
"""

import math

STABLE_SHARE = 0.8
"""Of the steps after the warm-up; the rest is the decay, as in playground/training/optimizers.py."""
TRUNK_CHECKPOINTS = 20


def last_stable_step(steps: int, warm_up: int) -> int:
    """The last step at which every longer run has the same learning rates; 0 where the peak is never reached."""
    if steps <= warm_up:
        return 0
    # One step less than the schedule says: its quotient may be a rounding below 1 there.
    return max(0, warm_up + math.floor(STABLE_SHARE * (steps - warm_up)) - 1)


def checkpoint_interval(steps: list[int], warm_up: int) -> int:
    """The steps between a trunk's checkpoints that let branches repeat the fewest steps.

    steps are the lengths of all runs of one size and seed, shortest first; the trunk keeps about TRUNK_CHECKPOINTS.
    """
    forks = [last_stable_step(count, warm_up) for count in steps[:-1]]
    least = max(1, steps[-1] // TRUNK_CHECKPOINTS)
    most = max([least, *(fork for fork in forks[:1] if fork)])
    # A branch repeats fork % every steps: with forks at 79 and 159, an interval of 39 repeats 1 + 3.
    # Ties go to the largest interval.
    return min(range(most, least - 1, -1), key=lambda every: sum(fork % every for fork in forks))
