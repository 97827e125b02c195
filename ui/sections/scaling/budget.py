"""A compute budget, given as FLOP, as accelerators and hours, or as money; and what it costs."""

from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.scaling.budgets import ACCELERATORS, Rig, flops_of_hours, flops_of_money, training_cost
from playground.text import _
from playground.units import duration, prefixed
from ui.sections.scaling.figure import show_metrics
from ui.state import parameters
from ui.state.address import read_choice, read_float, write_choice, write_float
from ui.state.parameters import ACCELERATOR, BUDGET, CURRENCY
from ui.state.revisions import widget_key
from ui.text import error_sentence
from ui.widgets.choice import choose_option

DEFAULT_RIG = Rig()
FLOPS, HOURS, MONEY = 1e21, 24.0, 10_000.0


@dataclass(frozen=True, kw_only=True)
class ComputeBudget:
    """A compute budget on a rig."""

    flops: float
    rig: Rig


def choose_budget() -> ComputeBudget | None:
    """The budget; None, with the reason, where its numbers cannot be."""
    titles = {"flops": _("Compute (FLOP)"), "hours": _("Accelerators and hours"), "money": _("Cost")}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        by = choose_option(BUDGET, _("Budget"), titles)
        with st.container(width=260):
            amount = {
                "flops": lambda: number(parameters.BUDGET_FLOPS, _("Compute (FLOP)"), form="%.2e"),
                "hours": lambda: number(parameters.BUDGET_HOURS, _("Hours")),
                "money": lambda: number(parameters.BUDGET_MONEY, _("Cost ({currency})").format(currency=currency())),
            }[by]()
    try:
        # Compute alone decides the plan; of hours and money it is the rig that makes compute.
        with st.expander(_("Accelerators and their price"), icon=":material/memory:", expanded=by != "flops"):
            rig = choose_rig()
        if by == "flops":
            return ComputeBudget(flops=amount, rig=rig)
        return ComputeBudget(
            flops=flops_of_hours(amount, rig) if by == "hours" else flops_of_money(amount, rig), rig=rig
        )
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None


def choose_rig() -> Rig:
    """The accelerators, their number, utilisation and price. Raises UserError for what cannot be."""
    keys = list(ACCELERATORS)
    columns = st.columns([3, 2, 2, 3, 2, 2], vertical_alignment="bottom")
    with columns[0]:
        key = st.selectbox(
            _("Accelerator"),
            keys,
            index=keys.index(read_choice(ACCELERATOR, keys)),
            format_func=lambda key: ACCELERATORS[key].title,
            key=widget_key(ACCELERATOR, "choose_accelerator"),
        )
        write_choice(ACCELERATOR, key, keys[0])
    with columns[1]:
        count = number(parameters.ACCELERATORS, _("Accelerators"), form="%.0f")
    with columns[2]:
        utilisation = number(parameters.UTILISATION, _("Utilisation (MFU)"), form="%.2f")
    with columns[3]:
        label = _("Price per accelerator-hour ({currency})").format(currency=currency())
        price = number(parameters.PRICE, label, form="%.2f")
    with columns[4]:
        overhead = number(parameters.OVERHEAD, _("PUE × power factor"), form="%.2f")
    with columns[5]:
        choose_currency()
    return Rig(accelerator=ACCELERATORS[key], count=int(count), utilisation=utilisation, price=price, overhead=overhead)


def currency() -> str:
    """The currency that money is named in, by its code."""
    typed = st.session_state.get(widget_key(CURRENCY, "choose_currency"))
    return str(typed) if typed in CURRENCY.values else read_choice(CURRENCY)


def choose_currency() -> None:
    """The name of the currency: nothing is converted."""
    chosen = st.selectbox(
        _("Currency"),
        CURRENCY.values,
        index=CURRENCY.values.index(read_choice(CURRENCY)),
        key=widget_key(CURRENCY, "choose_currency"),
        help=_("A name for your prices: changing it converts nothing."),
    )
    write_choice(CURRENCY, chosen, CURRENCY.values[0])


def number(name: parameters.Real, label: str, *, form: str = "%.6g") -> float:
    """A number, kept in the address."""
    value = st.number_input(
        label,
        min_value=float(name.least),
        max_value=float(name.most),
        value=float(read_float(name)),
        format=form,
        key=widget_key(name, f"number_{name}"),
    )
    write_float(name, value)
    return float(value)


def show_budget_cost(budget: ComputeBudget) -> None:
    """Time, energy and cost of the budget."""
    cost = training_cost(budget.flops, budget.rig)
    cells = (
        (_("Compute (FLOP)"), f"{budget.flops:.3g}"),
        (_("Time"), duration(3600 * cost.hours)),
        (_("Accelerator-hours"), f"{cost.accelerator_hours:,.3g}"),
        (_("Energy"), prefixed(1000 * cost.kilowatt_hours, "Wh")),
        (_("Cost"), _("{amount:,.0f} {currency}").format(amount=cost.money, currency=currency())),
    )
    show_metrics((label, value, "") for label, value in cells)
