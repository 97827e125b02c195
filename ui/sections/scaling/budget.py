"""A budget in FLOP, as FLOP, as accelerators and hours, or as money; and what it costs."""

from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.scaling.budgets import ACCELERATORS, Cost, Rig, cost, flops_of_hours, flops_of_money
from playground.text import _
from ui import state
from ui.sections.scaling.figure import show_metrics
from ui.units import duration, prefixed
from ui.widgets.choice import choose_word

USUAL = Rig()
FLOPS, HOURS, MONEY = 1e21, 24.0, 10_000.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """So many FLOP, on such a rig."""

    flops: float
    rig: Rig


def choose_budget() -> Budget | None:
    """The budget; None, with a sentence, where its numbers make none."""
    titles = {"flops": _("FLOP"), "hours": _("Accelerators and hours"), "money": _("Money")}
    by = choose_word("budget", _("Budget as"), titles)
    amount = {
        "flops": lambda: number("budget_flops", _("FLOP"), FLOPS, 1e9, 1e32, form="%.2e"),
        "hours": lambda: number("budget_hours", _("Hours"), HOURS, 0.01, 1e7),
        "money": lambda: number("budget_money", _("Money"), MONEY, 0.01, 1e13),
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
    """Where it is trained: which accelerators, how many, how well used, at what price. Raises UserError."""
    words = list(ACCELERATORS)
    columns = st.columns(5)
    with columns[0]:
        key = st.selectbox(
            _("Accelerator"),
            words,
            index=words.index(state.read_word("accelerator", words)),
            format_func=lambda word: ACCELERATORS[word].title,
            key="choose_accelerator",
        )
        state.write_word("accelerator", key, words[0])
    with columns[1]:
        count = number("accelerators", _("How many"), USUAL.count, 1, 1e6, form="%.0f")
    with columns[2]:
        utilisation = number("utilisation", _("Utilisation"), USUAL.utilisation, 0.01, 1.0, form="%.2f")
    with columns[3]:
        price = number("price", _("Price of one for an hour"), USUAL.price, 0.0, 1e4, form="%.2f")
    with columns[4]:
        overhead = number("overhead", _("Power, times the rated"), USUAL.overhead, 1.0, 10.0, form="%.2f")
    return Rig(accelerator=ACCELERATORS[key], count=int(count), utilisation=utilisation, price=price, overhead=overhead)


def number(name: str, label: str, usual: float, least: float, most: float, *, form: str = "%.6g") -> float:
    """A number that stands in the address."""
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


def show_cost(budget: Budget) -> None:
    """Time, energy and money of the whole budget."""
    found: Cost = cost(budget.flops, budget.rig)
    cells = (
        (_("Compute"), f"{budget.flops:.3g} FLOP"),
        (_("Time"), duration(3600 * found.hours)),
        (_("Accelerator hours"), f"{found.accelerator_hours:,.3g}"),
        (_("Energy"), prefixed(1000 * found.kilowatt_hours, "Wh")),
        (_("Money"), f"{found.money:,.0f}"),
    )
    show_metrics((label, value, "") for label, value in cells)
