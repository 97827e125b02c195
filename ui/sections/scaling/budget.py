"""A compute budget, given as FLOP, as accelerators and hours, or as money; and what it costs."""

from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.scaling.budgets import ACCELERATORS, Rig, flops_of_hours, flops_of_money, training_cost
from playground.text import _
from ui import state
from ui.sections.scaling.figure import show_metrics
from ui.units import duration, prefixed
from ui.widgets.choice import choose_word

DEFAULT_RIG = Rig()
FLOPS, HOURS, MONEY = 1e21, 24.0, 10_000.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A compute budget on a rig."""

    flops: float
    rig: Rig


def choose_budget() -> Budget | None:
    """The budget; None, with the reason, where its numbers cannot be."""
    titles = {"flops": _("Compute (FLOP)"), "hours": _("Accelerators and hours"), "money": _("Cost")}
    by = choose_word("budget", _("Budget"), titles)
    amount = {
        "flops": lambda: number("budget_flops", _("Compute (FLOP)"), FLOPS, 1e9, 1e32, form="%.2e"),
        "hours": lambda: number("budget_hours", _("Hours"), HOURS, 0.01, 1e7),
        "money": lambda: number("budget_money", _("Cost (in your currency)"), MONEY, 0.01, 1e13),
    }[by]()
    try:
        rig = choose_rig()
        if by == "flops":
            return Budget(flops=amount, rig=rig)
        return Budget(flops=flops_of_hours(amount, rig) if by == "hours" else flops_of_money(amount, rig), rig=rig)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def choose_rig() -> Rig:
    """The accelerators, their number, utilisation and price. Raises UserError for what cannot be."""
    keys = list(ACCELERATORS)
    columns = st.columns(5)
    with columns[0]:
        key = st.selectbox(
            _("Accelerator"),
            keys,
            index=keys.index(state.read_word("accelerator", keys)),
            format_func=lambda key: ACCELERATORS[key].title,
            key="choose_accelerator",
        )
        state.write_word("accelerator", key, keys[0])
    with columns[1]:
        count = number("accelerators", _("Accelerators"), DEFAULT_RIG.count, 1, 1e6, form="%.0f")
    with columns[2]:
        utilisation = number("utilisation", _("Utilisation (MFU)"), DEFAULT_RIG.utilisation, 0.01, 1.0, form="%.2f")
    with columns[3]:
        price = number("price", _("Price per accelerator-hour"), DEFAULT_RIG.price, 0.0, 1e4, form="%.2f")
    with columns[4]:
        overhead = number("overhead", _("PUE × power factor"), DEFAULT_RIG.overhead, 1.0, 10.0, form="%.2f")
    return Rig(accelerator=ACCELERATORS[key], count=int(count), utilisation=utilisation, price=price, overhead=overhead)


def number(name: str, label: str, usual: float, least: float, most: float, *, form: str = "%.6g") -> float:
    """A number, kept in the address."""
    value = st.number_input(
        label,
        min_value=float(least),
        max_value=float(most),
        value=state.read_float(name, float(usual), least, most),
        format=form,
        key=f"number_{name}",
    )
    state.write_float(name, value, usual)
    return float(value)


def show_budget_cost(budget: Budget) -> None:
    """Time, energy and cost of the budget."""
    cost = training_cost(budget.flops, budget.rig)
    cells = (
        (_("Compute (FLOP)"), f"{budget.flops:.3g}"),
        (_("Time"), duration(3600 * cost.hours)),
        (_("Accelerator-hours"), f"{cost.accelerator_hours:,.3g}"),
        (_("Energy"), prefixed(1000 * cost.kilowatt_hours, "Wh")),
        (_("Cost"), f"{cost.money:,.0f}"),
    )
    show_metrics((label, value, "") for label, value in cells)
