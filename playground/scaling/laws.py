"""The scaling laws by name: what each says, and how to predict with it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.forms.broken_power import BrokenPower
from playground.scaling.forms.data_constrained import DataConstrained
from playground.scaling.forms.form import Form, Parameters
from playground.scaling.forms.kaplan_joint import KaplanJoint
from playground.scaling.forms.power_sum import PowerSum
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points


@dataclass(frozen=True, kw_only=True)
class Law:
    """A scaling law. formula is written for a person, in LaTeX; source is where it stands."""

    name: str
    title: str
    formula: str
    source: str
    form: Form

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its numbers, in the order of printing."""
        return self.form.parameters

    @property
    def fewest_points(self) -> int:
        """One more than the numbers that are fitted."""
        return self.form.freedom + 1

    def predict(
        self,
        parameters: Parameters,
        *,
        params: ArrayLike | None = None,
        tokens: ArrayLike | None = None,
        flops: ArrayLike | None = None,
        unique: ArrayLike | None = None,
    ) -> Float[np.ndarray, "*point"]:
        """The loss. Where they are needed and not given, flops are 6 N D, and all tokens are unique.

        Raises UserError where params or tokens that the law is a function of are missing.
        """
        if flops is None and params is not None and tokens is not None:
            flops = FLOPS_PER_PARAMETER_AND_TOKEN * np.asarray(params, float) * np.asarray(tokens, float)
        given = {"params": params, "tokens": tokens, "flops": flops, "unique": tokens if unique is None else unique}
        missing = [column for column in self.form.columns if given[column] is None]
        if missing:
            raise UserError(
                "The law {name} predicts from {columns}; give {missing} too.",
                name=self.name,
                columns=", ".join(self.form.columns),
                missing=missing[0],
            )
        values = [np.asarray(given[column], dtype=np.float64) for column in self.form.columns]
        return self.form.loss(parameters, *values)

    def predict_points(self, parameters: Parameters, points: Points) -> Float[np.ndarray, " point"]:
        """The loss of these runs."""
        return self.form.loss(parameters, *[getattr(points, column) for column in self.form.columns])


def law(name: str) -> Law:
    """The law of this name. Raises UserError for a name that no law has."""
    if name not in LAWS:
        raise UserError("There is no law {name!r}; choose one of {laws}.", name=name, laws=", ".join(LAWS))
    return LAWS[name]


KAPLAN = "Kaplan et al. 2020, section 1.2"
SYMBOLS = {"params": ("n", "N", "A", "alpha"), "tokens": ("d", "D", "B", "beta"), "flops": ("c", "C", "K", "gamma")}
"""Of each column: the letter in a law's name, the one in a formula, the names of coefficient and exponent."""


def _powers() -> list[Law]:
    """L = A / N^alpha and its like, in N, D and C, without and with an offset."""
    return [
        Law(
            name=f"power-{letter}" + ("-offset" if offset else ""),
            title=f"Power law in {symbol}" + (" with an offset" if offset else ""),
            formula=rf"L = {'E + ' if offset else ''}\frac{{{coefficient}}}{{{symbol}^\{exponent}}}",
            source=KAPLAN if not offset else "Henighan et al. 2020, equation 1.1",
            form=PowerSum(columns=(column,), coefficients=(coefficient,), exponents=(exponent,), offset=offset),
        )
        for column, (letter, symbol, coefficient, exponent) in SYMBOLS.items()
        for offset in (False, True)
    ]


def _broken_powers() -> list[Law]:
    """A power law with a bend, in C (the one without a suffix), N and D."""
    return [
        Law(
            name="broken-power" + ("" if column == "flops" else f"-{SYMBOLS[column][0]}"),
            title=f"Broken power law in {SYMBOLS[column][1]}",
            formula=rf"L = E + A\,{x}^{{-c_0}}\left(1 + ({x}/d_1)^{{1/f_1}}\right)^{{-c_1 f_1}}",
            source="Caballero et al. 2022, equation 1 with one break",
            form=BrokenPower(columns=(column,)),
        )
        for column in ("flops", "params", "tokens")
        for x in [SYMBOLS[column][1]]
    ]


CHINCHILLA = Law(
    name="chinchilla",
    title="Chinchilla",
    formula=r"L = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}",
    source="Hoffmann et al. 2022, equation 2",
    form=PowerSum(columns=("params", "tokens"), coefficients=("A", "B"), exponents=("alpha", "beta")),
)
KAPLAN_JOINT = Law(
    name="kaplan",
    title="Kaplan, N and D together",
    formula=r"L = \left[(N_c/N)^{\alpha_N/\alpha_D} + D_c/D\right]^{\alpha_D}",
    source="Kaplan et al. 2020, equation 1.5",
    form=KaplanJoint(),
)
DATA_CONSTRAINED = Law(
    name="data-constrained",
    title="Repeated data",
    formula=r"L = E + \frac{A}{N'^\alpha} + \frac{B}{D'^\beta},\quad D' = U_D + U_D R_D^*(1 - e^{-R_D/R_D^*})",
    source="Muennighoff et al. 2023, equations 5 and 6",
    form=DataConstrained(),
)
LAWS: dict[str, Law] = {
    entry.name: entry for entry in [CHINCHILLA, KAPLAN_JOINT, DATA_CONSTRAINED, *_powers(), *_broken_powers()]
}
