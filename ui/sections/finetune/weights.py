"""How far each weight moved: a map by layer and part, the change of one matrix, and all weights as a table."""

from collections.abc import Iterator

import streamlit as st

from playground.charts.finetune import drift_figure, singular_values_figure
from playground.finetuning.drift_table import DriftTable, drift_table
from playground.finetuning.findings import describe_drift, describe_matrix
from playground.finetuning.weight_drift import ModelDrift, WeightDrift, model_drift
from playground.text import _
from ui.jobs import require
from ui.sections.evaluate.numbers import offer_results
from ui.sections.finetune.low_rank import show_low_rank
from ui.sections.finetune.subject import FinetuneSubject
from ui.state.address import read_switch, read_text, write_switch, write_text
from ui.state.parameters import VECTORS, WEIGHT
from ui.state.session import run_again
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.mirror import mirrored
from ui.widgets.number_columns import decimals

HEIGHT = 300


def drift_of(subject: FinetuneSubject) -> ModelDrift:
    """The drift of all weights, computed once."""
    return require(
        subject.key("weights"),
        lambda on_progress: model_drift(subject.pair, on_progress),
        title=_("Comparing weights:"),
        cache=subject.cache,
    )


def show_weight_drift(subject: FinetuneSubject) -> None:
    """The map, and below it the chosen weight."""
    drift = drift_of(subject)
    show_findings(describe_drift(drift))
    is_vectors = st.toggle(_("Biases and norms"), value=read_switch(VECTORS), key="drift_vectors")
    write_switch(VECTORS, is_vectors)
    table = drift_table(drift, matrices=not is_vectors)
    if table.rows and table.columns:
        _draw_map(subject, table)
    _show_weight(subject, drift, table)
    _list_weights(subject, drift)


def _draw_map(subject: FinetuneSubject, table: DriftTable) -> None:
    figure = drift_figure(table)
    shown = read_text(WEIGHT)
    cells = [
        (row, column)
        for row, line in enumerate(table.weights)
        for column, w in enumerate(line)
        if w and w.name == shown
    ]
    cell = draw(
        subject.pair.after,
        figure,
        key="drift_map",
        label=_("Change of each weight"),
        details=subject.details,
        height=int(figure.layout.height or HEIGHT),
        revision=str(table.columns),
        picks=True,
        picked=(0, *cells[0]) if cells else None,
    )
    if cell is not None and (weight := table.weights[cell[1]][cell[2]]) is not None:
        write_text(WEIGHT, weight.name)
        run_again()


def _show_weight(subject: FinetuneSubject, drift: ModelDrift, table: DriftTable) -> None:
    """One weight's change: the chosen one, else the one that moved furthest."""
    moved = sorted(drift.changed, key=lambda weight: -weight.relative)
    if not moved:
        return
    names = [weight.name for weight in moved]
    inside = [weight.name for weight in moved if weight.is_matrix and weight.layer is not None]
    first = (inside or names)[0]
    shown = read_text(WEIGHT, first)
    shown = shown if shown in names else first
    name = st.selectbox(
        _("Weight (furthest first; or click a cell)"),
        names,
        index=names.index(shown),
        width=520,
        **mirrored(WEIGHT, shown, first),
    )
    weight = moved[names.index(name)]
    show_findings(describe_matrix(weight))
    _show_numbers(weight)
    if weight.is_matrix:
        draw(
            subject.pair.after,
            singular_values_figure(weight),
            key="singular_values",
            label=_("Singular values of the change of {name}").format(name=weight.name),
            details={**subject.details, "weight": weight.name},
            height=HEIGHT,
            revision=weight.name,
        )
        st.caption(_("Singular values that rounding of the weights alone would make are left out."))
    show_low_rank(subject, weight)


def _show_numbers(weight: WeightDrift) -> None:
    entries = {
        _("‖W‖ before"): f"{weight.norm:.4g}",
        _("‖ΔW‖"): f"{weight.change:.4g}",
        _("relative"): f"{weight.relative:.2%}",
        _("rank"): f"{weight.rank:,}",
        _("effective rank"): f"{weight.effective_rank:.2f}",
        _("stable rank"): f"{weight.stable_rank:.2f}",
    }
    with st.container(horizontal=True, gap="large"):
        for title, value in entries.items():
            st.metric(title, value, width="content")


def _list_weights(subject: FinetuneSubject, drift: ModelDrift) -> None:
    header = ["weight", "shape", "norm_before", "change", "relative", "rank", "effective_rank", "stable_rank"]

    def rows() -> Iterator[list[object]]:
        for weight in drift.weights:
            numbers = (
                weight.norm,
                weight.change,
                weight.relative,
                weight.rank,
                weight.effective_rank,
                weight.stable_rank,
            )
            yield [weight.name, " x ".join(map(str, weight.shape)), *numbers]

    with st.expander(_("All weights"), icon=":material/table_rows:"):
        ordered = sorted(drift.weights, key=lambda weight: -weight.relative)
        st.dataframe(
            {
                _("weight"): [weight.name for weight in ordered],
                _("shape"): [" × ".join(map(str, weight.shape)) for weight in ordered],
                _("change (%)"): [100 * weight.relative for weight in ordered],
                _("rank"): [weight.rank for weight in ordered],
                _("effective rank"): [weight.effective_rank for weight in ordered],
                _("stable rank"): [weight.stable_rank for weight in ordered],
            },
            hide_index=True,
            key="all_weights",
            column_config={
                **decimals(_("change (%)")),
                **decimals(_("effective rank"), _("stable rank"), digits=2),
            },
        )
        if drift.added:
            st.caption(_("Only after: {names}").format(names=", ".join(f"`{name}`" for name in drift.added)))
        if drift.dropped:
            st.caption(_("Only before: {names}").format(names=", ".join(f"`{name}`" for name in drift.dropped)))
        offer_results(header, rows, name="weight-drift.csv", details=subject.details)
    imports, lines = subject.snippet
    imports = [*imports, "playground.finetuning.weight_drift import model_drift"]
    show = "print(weight.name, weight.relative, weight.rank, weight.effective_rank)"
    offer_snippet(None, imports, [*lines, "for weight in model_drift(pair).changed:", f"    {show}"])
