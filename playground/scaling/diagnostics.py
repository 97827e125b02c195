"""Which of a law's numbers the points do not tell, with sentences that say why."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.scaling.forms.form import SMALLEST_OFFSET, Form
from playground.scaling.laws import Law
from playground.scaling.minimise import minimise
from playground.scaling.points import Points

MOVES = (0.0, 0.8, 1.2)
"""Of a fitted E: what is tried in its place, all other numbers fitted anew. 0 is no E at all."""
LIKELIHOOD = 1.92
"""How much less likely, in logarithms, before a value is refused: half of chi squared's 95 % quantile."""
FEWEST_VALUES = 3
REPEATED = 0.05
"""In natural logarithms, by how much tokens are more than the unique ones where some are repeated."""
NO_OFFSET = 0.01
"""Of the smallest loss: an E below it is none."""
LETTERS = {
    "params": "model sizes",
    "tokens": "numbers of tokens",
    "flops": "budgets",
    "unique": "sets of unique tokens",
}


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A number that the points do not tell, and why in one sentence."""

    parameter: str
    sentence: str


def doubts(
    form: Form,
    theta: Float[np.ndarray, " number"],
    objective: float,
    logs: Float[np.ndarray, "column point"],
    log_losses: Float[np.ndarray, " point"],
    *,
    holds_offset: bool = False,
) -> tuple[Doubt, ...]:
    """What the fit at theta cannot know. logs lie around 0. holds_offset: E was not fitted, but known."""
    found = _too_few_values(form, logs) + _no_repeats(form, logs)
    if form.parameters[0] == "E" and not holds_offset:
        found += _loose_offset(form, theta, objective, logs, log_losses)
    return tuple(found)


def _too_few_values(form: Form, logs: Float[np.ndarray, "column point"]) -> list[Doubt]:
    """A power of something that hardly varies cannot be told from a constant."""
    found = []
    for column, values in zip(form.columns, logs, strict=True):
        count = len(np.unique(values.round(6)))
        if column != "unique" and count < FEWEST_VALUES:
            exponents = dict(zip(("params", "tokens", "flops"), ("alpha", "beta", "gamma"), strict=True))
            name = exponents[column] if exponents[column] in form.parameters else form.parameters[-1]
            sentence = (
                f"There are only {count} different {LETTERS[column]}, too few to tell how the loss falls with them."
            )
            found.append(Doubt(parameter=name, sentence=sentence))
    return found


def _no_repeats(form: Form, logs: Float[np.ndarray, "column point"]) -> list[Doubt]:
    """How fast repeated tokens lose their worth, where none is repeated."""
    if "R_D" not in form.parameters or (logs[1] > logs[2] + REPEATED).any():
        return []
    sentence = "No run repeats its data (unique below tokens), so nothing is known of what repeats are worth."
    return [Doubt(parameter="R_D", sentence=sentence)]


def _loose_offset(
    form: Form,
    theta: Float[np.ndarray, " number"],
    objective: float,
    logs: Float[np.ndarray, "column point"],
    log_losses: Float[np.ndarray, " point"],
) -> list[Doubt]:
    """E, where an E that is a fifth smaller or larger, or none, fits as well."""
    fitted = math.exp(theta[0])
    if fitted < NO_OFFSET * math.exp(log_losses.min()):
        return [Doubt(parameter="E", sentence="The points show no floor: the best fit has an E of nearly 0.")]
    good = [share * fitted for share in MOVES if _fits_as_well(share, form, theta, objective, logs, log_losses)]
    if not good:
        return []
    others = " or ".join(f"{value:.3g}" if value else "no E at all" for value in good)
    sentence = f"The points do not tell E: {others} fits about as well as {fitted:.3g}. Trust the curve, not its floor."
    return [Doubt(parameter="E", sentence=sentence)]


def _fits_as_well(
    share: float,
    form: Form,
    theta: Float[np.ndarray, " number"],
    objective: float,
    logs: Float[np.ndarray, "column point"],
    log_losses: Float[np.ndarray, " point"],
) -> bool:
    value = theta[0] + math.log(share) if share else float(log_losses.min()) - SMALLEST_OFFSET
    moved = minimise(form, logs, log_losses, theta[None], held={0: value}).objective
    # Residuals of a normal distribution of unknown width; for heavier tails this refuses a little too rarely.
    tiny = 1e-12 * len(log_losses)
    return 0.5 * len(log_losses) * math.log((moved + tiny) / (objective + tiny)) < LIKELIHOOD


SHARE = 0.2
SAME = 1 - 1e-9
"""Budgets closer than this are one: their runs are held out together or not at all."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """What was foretold. rows are those of the points held out; error is the mean of |log predicted - log measured|.

    bias is the mean of log predicted - log measured: above 0 where the law foretells too much loss. by is the column
    whose largest values were held out, and from_value the smallest of them.
    """

    rows: tuple[int, ...]
    names: tuple[str, ...]
    by: str
    from_value: float
    measured: Float[np.ndarray, " held"]
    predicted: Float[np.ndarray, " held"]

    @property
    def error(self) -> float:
        """0.01 is one percent off."""
        return float(np.abs(np.log(self.predicted / self.measured)).mean())

    @property
    def bias(self) -> float:
        """The error with its sign."""
        return float(np.log(self.predicted / self.measured).mean())


def hold_out(law: Law, points: Points, share: float = SHARE, *, held: dict[int, float] | None = None) -> HeldOut | None:
    """Fit to all but the largest runs and foretell those; None where too few would be left to fit to.

    held are numbers of theta that are known (`minimise`).

    The largest are those of most FLOPs, or of most of the one thing that the law is a function of.
    """
    by = law.form.columns[0] if len(law.form.columns) == 1 else "flops"
    sizes = getattr(points, by)
    order = np.argsort(sizes, kind="stable")
    cut = len(points) - max(1, round(share * len(points)))
    while cut > 0 and sizes[order[cut - 1]] >= SAME * sizes[order[cut]]:
        cut -= 1
    if cut < law.fewest_points:
        return None
    largest = order[cut:]
    predicted = law.predict_points(_parameters(law, points.take(order[:cut]), held), points.take(largest))
    return HeldOut(
        rows=tuple(int(row) for row in largest),
        names=tuple(points.name(int(row)) for row in largest),
        by=by,
        from_value=float(sizes[largest[0]]),
        measured=points.loss[largest],
        predicted=predicted,
    )


def _parameters(law: Law, points: Points, held: dict[int, float] | None) -> dict[str, float]:
    form = law.form
    logs, log_losses = points.logs(form.columns), np.log(points.loss)
    centre = form.centre(logs)
    logs = logs - centre[:, None]
    theta = minimise(form, logs, log_losses, form.starts(logs, log_losses), held).theta
    return form.published(form.moved(theta, -centre))
