"""How far a fit can be trusted: which parameters the points identify, and how well it predicts the largest runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from playground.scaling.bounds import bounded_parameters
from playground.scaling.forms.form import SMALLEST_OFFSET, Form
from playground.scaling.laws import Law
from playground.scaling.minimise import CentredPoints, Minimum, minimise
from playground.scaling.points import Points
from playground.text import N_, _

ALTERNATIVE_OFFSETS = (0.0, 0.8, 1.2)
"""Multiples of a fitted E that are tried in its place, all other parameters refitted. 0 is no E at all."""
LIKELIHOOD_RATIO = 1.92
"""The log-likelihood ratio beyond which a value is rejected: half of the 95% quantile of chi squared."""
FEWEST_VALUES = 3
REPEATED = 0.05
"""How far log tokens lies above log unique where tokens are repeated."""
APART = 0.1
"""Standard deviation of log D around a power of N, below which the two are one variable: a tenth is ten per cent."""
NO_OFFSET = 0.01
"""As a share of the smallest loss: an E below it is none."""
TOO_FEW_VALUES = {
    "params": N_("There are only {count} different model sizes, too few to tell how the loss falls with them."),
    "tokens": N_("There are only {count} different token counts, too few to tell how the loss falls with them."),
    "flops": N_("There are only {count} different budgets, too few to tell how the loss falls with them."),
}
NARROW = {
    "params": N_(
        "The largest model has {ratio:.3g} times the parameters of the smallest, too few to tell {parameter}."
    ),
    "tokens": N_("The longest run saw {ratio:.3g} times the tokens of the shortest, too few to tell {parameter}."),
    "flops": N_("The largest budget is {ratio:.3g} times the smallest, too little to tell {parameter}."),
}
SMALLEST_RATIO = 2.0
"""Of the largest to the smallest N, D or C, below which no exponent beside an E is told. E, A and alpha need a level, a
slope and a curvature: over a factor r a power departs from a straight line in log N by (alpha ln r)^2 / 16 of itself.
With Hoffmann's alpha of 0.34 and r = 2 that is 0.3% of the power, 0.1% of the loss: less than two seeds differ by."""
SMALLEST_RATIO_ALONE = 1.1
"""Without an E the slope is enough: over a factor of 1.1 it moves the loss by 3%, ten times what seeds differ by."""
EXPONENTS = {"params": ("alpha", "alpha_N"), "tokens": ("beta", "alpha_D"), "flops": ("gamma",)}
OF_ANY_COLUMN = ("eta", "c0")


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A parameter that the points do not identify, and why: a template that is translated when it is shown."""

    parameter: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    has_interval: bool = True
    """Whether resampling says something about it."""

    @property
    def message(self) -> str:
        """The reason in one sentence."""
        return _(self.template).format(**self.values)


def diagnose(points: CentredPoints, minimum: Minimum, *, is_offset_known: bool = False) -> tuple[Diagnostic, ...]:
    """What the fit that ended at this minimum cannot identify; a known E is not questioned."""
    diagnostics = _too_few_values(points) + _no_repeats(points) + _moving_together(points)
    diagnostics += _at_bounds(points, minimum, is_offset_known=is_offset_known)
    if points.form.parameters[0] == "E" and not is_offset_known:
        diagnostics += _loose_offset(points, minimum)
    return tuple(diagnostics)


def _too_few_values(points: CentredPoints) -> list[Diagnostic]:
    """A power of something that hardly varies cannot be told from a constant."""
    diagnostics = []
    smallest = SMALLEST_RATIO if "E" in points.form.parameters else SMALLEST_RATIO_ALONE
    for column, logs in zip(points.form.columns, points.logs, strict=True):
        count, ratio = len(np.unique(logs.round(6))), float(np.exp(np.ptp(logs)))
        if column == "unique" or (count >= FEWEST_VALUES and ratio >= smallest):
            continue
        parameter = _exponent_of(column, points.form)
        template = TOO_FEW_VALUES[column] if count < FEWEST_VALUES else NARROW[column]
        values = {"count": count, "ratio": ratio, "parameter": parameter}
        diagnostics.append(Diagnostic(parameter=parameter, template=template, values=values))
    return diagnostics


def _exponent_of(column: str, form: Form) -> str:
    """The exponent of a column in a form."""
    return next(name for name in (*EXPONENTS[column], *OF_ANY_COLUMN) if name in form.parameters)


def _at_bounds(points: CentredPoints, minimum: Minimum, *, is_offset_known: bool) -> list[Diagnostic]:
    """Parameters that ended where their range does, and those that are not determined with them."""
    template = N_(
        "The best {name} is {value:.4g}, an end of the range that a fit may take: the points do not determine {untold}."
    )
    return [
        Diagnostic(
            parameter=parameter,
            template=template,
            values={"name": bounded.name, "value": bounded.value, "untold": ", ".join(bounded.untold)},
            has_interval=False,
        )
        for bounded in bounded_parameters(points, minimum, is_offset_known=is_offset_known)
        for parameter in bounded.untold
    ]


def _no_repeats(points: CentredPoints) -> list[Diagnostic]:
    """R_D, where no token is repeated."""
    if "R_D" not in points.form.parameters or (points.logs[1] > points.logs[2] + REPEATED).any():
        return []
    template = N_("No run repeats its data (unique below tokens), so the value of repeated tokens is unknown.")
    return [Diagnostic(parameter="R_D", template=template)]


def _moving_together(points: CentredPoints) -> list[Diagnostic]:
    """The exponents of N and D, where the one is nearly a power of the other: only their joint fall shows."""
    if not {"params", "tokens"} <= set(points.form.columns) or len(points.log_losses) < FEWEST_VALUES:
        return []
    # With one exponent for both it is the coefficients that cannot be told apart.
    confused = [name for name in points.form.parameters if name.startswith(("alpha", "beta")) or name in ("a", "b")]
    by_column = dict(zip(points.form.columns, points.logs, strict=True))
    params, tokens = by_column["params"], by_column["tokens"]
    if min(np.ptp(params), np.ptp(tokens)) < APART:
        return []
    slope, offset = np.polyfit(params, tokens, 1)
    apart = float(np.std(tokens - slope * params - offset))
    if apart > APART:
        return []
    template = N_(
        "Parameters and tokens move together (D ~ N^{slope:.2f}): how the loss falls with the one cannot be told from "
        "how it falls with the other. Add runs of one size on several numbers of tokens."
    )
    values = {"slope": float(slope)}
    return [Diagnostic(parameter=parameter, template=template, values=values) for parameter in confused]


def _loose_offset(points: CentredPoints, minimum: Minimum) -> list[Diagnostic]:
    """E, where an E that is a fifth smaller or larger, or none, fits as well."""
    fitted = math.exp(minimum.theta[0])
    if fitted < NO_OFFSET * math.exp(points.log_losses.min()):
        template = N_("The points show no floor: the best fit has an E of nearly 0.")
        return [Diagnostic(parameter="E", template=template)]
    others = [share * fitted for share in ALTERNATIVE_OFFSETS if _fits_as_well(share, points, minimum)]
    if not others:
        return []
    template = N_(
        "The points do not identify E: E = {others} fits about as well as {fitted:.3g}. "
        "Trust the curve, not its asymptote."
    )
    values = {"others": ", ".join(f"{value:.3g}" for value in others), "fitted": fitted}
    return [Diagnostic(parameter="E", template=template, values=values)]


def _fits_as_well(share: float, points: CentredPoints, minimum: Minimum) -> bool:
    """Whether a likelihood-ratio test does not reject this share of the fitted E: a point of its profile likelihood."""
    log_offset = minimum.theta[0] + math.log(share) if share else float(points.log_losses.min()) - SMALLEST_OFFSET
    refitted = minimise(points, minimum.theta[None], fixed={0: log_offset}).objective
    # The test of normal residuals of unknown width, n/2 log(S / S_min); heavier tails make it reject a little too
    # rarely. The tiny term keeps points that lie on a law exactly, S = 0, from dividing by 0.
    n_points = len(points.log_losses)
    tiny = 1e-12 * n_points
    return 0.5 * n_points * math.log((refitted + tiny) / (minimum.objective + tiny)) < LIKELIHOOD_RATIO


HELD_OUT_SHARE = 0.2
SAME_SIZE = 1 - 1e-9
"""Budgets closer than this ratio are one: their runs are held out together or not at all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """The largest runs, predicted by a fit to all others."""

    indices: tuple[int, ...]
    """Of the held-out points among all points."""
    names: tuple[str, ...]
    by: str
    """The column whose largest values were held out."""
    from_value: float
    """The smallest of those values."""
    measured: Float[np.ndarray, " held"]
    predicted: Float[np.ndarray, " held"]

    @property
    def error(self) -> float:
        """The mean of |log predicted - log measured|; 0.01 is one percent off."""
        return float(np.abs(np.log(self.predicted / self.measured)).mean())

    @property
    def bias(self) -> float:
        """The mean of log measured - log predicted, like residuals; above 0 where the law predicts too little loss."""
        return float(np.log(self.measured / self.predicted).mean())


def hold_out(
    law: Law, points: Points, share: float = HELD_OUT_SHARE, *, fixed: dict[int, float] | None = None
) -> HeldOut | None:
    """Fit to all but the largest runs and predict those; None where too few would be left to fit to.

    The largest are those of most FLOPs, or of most of the law's one variable. fixed: see `minimise`.
    """
    by = law.form.columns[0] if len(law.form.columns) == 1 else "flops"
    sizes = getattr(points, by)
    order = np.argsort(sizes, kind="stable")
    cut = len(points) - max(1, round(share * len(points)))
    # Runs of one budget stay together: move the cut down to where the budget changes.
    while cut > 0 and sizes[order[cut - 1]] >= SAME_SIZE * sizes[order[cut]]:
        cut -= 1
    if cut < law.fewest_points:
        return None
    largest = order[cut:]
    predicted = law.predict_points(_fit(law.form, points.take(order[:cut]), fixed), points.take(largest))
    return HeldOut(
        indices=tuple(int(index) for index in largest),
        names=tuple(points.name(int(index)) for index in largest),
        by=by,
        from_value=float(sizes[largest[0]]),
        measured=points.loss[largest],
        predicted=predicted,
    )


def _fit(form: Form, points: Points, fixed: dict[int, float] | None) -> dict[str, float]:
    centred = CentredPoints.of(form, points)
    return centred.to_parameters(minimise(centred, centred.starts(), fixed).theta)
