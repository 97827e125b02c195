"""F1 score of a classifier, macro-averaged over classes: what a training reports."""

import numpy as np
from jaxtyping import Int

from playground.evaluation.confusion import average_score


def macro_f1(predicted: Int[np.ndarray, "text"], true: Int[np.ndarray, "text"]) -> float:
    """Mean F1 over the classes that occur: 2 TP / (predicted + true) of each, 0 for a class without a hit.

    >>> macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1])).__round__(4)
    0.6667
    """
    n_classes = int(max(predicted.max(), true.max())) + 1
    counts = np.bincount(true * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    return float(average_score(counts, "f1", "macro"))
