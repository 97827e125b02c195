"""What a classifier has to beat: always the most frequent label, and TF-IDF with logistic regression.

Both predict rows that they have not learned from: those of the test part after the training part, or each fifth of the
table after the other four. scikit-learn's TfidfVectorizer and LogisticRegression with their defaults.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import UserError
from playground.evaluation.confusion import confusion
from playground.evaluation.label_spreads import LabelSpreads, label_spreads
from playground.progress import OnProgress, no_progress

FOLDS = 5
TRAIN_WORDS = ("train", "training", "dev-train")
MOST_ROWS = 20_000
"""More rows are not learned from: the baseline is a yardstick and takes seconds."""


@dataclass(frozen=True, kw_only=True)
class Baselines:
    """Predictions of both for the same rows."""

    rows: tuple[int, ...]
    """Indices into the table of the rows that were predicted."""
    majority: tuple[str, ...]
    tfidf: tuple[str, ...]

    def spreads(self, true: Sequence[str], predicted: Sequence[str]) -> dict[str, LabelSpreads]:
        """The scores of a classifier and of both baselines on these rows of the classifier's table."""
        labels = [true[row] for row in self.rows]
        answers = {"classifier": [predicted[row] for row in self.rows], "tfidf": self.tfidf, "majority": self.majority}
        return {name: label_spreads(confusion(labels, given)) for name, given in answers.items()}


def train_rows(parts: Sequence[str]) -> list[bool] | None:
    """Which rows a column calls training; None where it calls none so, or all.

    >>> train_rows(["train", "test"]), train_rows(["test", "dev"])
    ([True, False], None)
    """
    flags = [text.strip().lower() in TRAIN_WORDS for text in parts]
    return flags if any(flags) and not all(flags) else None


def baselines(
    texts: Sequence[str],
    labels: Sequence[str],
    is_train: Sequence[bool] | None = None,
    on_progress: OnProgress = no_progress,
) -> Baselines:
    """Learn and predict; without a training part by cross-validation in five folds.

    Raises UserError for a table of one label, of too few rows, or with an empty part.
    """
    if len(set(labels)) < 2:
        raise UserError("The table has one label only; a baseline needs at least two.")
    splits = _folds(len(texts)) if is_train is None else [_parts(is_train)]
    predicted: dict[int, tuple[str, str]] = {}
    for done, (train, test) in enumerate(splits):
        on_progress(done, len(splits))
        known = [labels[row] for row in train]
        majority = majority_label(known)
        if len(set(known)) < 2:  # nothing to learn: a rare label stands in the test part alone
            answers = [majority] * len(test)
        else:
            answers = _tfidf_answers([texts[row] for row in train], known, [texts[row] for row in test])
        predicted |= {row: (majority, answer) for row, answer in zip(test, answers, strict=True)}
    rows = sorted(predicted)
    return Baselines(
        rows=tuple(rows),
        majority=tuple(predicted[row][0] for row in rows),
        tfidf=tuple(predicted[row][1] for row in rows),
    )


def majority_label(labels: Sequence[str]) -> str:
    """The most frequent label; the first in the alphabet among equals.

    >>> majority_label(["b", "a", "b", "a", "c"])
    'a'
    """
    counts = Counter(labels)
    return min(counts, key=lambda label: (-counts[label], label))


def _tfidf_answers(train: Sequence[str], labels: Sequence[str], test: Sequence[str]) -> list[str]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    # Characters of Chinese stand without spaces between them: words of one letter count too.
    pipeline = make_pipeline(
        TfidfVectorizer(token_pattern=r"(?u)[\u4e00-\u9fff]|\w+"), LogisticRegression(max_iter=300)
    )
    try:
        pipeline.fit(train, labels)
    except ValueError as error:  # no word in any text
        raise UserError("The texts have no words to learn from.") from error
    return [str(answer) for answer in pipeline.predict(test)]


def _folds(n: int) -> list[tuple[list[int], list[int]]]:
    """Each row once in a test part, of at most MOST_ROWS rows in all."""
    order = np.random.default_rng(0).permutation(n)[:MOST_ROWS]
    if n < 2 * FOLDS:
        raise UserError("The table has {n} rows; a baseline is learned from at least {least}.", n=n, least=2 * FOLDS)
    parts = np.array_split(order, FOLDS)
    return [
        (np.concatenate([*parts[:fold], *parts[fold + 1 :]]).tolist(), parts[fold].tolist()) for fold in range(FOLDS)
    ]


def _parts(is_train: Sequence[bool]) -> tuple[list[int], list[int]]:
    train = [row for row, is_one in enumerate(is_train) if is_one][:MOST_ROWS]
    test = [row for row, is_one in enumerate(is_train) if not is_one]
    if not train or not test:
        raise UserError("A baseline needs rows to learn from and rows to predict; one of the two parts is empty.")
    return train, test
