"""What the papers printed: laws, allocations, and the ladder between Kaplan and Hoffmann, each with its source.

Titles and sources are marked for translation: `_(entry.title)` where they are shown.
"""

import math
from dataclasses import dataclass

from playground.scaling.forms.form import Parameters
from playground.text import N_

PETAFLOP_DAY = 1e15 * 24 * 3600
"""In FLOPs, Kaplan et al. 2020's unit of compute."""
GOPHER_BUDGET = 5.76e23
"""In FLOPs, for which Hoffmann et al. 2022 print an optimum by each approach."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A law with its printed parameters."""

    key: str
    title: str
    law: str
    parameters: Parameters
    source: str
    counts: str
    """What its N counts."""
    errors: Parameters | None = None
    """Printed standard errors."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """A printed N ~ C^exponent, through N = params at a budget of `flops`."""

    key: str
    title: str
    exponent: float
    flops: float
    params: float
    source: str
    interval: tuple[float, float] | None = None
    """Of the exponent, where one is printed."""
    interval_means: str = ""
    middle: float = 1.3e20
    """The budget around which an exponent's error turns the line: the geometric middle of Hoffmann's isoFLOP runs
    (6e18 to 3e21 FLOPs, section 3.2).
    """
    largest: float = 3e21
    """The largest budget of the paper's runs."""


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A step from Kaplan's exponent to Hoffmann's: the exponent of N in C with all these changes made."""

    key: str
    title: str
    exponent: float
    changes: frozenset[str] = frozenset()


WITHOUT_EMBEDDINGS = N_("parameters without embeddings")
ALL = N_("all parameters")

KAPLAN_N = Published(
    key="kaplan-n",
    title=N_("Kaplan, N alone"),
    law="power-n",
    # (N_c / N)^alpha_N, as A / N^alpha.
    parameters={"A": 8.8e13**0.076, "alpha": 0.076},
    source=N_("Kaplan et al. 2020, equation 1.1 and table 5: alpha_N 0.076, N_c 8.8e13"),
    counts=WITHOUT_EMBEDDINGS,
)
KAPLAN_D = Published(
    key="kaplan-d",
    title=N_("Kaplan, D alone"),
    law="power-d",
    parameters={"B": 5.4e13**0.095, "beta": 0.095},
    source=N_("Kaplan et al. 2020, equation 1.2 and table 5: alpha_D 0.095, D_c 5.4e13"),
    counts=WITHOUT_EMBEDDINGS,
)
KAPLAN_C = Published(
    key="kaplan-c",
    title=N_("Kaplan, C alone, best allocation"),
    law="power-c",
    parameters={"K": (3.1e8 * PETAFLOP_DAY) ** 0.050, "gamma": 0.050},
    source=N_("Kaplan et al. 2020, equation 1.3 and table 5: alpha_C^min 0.050, C_c^min 3.1e8 PF-days"),
    counts=WITHOUT_EMBEDDINGS,
)
KAPLAN = Published(
    key="kaplan",
    title=N_("Kaplan"),
    law="kaplan",
    parameters={"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103},
    source=N_("Kaplan et al. 2020, table 2, for equation 1.5"),
    counts=WITHOUT_EMBEDDINGS,
)
HOFFMANN = Published(
    key="hoffmann-3",
    title=N_("Hoffmann, approach 3"),
    law="chinchilla",
    parameters={"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28},
    source=N_("Hoffmann et al. 2022, appendix D.2, equation 10, as printed"),
    counts=ALL,
)
BESIROGLU = Published(
    key="besiroglu",
    title=N_("Besiroglu, the replication"),
    law="chinchilla",
    parameters={"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658},
    # Table 1 rounds the errors of E, alpha and beta to 0.03, 0.02 and 0.02.
    errors={"E": 0.026, "A": 124.58, "B": 1293.23, "alpha": 0.015, "beta": 0.021},
    source=N_("Besiroglu et al. 2024, table 1: 240 points read off a figure of Hoffmann et al."),
    counts=ALL,
)
MUENNIGHOFF = Published(
    key="muennighoff",
    title=N_("Muennighoff, repeated data"),
    law="data-constrained",
    parameters={
        # Appendix B prints logarithms.
        "E": math.exp(0.6254804),
        "A": math.exp(6.255414),
        "B": math.exp(7.3049974),
        "alpha": 0.3526596,
        "beta": 0.3526596,
        "R_D": 15.387756,
        "R_N": 5.309743,
    },
    source=N_("Muennighoff et al. 2023, appendix B; R_D and R_N: appendix A"),
    counts=ALL,
)
PUBLISHED: dict[str, Published] = {
    entry.key: entry for entry in [KAPLAN_N, KAPLAN_D, KAPLAN_C, KAPLAN, HOFFMANN, BESIROGLU, MUENNIGHOFF]
}

PERCENTILES = N_("10th to 90th percentile of bootstrapped exponents")
ALLOCATIONS: dict[str, Allocation] = {
    entry.key: entry
    for entry in [
        Allocation(
            key="kaplan",
            title=N_("Kaplan"),
            exponent=0.73,
            flops=PETAFLOP_DAY,
            params=1.3e9,
            # 1.5e9 parameters (section 3), 2.5e5 steps of 512 x 1024 tokens (section 2.2).
            largest=6 * 1.5e9 * 2.5e5 * 512 * 1024,
            source=N_("Kaplan et al. 2020, table 6: N = 1.3e9 C_min^0.73, C in PF-days, without embeddings"),
        ),
        Allocation(
            key="hoffmann-1",
            title=N_("Hoffmann, approach 1"),
            exponent=0.50,
            flops=GOPHER_BUDGET,
            params=67e9,
            interval=(0.488, 0.502),
            interval_means=PERCENTILES,
            source=N_("Hoffmann et al. 2022, tables 2 and 3: minimum over training curves"),
        ),
        Allocation(
            key="hoffmann-2",
            title=N_("Hoffmann, approach 2"),
            exponent=0.49,
            flops=GOPHER_BUDGET,
            # A label in the figure; table A3, between its rows of 10 and 67 billion, gives 61.5e9.
            params=63e9,
            interval=(0.462, 0.534),
            interval_means=PERCENTILES,
            source=N_("Hoffmann et al. 2022, table 2 and figure 3: isoFLOP profiles"),
        ),
        Allocation(
            key="hoffmann-3",
            title=N_("Hoffmann, approach 3"),
            exponent=0.46,
            flops=GOPHER_BUDGET,
            params=40e9,
            interval=(0.454, 0.455),
            interval_means=N_(
                "10th to 90th percentile of bootstrapped exponents, printed narrower than the exponent's own rounding"
            ),
            source=N_("Hoffmann et al. 2022, table 2 and figure 4: parametric loss"),
        ),
    ]
}

COUNTED, WARMED = frozenset({"head"}), frozenset({"head", "warm-up"})
LADDER: tuple[Rung, ...] = (
    Rung(key="kaplan", title=N_("Kaplan's set-up"), exponent=0.834),
    Rung(key="head", title=N_("The last layer's compute counted"), exponent=0.701, changes=COUNTED),
    Rung(key="warm-up", title=N_("A warm-up that small models can afford"), exponent=0.604, changes=WARMED),
    Rung(
        key="decay",
        title=N_("Then the rate decayed with the budget, nothing tuned"),
        exponent=0.571,
        changes=WARMED | {"decay"},
    ),
    Rung(
        key="tuned",
        title=N_("Instead rate, batch and β₂ tuned for each size, no decay"),
        exponent=0.497,
        changes=WARMED | {"tuned"},
    ),
)
"""Porian et al. 2024, figure 1, on RefinedWeb: exponents of N in C. The last two each follow upon the third, not upon
one another: the optimiser was tuned at a constant learning rate.
"""
