"""Parameters of a fit that ended where their range ends: the points did not stop them, and determine none of them."""

from dataclasses import dataclass

from playground.scaling.forms.form import Form
from playground.scaling.minimise import CentredPoints, Minimum

CLOSE = 1e-3
"""Of theta. An exponent of 0.001 changes a power by a percent over four decades."""
BESIDE: dict[str, tuple[str, ...]] = {
    "alpha": ("A",),
    "beta": ("B",),
    "gamma": ("K",),
    "alpha_N": ("N_c",),
    "alpha_D": ("D_c",),
    "eta": ("a", "b"),
    "c0": ("A",),
    "d1": ("c1", "f1"),
    "A": ("alpha", "c0", "c1"),
    "B": ("beta",),
    "K": ("gamma",),
    "N_c": ("alpha_N",),
    "D_c": ("alpha_D",),
    "a": ("eta",),
    "b": ("eta",),
}
"""What the points do not determine either: a coefficient carries its exponent's units, a power that vanished has no
exponent, and a break at the end of the data none after it."""
FLAT = ("alpha", "beta", "gamma", "eta")
"""Exponents whose power, at the lower end, is a constant: it cannot be told from E."""
TIED = "beta"
"""Where theta is shorter than the parameters by one, this one is alpha."""


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """A parameter at an end of its range."""

    name: str
    value: float
    untold: tuple[str, ...]
    """It and the parameters that are not determined with it."""


def bounded_parameters(points: CentredPoints, minimum: Minimum, *, is_offset_known: bool) -> list[Bounded]:
    """The parameters that ended at a bound, E apart: the floor has diagnostics of its own."""
    found = []
    values = points.to_parameters(minimum.theta)
    for name, value, (low, high) in zip(fitted_names(points.form), minimum.theta, points.bounds(), strict=True):
        is_low = value - low < CLOSE
        if name != "E" and (is_low or high - value < CLOSE):
            untold = _untold_with(name, points.form, is_flat=is_low and name in FLAT and not is_offset_known)
            found.append(Bounded(name=name, value=values[name], untold=untold))
    return found


def fitted_names(form: Form) -> tuple[str, ...]:
    """The names of theta's entries."""
    if len(form.parameters) == form.n_fitted:
        return form.parameters
    return tuple(name for name in form.parameters if name != TIED)


def _untold_with(name: str, form: Form, *, is_flat: bool) -> tuple[str, ...]:
    tied = (TIED, *BESIDE[TIED]) if TIED not in fitted_names(form) and name == "alpha" else ()
    among = {name, *BESIDE.get(name, ()), *tied, *(("E",) if is_flat else ())}
    return tuple(parameter for parameter in form.parameters if parameter in among)
