"""The scaling laws by name, and predicting with them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from playground.errors import UserError
from playground.scaling.forms.broken_power import BrokenPower
from playground.scaling.forms.data_constrained import DataConstrained
from playground.scaling.forms.equal_exponents import EqualExponents
from playground.scaling.forms.form import Form, Parameters
from playground.scaling.forms.kaplan_joint import KaplanJoint
from playground.scaling.forms.power_sum import PowerSum
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN, Points
from playground.text import N_


@dataclass(frozen=True, kw_only=True)
class Law:
    """A scaling law."""

    name: str
    title: str
    """Marked for translation: `_(law.title)` where it is shown."""
    formula: str
    """In LaTeX."""
    source: str
    """Paper, section, equation; marked for translation."""
    form: Form
    ratio: str
    """At which tokens per parameter it holds; marked for translation."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in the order of printing."""
        return self.form.parameters

    @property
    def fewest_points(self) -> int:
        """One more than the parameters that are fitted."""
        return self.form.n_fitted + 1

    def predict(
        self,
        parameters: Parameters,
        *,
        params: ArrayLike | None = None,
        tokens: ArrayLike | None = None,
        flops: ArrayLike | None = None,
        unique: ArrayLike | None = None,
    ) -> Float[np.ndarray, "*point"]:
        """The loss. Where they are not given, flops are 6 N D, and all tokens are unique.

        Raises UserError where params or tokens that the law is a function of are missing.
        """
        if flops is None and params is not None and tokens is not None:
            flops = FLOPS_PER_PARAMETER_AND_TOKEN * np.asarray(params, float) * np.asarray(tokens, float)
        columns = {"params": params, "tokens": tokens, "flops": flops, "unique": tokens if unique is None else unique}
        missing = [column for column in self.form.columns if columns[column] is None]
        if missing:
            raise UserError(
                "The law {name} predicts from {columns}; give {missing} too.",
                name=self.name,
                columns=", ".join(self.form.columns),
                missing=missing[0],
            )
        values = [np.asarray(columns[column], dtype=np.float64) for column in self.form.columns]
        return self.form.loss(parameters, *values)

    def predict_points(self, parameters: Parameters, points: Points) -> Float[np.ndarray, " point"]:
        """The loss of these runs."""
        return self.form.loss(parameters, *[getattr(points, column) for column in self.form.columns])


def law(name: str) -> Law:
    """The law of this name. Raises UserError for a name that no law has."""
    if name not in LAWS:
        raise UserError("There is no law {name!r}; choose one of {laws}.", name=name, laws=", ".join(LAWS))
    return LAWS[name]


SYMBOLS = {"params": ("n", "N", "A", "alpha"), "tokens": ("d", "D", "B", "beta"), "flops": ("c", "C", "K", "gamma")}
"""Of each column: the letter in a law's name, the one in a formula, the names of coefficient and exponent."""
POWER_TITLES = {
    ("params", False): N_("Power law in N"),
    ("params", True): N_("Power law in N with an offset"),
    ("tokens", False): N_("Power law in D"),
    ("tokens", True): N_("Power law in D with an offset"),
    ("flops", False): N_("Power law in C"),
    ("flops", True): N_("Power law in C with an offset"),
}
BROKEN_TITLES = {
    "flops": N_("Broken power law in C"),
    "params": N_("Broken power law in N"),
    "tokens": N_("Broken power law in D"),
}


RATIOS = {
    "params": N_("It holds where data are ample: at D/N so large that more tokens would not help."),
    "tokens": N_("It holds where models are ample: at D/N so small that more parameters would not help."),
    "flops": N_("It holds along one line of N over C: the runs' own, or the compute-optimal one."),
}
"""At which tokens per parameter a law of one column holds."""


def _powers() -> list[Law]:
    """L = A / N^alpha and the like, in N, D and C, without and with an offset."""
    return [
        Law(
            name=f"power-{letter}" + ("-offset" if offset else ""),
            title=POWER_TITLES[column, offset],
            formula=rf"L = {'E + ' if offset else ''}\frac{{{coefficient}}}{{{symbol}^\{exponent}}}",
            source=N_("Henighan et al. 2020, equation 1.1") if offset else N_("Kaplan et al. 2020, section 1.2"),
            form=PowerSum(columns=(column,), coefficients=(coefficient,), exponents=(exponent,), offset=offset),
            ratio=RATIOS[column],
        )
        for column, (letter, symbol, coefficient, exponent) in SYMBOLS.items()
        for offset in (False, True)
    ]


def _broken_powers() -> list[Law]:
    """A power law with one break, in C (the name without a suffix), N and D."""
    return [
        Law(
            name="broken-power" + ("" if column == "flops" else f"-{SYMBOLS[column][0]}"),
            title=BROKEN_TITLES[column],
            formula=rf"L = E + A\,{x}^{{-c_0}}\left(1 + ({x}/d_1)^{{1/f_1}}\right)^{{-c_1 f_1}}",
            source=N_("Caballero et al. 2022, equation 1 with one break"),
            form=BrokenPower(columns=(column,)),
            ratio=RATIOS[column],
        )
        for column in ("flops", "params", "tokens")
        for x in [SYMBOLS[column][1]]
    ]


CHINCHILLA = Law(
    name="chinchilla",
    title=N_("Chinchilla"),
    formula=r"L = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}",
    source=N_("Hoffmann et al. 2022, equation 2"),
    form=PowerSum(columns=("params", "tokens"), coefficients=("A", "B"), exponents=("alpha", "beta")),
    ratio=N_("It is a law at any ratio D/N; its optimum moves with compute unless α = β."),
)
KAPLAN_JOINT = Law(
    name="kaplan",
    title=N_("Kaplan, N and D together"),
    formula=r"L = \left[(N_c/N)^{\alpha_N/\alpha_D} + D_c/D\right]^{\alpha_D}",
    source=N_("Kaplan et al. 2020, equation 1.5"),
    form=KaplanJoint(),
    ratio=N_(
        "It is a law at any ratio D/N, of runs that are stopped before they overfit; its optimum moves with compute."
    ),
)
DATA_CONSTRAINED = Law(
    name="data-constrained",
    title=N_("Data-constrained (repeated data)"),
    formula=r"L = E + \frac{A}{N'^\alpha} + \frac{B}{D'^\beta},\quad D' = U_D + U_D R_D^*(1 - e^{-R_D/R_D^*})",
    source=N_("Muennighoff et al. 2023, equations 5 and 6"),
    form=DataConstrained(),
    ratio=N_("It is a law at any ratio D/N, of repeated tokens too; its optimum for fresh data is one ratio."),
)
GADRE = Law(
    name="gadre",
    title=N_("Gadre, over-training"),
    formula=r"L = E + \left(a M^\eta + b M^{-\eta}\right) C^{-\eta},\quad M = D/N",
    source=N_("Gadre et al. 2024, equation 4"),
    form=EqualExponents(),
    ratio=N_("It is a law in C at each ratio D/N; its optimum is one ratio at every compute."),
)
LAWS: dict[str, Law] = {
    entry.name: entry for entry in [CHINCHILLA, KAPLAN_JOINT, GADRE, DATA_CONSTRAINED, *_powers(), *_broken_powers()]
}
