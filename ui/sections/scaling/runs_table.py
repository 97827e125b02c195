"""The runs of a data set: counts, warnings, and every run as a row."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.csv_table import comments
from playground.scaling.budgets import short
from playground.text import _, _n
from ui.sections.scaling.figure import export_header, source_line
from ui.sections.scaling.study import ScalingStudy
from ui.state.link import link_lines
from ui.text import inert
from ui.widgets.number_columns import LARGEST_INTEGER, counts, decimals, magnitudes


def show_points(study: ScalingStudy) -> None:
    """Counts, warnings about units, the rows that cannot be used, and every point."""
    points = study.points
    st.write(f"**{inert(study.title)}**")
    summary = _("{runs}, {sizes} from {least} to {most} parameters, losses {low:.3f} to {high:.3f}.")
    st.write(
        summary.format(
            runs=_n("{n} run", "{n} runs", len(points)),
            sizes=_n("{n} size", "{n} sizes", len(set(points.params.tolist()))),
            least=short(points.params.min()),
            most=short(points.params.max()),
            low=points.loss.min(),
            high=points.loss.max(),
        )
    )
    if study.bits_per_byte is not None:
        st.write(
            _(
                "The same losses per byte of the text: {low:.3f} to {high:.3f} bits, comparable across vocabularies."
            ).format(low=study.bits_per_byte.min(), high=study.bits_per_byte.max())
        )
    for warning in study.warnings:
        st.warning(warning, icon=":material/straighten:")
    if study.bad:
        skipped = _n("{n} row was skipped.", "{n} rows were skipped.", len(study.bad))
        st.warning(f"{skipped} {_('Nothing on this page counts what was skipped.')}", icon=":material/rule:")
        table = [{_("Row"): bad.row, _("Reason"): bad.reason} for bad in study.bad]
        st.dataframe(table, hide_index=True, key="bad_rows")
    show_study_runs(study)
    st.download_button(
        _("Download CSV: these points"),
        comments([*export_header(source_line(study)), *link_lines()]) + study.csv(),
        file_name="points.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="points_csv",
    )


def show_study_runs(study: ScalingStudy) -> None:
    """Every run as a row, with a link where its folder is on this machine."""
    points = study.points
    bits = [None] * len(points) if study.bits_per_byte is None else study.bits_per_byte.tolist()
    compute, flops_shown = _compute_column(points.flops)
    columns = (points.params, points.tokens, flops_shown, points.loss)
    table = [
        {
            _("Run"): name,
            _("Parameters"): params,
            _("Tokens"): tokens,
            compute: flops,
            _("Loss"): loss,
            **({} if each is None else {_("Bits per byte"): each}),
            **({_("Open"): link} if link else {}),
        }
        for name, link, each, params, tokens, flops, loss in zip(
            study.names, study.links, bits, *(column.tolist() for column in columns), strict=True
        )
    ]
    formats = {
        _("Open"): st.column_config.LinkColumn(display_text=_("open in Train")),
        **counts(_("Parameters"), _("Tokens")),
        **magnitudes(compute),
        **decimals(_("Loss"), _("Bits per byte")),
    }
    st.dataframe(table, hide_index=True, key="run_rows", column_config=formats)


def _compute_column(flops: Float[np.ndarray, "runs"]) -> tuple[str, Float[np.ndarray, "runs"]]:
    """The compute's title and values, in PFLOP where a table could not write one in FLOP."""
    if flops.max() <= LARGEST_INTEGER:
        return _("Compute (FLOP)"), flops
    return _("Compute (PFLOP)"), flops / 1e15
