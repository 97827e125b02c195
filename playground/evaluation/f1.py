"""F1 score of a classifier, macro-averaged over classes."""

import numpy as np
from jaxtyping import Int


def macro_f1(predicted: Int[np.ndarray, "text"], true: Int[np.ndarray, "text"]) -> float:
    """Mean F1 over the classes that occur: 2 TP / (predicted + true) of each, 0 for a class without a hit.

    >>> macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1])).__round__(4)
    0.6667
    """
    classes = np.union1d(predicted, true)
    hits = [int(((predicted == label) & (true == label)).sum()) for label in classes]
    totals = [int((predicted == label).sum() + (true == label).sum()) for label in classes]
    return float(np.mean([2 * hit / total for hit, total in zip(hits, totals, strict=True)]))
