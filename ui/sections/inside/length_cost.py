"""Cost against length: measured time and memory of a pass beside the parts of the formula that grow with n and n²."""

from collections.abc import Sequence

import streamlit as st

from playground.architecture import Architecture
from playground.architecture.length_cost import (
    LengthCost,
    LengthFormula,
    length_formula,
    measure_length,
    measured_lengths,
)
from playground.charts.architecture import length_figure
from playground.models import LoadedModel
from playground.models.memory_estimate import BYTES_PER_NUMBER
from playground.text import _
from playground.units import prefixed
from ui.cache import length_costs
from ui.jobs import AT_ONCE, compute
from ui.state.address import read_switch, write_switch
from ui.state.attention import model_key
from ui.state.parameters import LENGTH_COST
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet

LONGEST_SECONDS = 20.0
"""A pass that would take longer is left out: others wait for the same cores."""
HEIGHT = 360


def show_length_cost(model: LoadedModel, architecture: Architecture) -> None:
    """The formula at once; the measurement on request, once for all visitors."""
    st.subheader(_("Cost against length"), anchor=False)
    formula = length_formula(architecture, bytes_per_number=BYTES_PER_NUMBER.get(model.dtype, 4))
    st.caption(_describe_formula(formula))
    lengths = measured_lengths(model)
    if not read_switch(LENGTH_COST):
        label = _("Measure passes of {first} to {last:,} tokens").format(first=lengths[0], last=lengths[-1])
        st.button(
            label, icon=":material/timer:", key="measure_lengths", on_click=write_switch, args=(LENGTH_COST, True)
        )
        return
    costs = _measure(model, lengths)
    if costs:
        _show_costs(model, formula, lengths, costs)


def _describe_formula(formula: LengthFormula) -> str:
    if not formula.quadratic_flops:
        return _("Each token costs {linear}.").format(linear=prefixed(formula.linear_flops, "FLOP"))
    return _(
        "Formula: {linear} for each of n tokens (matrices), {quadratic} for each of n² pairs (scores "
        "and weighted sums). Both parts are equal at {balance:,.0f} tokens."
    ).format(
        linear=prefixed(formula.linear_flops, "FLOP"),
        quadratic=prefixed(formula.quadratic_flops, "FLOP"),
        balance=formula.balance,
    )


def _measure(model: LoadedModel, lengths: Sequence[int]) -> list[LengthCost]:
    """One length after the other, each in its turn among all visitors' passes; ends where one is cancelled."""
    costs: list[LengthCost] = []
    for number, length in enumerate(lengths, start=1):
        if costs and (expected := _expected_seconds(costs[-1], length)) > LONGEST_SECONDS:
            sentence = _("{length:,} tokens and more are left out: a pass would take about {seconds:.0f} s.")
            st.caption(sentence.format(length=length, seconds=expected))
            break
        template = _("Measuring {length:,} tokens ({number} of {total}): pass")
        cost = compute(
            (model_key(model), length),
            lambda on_progress, length=length: measure_length(model, length, on_progress),  # type: ignore[misc]
            title=template.format(length=length, number=number, total=len(lengths)),
            cache=length_costs(),
            patience=AT_ONCE,
        )
        if cost is None:
            break
        costs.append(cost)
    return costs


def _expected_seconds(last: LengthCost, length: int) -> float:
    """At worst time grows with the square of the length."""
    return last.seconds * (length / last.length) ** 2


def _show_costs(
    model: LoadedModel, formula: LengthFormula, lengths: Sequence[int], costs: Sequence[LengthCost]
) -> None:
    last = costs[-1]
    total = formula.linear(last.length) + formula.quadratic(last.length)
    rate = total / last.seconds
    st.success(
        _(
            "A pass over {length:,} tokens took {seconds:.3g} s: {rate:,.3g} GFLOP/s. The n² part is {share:.1%} of "
            "its compute; at {first} tokens it is {first_share:.1%}."
        ).format(
            length=last.length,
            seconds=last.seconds,
            rate=rate / 1e9,
            share=formula.quadratic_share(last.length),
            first=costs[0].length,
            first_share=formula.quadratic_share(costs[0].length),
        ),
        icon=":material/timer:",
    )
    details: dict[str, object] = {
        "lengths": ", ".join(str(cost.length) for cost in costs),
        "passes": ", ".join(str(c.passes) for c in costs),
    }
    left, right = st.columns(2)
    with left:
        _show_time(model, formula, lengths, costs, rate, details)
    with right:
        _show_memory(model, formula, lengths, costs, details)
    imports = [
        "playground.architecture import architecture_of",
        "playground.architecture.length_cost import length_formula, measure_length",
    ]
    measured = f"for length in {[cost.length for cost in costs]}:"
    offer_snippet(
        model,
        imports,
        ["print(length_formula(architecture_of(model)))", measured, "    print(measure_length(model, length))"],
    )


def _show_time(
    model: LoadedModel,
    formula: LengthFormula,
    lengths: Sequence[int],
    costs: Sequence[LengthCost],
    rate: float,
    details: dict[str, object],
) -> None:
    label = _("Time of a pass (s)")
    parts = [
        (_("formula"), [(formula.linear(n) + formula.quadratic(n)) / rate for n in lengths]),
        (_("n part"), [formula.linear(n) / rate for n in lengths]),
        (_("n² part"), [formula.quadratic(n) / rate for n in lengths]),
    ]
    figure = length_figure(lengths, [cost.seconds for cost in costs], parts, x=_("tokens"), y=label)
    draw(model, figure, key="length_time", height=HEIGHT, label=label, details=details)
    st.caption(_("Lines: the formula's FLOPs at the speed of the longest pass."))


def _show_memory(
    model: LoadedModel,
    formula: LengthFormula,
    lengths: Sequence[int],
    costs: Sequence[LengthCost],
    details: dict[str, object],
) -> None:
    measured = [cost.peak_bytes / 1e6 for cost in costs if cost.peak_bytes is not None]
    if not measured:
        st.info(_("This device does not report what a pass allocates."), icon=":material/info:")
        return
    label = _("Peak memory beyond the weights (MB)")
    parts = []
    if formula.logits_bytes:
        parts.append((_("logits and last state (n)"), [formula.logits_bytes * n / 1e6 for n in lengths]))
    parts.append((_("one layer's pattern (n²)"), [formula.pattern_bytes * n * n / 1e6 for n in lengths]))
    figure = length_figure(lengths, measured, parts, x=_("tokens"), y=label)
    draw(model, figure, key="length_memory", height=HEIGHT, label=label, details=details)
    st.caption(
        _(
            "Measured: every allocation of the pass. A fused attention kernel writes no whole pattern down: its memory "
            "grows with n. Where one is written, memory follows the n² line."
        )
    )
