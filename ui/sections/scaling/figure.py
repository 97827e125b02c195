"""A figure of the scaling page with its exports: PNG and SVG in its own bar, data as CSV, Python that recomputes it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy
import scipy
import streamlit as st

from playground.csv_table import Row, csv_table
from playground.provenance import VERSION
from playground.scaling.laws import LAWS
from playground.text import _, _n
from ui.components.live_chart import live_chart
from ui.sections.scaling.study import SHIPPED, ScalingStudy
from ui.state.link import link_lines

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from playground.scaling.fits import Fit

HEIGHT = 460


def show_scaling_figure(
    figure: "go.Figure",
    *,
    name: str,
    label: str,
    source: str,
    table: Iterable[Row],
    code: str = "",
    height: int = HEIGHT,
    revision: str = "",
    opens_runs: bool = False,
) -> None:
    """Draw a figure with its exports, each of which names the source.

    table: its data, the header first. code: Python that recomputes them. opens_runs: a click leads to a run.
    """
    live_chart(
        figure,
        key=f"picture_{name}",
        height=height,
        revision=f"{name}{revision}",
        label=label,
        provenance=export_header(source),
    )
    st.caption(source)
    _offer_exports(name, source, table, opens_runs=opens_runs)
    if code:
        with st.expander(_("Python that computes the same numbers"), icon=":material/code:"):
            st.code(code, language="python")


def _offer_exports(name: str, source: str, table: Iterable[Row], *, opens_runs: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            _("Download CSV"),
            csv_table(table, [*export_header(source), *link_lines()]),
            file_name=f"{name}.csv",
            mime="text/csv",
            key=f"csv_{name}",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
        )
        hints = [_("PNG and SVG: in the chart's own bar.")]
        hints += [_("A click on a run opens it on the Train page.")] if opens_runs else []
        st.caption(" ".join(hints))


def show_metrics(cells: Iterable[tuple[str, str, str]]) -> None:
    """Numbers side by side, as many as fit: a label, a value, and a note below it (empty: none)."""
    with st.container(horizontal=True, gap="medium"):
        for label, value, note in cells:
            st.metric(label, value, delta=note or None, delta_color="off", delta_arrow="off", width="content")


def export_header(source: str) -> list[str]:
    """The lines at the head of every export: what computed the data, and from what."""
    return [
        f"transformer-playground {VERSION}, numpy {numpy.__version__}, scipy {scipy.__version__}",
        " ".join(source.split()),
    ]


def source_line(study: ScalingStudy, law: str = "") -> str:
    """The source of a figure's data, on one line."""
    counted = _("all parameters") if study.counts_embeddings else _("without embeddings and head")
    parts = [
        study.source,
        _n("{n} run", "{n} runs", len(study.points)),
        counted if study.without_embeddings is not None else "",
        law,
    ]
    return " · ".join(part for part in parts if part)


def law_title(fitted: "Fit") -> str:
    """The law's title, and where its E was fixed."""
    title = _(LAWS[fitted.law].title)
    if fitted.floor is None:
        return title
    return _("{law}, E fixed to {floor:.4f}").format(law=title, floor=fitted.floor)


def fit_code(study: ScalingStudy, fitted: "Fit", n_resamples: int) -> str:
    """Python that fits the same law to the same points, given points.csv of the page's section of data."""
    recount = "" if study.counts_embeddings else "  # its params leave out embeddings and head"
    floor = "" if fitted.floor is None else f", floor={fitted.floor!r}"
    return f"""from pathlib import Path

from playground.scaling.bootstrap import bootstrap
from playground.scaling.fits import fit
from playground.scaling.points_csv import read_points

points = read_points(Path("points.csv").read_text()).points{recount}
fitted = fit({fitted.law!r}, points{floor})
print(fitted.parameters, fitted.heldout_error, fitted.warnings)
print(bootstrap(fitted, n_resamples={n_resamples}, seed=0).intervals())
"""


def sweep_code(study: ScalingStudy, imports: Iterable[str], lines: str) -> str:
    """Python that reads a sweep as `view`, followed by these lines; empty for a table.

    A shipped sweep is read from the repository, others from this machine's runs. imports: "module import names" each.
    """
    if study.folder is None:
        return ""
    name = study.folder.name
    if study.folder.parent == SHIPPED:
        head, extra = ["from pathlib import Path", ""], []
        folder, comment = f'Path("assets/sweeps/{name}")', "  # from the repository's root"
    else:
        head, extra = [], ["playground.folders import runs_folder"]
        folder, comment = f"runs_folder() / {name!r}", ""
    ours = sorted(["playground.sweeps.progress import read_sweep", *imports, *extra])
    head += ["import numpy as np", "", *(f"from {line}" for line in ours)]
    return "\n".join([*head, "", f"view = read_sweep({folder}){comment}", lines])
