"""What a fit can and cannot say, in sentences: how far its exponents are determined, and whether its residuals bend."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.scaling.budgets import two_digits
from playground.scaling.fits import Fit
from playground.scaling.laws import LAWS
from playground.scaling.points import Points
from playground.scaling.published import BESIROGLU, HOFFMANN
from playground.text import N_, _

EXPONENT_SYMBOLS = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "alpha_N": "α_N",
    "alpha_D": "α_D",
    "eta": "η",
    "c0": "c₀",
    "c1": "c₁",
}
SYMBOLS = {**EXPONENT_SYMBOLS, "d1": "d₁", "f1": "f₁"}
ROUGH = BESIROGLU.parameters["beta"] / HOFFMANN.parameters["beta"]
"""The ratio of an interval's ends, 1.31, from which on it is wider than what two papers print for one exponent of the
same runs: beta is 0.28 in Hoffmann et al. 2022 (appendix D.2) and 0.366 in Besiroglu et al. 2024 (table 1).
"""
LOOSE = 2.0
"""The ratio of its ends from which on an interval leaves even the exponent's first digit open."""
SIGNIFICANT = 0.05
"""Of the runs test, as Wald & Wolfowitz 1940 use it."""
NEGLIGIBLE = 1e-4
"""Residuals below a hundredth of a percent are not worth a sentence, whatever their pattern: losses are rounded."""
LETTERS = {"params": "N", "tokens": "D", "flops": "C"}


def symbol(name: str) -> str:
    """A parameter as it is written."""
    return SYMBOLS.get(name, name)


def spread(low: float, high: float) -> float:
    """The ratio of an interval's ends; infinite where it reaches 0.

    >>> spread(0.5, 1.5), spread(-0.1, 0.2)
    (3.0, inf)
    """
    return high / low if low > 0 else math.inf


def exponent_sentence(name: str, value: float, interval: tuple[float, float]) -> str:
    """An exponent with its interval, and whether the runs determine it.

    >>> exponent_sentence("alpha", 1.0352, (0.58, 1.553))
    'α is 1.04 [0.58, 1.55]: the runs hardly determine it.'
    """
    width = spread(*interval)
    template = N_("{exponent} is {value:.3g} [{low:.3g}, {high:.3g}].")
    if width >= LOOSE:
        template = N_("{exponent} is {value:.3g} [{low:.3g}, {high:.3g}]: the runs hardly determine it.")
    elif width >= ROUGH:
        template = N_("{exponent} is {value:.3g} [{low:.3g}, {high:.3g}]: the runs determine it only roughly.")
    return _(template).format(exponent=symbol(name), value=value, low=interval[0], high=interval[1])


@dataclass(frozen=True, kw_only=True)
class RunsTest:
    """The runs test of Wald & Wolfowitz 1940 on the signs of residuals along an axis.

    Its runs are streaks of one sign, called so here because a run is a training run.
    """

    column: str
    """Along which the residuals are ordered: params, tokens or flops."""
    n_above: int
    n_below: int
    n_streaks: int

    @property
    def p(self) -> float:
        """How likely so few streaks are, or fewer, where the signs come in any order; exact, not approximated.

        >>> RunsTest(column="params", n_above=3, n_below=3, n_streaks=2).p
        0.1
        """
        if not (self.n_above and self.n_below):
            return 1.0
        orders = math.comb(self.n_above + self.n_below, self.n_above)
        return sum(self._orders(count) for count in range(2, self.n_streaks + 1)) / orders

    def _orders(self, n_streaks: int) -> int:
        """In how many orders there are so many streaks: each sign's are divided into as many parts as it has."""
        above, below = self.n_above - 1, self.n_below - 1
        half, is_odd = divmod(n_streaks, 2)
        if not is_odd:
            return 2 * math.comb(above, half - 1) * math.comb(below, half - 1)
        return math.comb(above, half) * math.comb(below, half - 1) + math.comb(above, half - 1) * math.comb(below, half)


def runs_test(residuals: Float[np.ndarray, " point"], points: Points, column: str) -> RunsTest:
    """Test the signs of the residuals in the order of a column, ties in the order of N and D, then of the table.

    Several seeds of one N and D stand side by side: where the law holds, their residuals are independent noise.
    """
    order = np.lexsort((points.tokens, points.params, getattr(points, column)))
    is_above = (residuals[order] > 0)[residuals[order] != 0]
    streaks = 1 + int(np.count_nonzero(is_above[1:] != is_above[:-1])) if is_above.size else 0
    return RunsTest(
        column=column,
        n_above=int(is_above.sum()),
        n_below=int(is_above.size - is_above.sum()),
        n_streaks=streaks,
    )


@dataclass(frozen=True, kw_only=True)
class Bend:
    """Whether the residuals of a fit bend along one of its columns."""

    column: str
    """The one along which chance explains them worst."""
    p: float
    """Of its runs test, times the number of columns that were tested (Dunn 1961)."""
    size: float
    """The root mean square of the residuals, as a share of the loss."""

    @property
    def is_clear(self) -> bool:
        """Whether chance is a poor explanation."""
        return self.p < SIGNIFICANT

    @property
    def sentence(self) -> str:
        """What the residuals say about the law's form."""
        if self.is_clear:
            template = _("Residuals ({size}% RMS) bend along {axis} (runs test, {p}): the law misses something.")
        else:
            template = _("Residuals ({size}% RMS) show no bend (runs test, {p}).")
        return template.format(size=two_digits(100 * self.size), axis=LETTERS[self.column], p=p_text(self.p))


def p_text(p: float) -> str:
    """A probability in one digit, a tiny one by its bound.

    >>> p_text(0.0123), p_text(0.0001), p_text(0.34)
    ('p = 0.01', 'p < 0.001', 'p = 0.3')
    """
    return "p < 0.001" if p < 1e-3 else f"p = {p:.1g}"


def bend_of(fitted: Fit) -> Bend | None:
    """The runs test along each column of the law; None where the residuals are negligible.

    None, too, where several points share a name: budgets cut from one training curve err together.
    """
    residuals, names = fitted.residuals(), fitted.points.names
    if len(set(names)) < len(names):
        return None
    size = float(np.sqrt(np.mean(residuals**2)))
    if size < NEGLIGIBLE:
        return None
    columns = [column for column in LAWS[fitted.law].form.columns if column in LETTERS]
    tests = [runs_test(residuals, fitted.points, column) for column in columns]
    worst = min(tests, key=lambda test: test.p)
    return Bend(column=worst.column, p=min(1.0, len(tests) * worst.p), size=size)


def fit_verdict(fitted: Fit, intervals: Mapping[str, tuple[float, float]]) -> list[str]:
    """What the fit can and cannot say: its held-out error, each exponent, its residuals, where it extrapolates.

    intervals: of the parameters, where they are known.
    """
    sentences = []
    if fitted.heldout is not None:
        template = _("Fitted to the smaller runs alone, the law predicts the {count} largest to {error}%.")
        sentences.append(
            template.format(count=len(fitted.heldout.indices), error=two_digits(100 * fitted.heldout.error))
        )
    exponents = [name for name in fitted.parameters if name in EXPONENT_SYMBOLS]
    untold = [name for name in exponents if name in fitted.unidentified]
    told = [name for name in exponents if name in intervals and name not in untold]
    sentences += [exponent_sentence(name, fitted.parameters[name], intervals[name]) for name in told]
    sentences += [_("{exponent} is not determined by the runs.").format(exponent=symbol(name)) for name in untold]
    bend = bend_of(fitted)
    sentences += [] if bend is None else [bend.sentence]
    largest = float(fitted.points.flops.max())
    return [*sentences, _("Beyond the largest run, {flops:.2g} FLOP, it extrapolates.").format(flops=largest)]
