"""A picture of the scaling page, and how to take it home: PNG and SVG from its own bar, numbers, and code."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy
import scipy
import streamlit as st

from playground.provenance import VERSION
from playground.scaling.laws import LAWS
from playground.text import _
from ui.components.live_chart import live_chart
from ui.sections.scaling.study import SHIPPED, Study
from ui.tables import Row, csv_table

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from playground.scaling.fits import Fit

HEIGHT = 460


def show_picture(
    figure: "go.Figure",
    *,
    name: str,
    label: str,
    origin: str,
    rows: Iterable[Row],
    code: str = "",
    height: int = HEIGHT,
    revision: str = "",
    opens_runs: bool = False,
) -> None:
    """Draw it; every file of it says where it comes from.

    rows are its numbers, the header first; code is Python that makes them again; opens_runs: a click leads to a run.
    """
    live_chart(
        figure,
        key=f"picture_{name}",
        height=height,
        revision=f"{name}{revision}",
        label=label,
        provenance=provenance(origin),
    )
    st.caption(origin)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            _("Numbers (.csv)"),
            csv_table(rows, provenance(origin)),
            file_name=f"{name}.csv",
            mime="text/csv",
            key=f"csv_{name}",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
        )
        words = [_("PNG and SVG: in the picture's own bar.")]
        words += [_("A click on a run opens it on the Train page.")] if opens_runs else []
        st.caption(" ".join(words))
    if code:
        with st.expander(_("Python that makes the same numbers"), icon=":material/code:"):
            st.code(code, language="python")


def show_metrics(cells: Iterable[tuple[str, str, str]]) -> None:
    """Numbers side by side, as many as fit: a label, a value, and a note below it (empty: none)."""
    with st.container(horizontal=True, gap="medium"):
        for label, value, note in cells:
            st.metric(label, value, delta=note or None, delta_color="off", delta_arrow="off", width="content")


def provenance(origin: str) -> list[str]:
    """The lines that stand in every file: what the numbers come from, and what computed them."""
    return [
        f"transformer-playground {VERSION}, numpy {numpy.__version__}, scipy {scipy.__version__}",
        " ".join(origin.split()),
    ]


def origin_of(study: Study, law: str = "") -> str:
    """Where a picture's numbers come from, on one line."""
    counted = _("all parameters") if study.counts_embeddings else _("without embeddings and head")
    words = [
        study.origin,
        _("{count} runs").format(count=len(study.points)),
        counted if study.without_embeddings is not None else "",
    ]
    return " · ".join(word for word in (*words, law) if word)


def title_of(fitted: "Fit") -> str:
    """The law's name, and where its E was held."""
    title = LAWS[fitted.law].title
    return title if fitted.floor is None else _("{law}, E held at {floor:.4f}").format(law=title, floor=fitted.floor)


def fit_code(study: Study, fitted: "Fit", drawings: int) -> str:
    """Python that fits the same law to the same points; points.csv is the table to take home under Data."""
    recount = "" if study.counts_embeddings else "  # its params leave out embeddings and head"
    floor = "" if fitted.floor is None else f", floor={fitted.floor!r}"
    return f"""from pathlib import Path

from playground.scaling.bootstrap import bootstrap
from playground.scaling.fits import fit
from playground.scaling.points_csv import read_points

points = read_points(Path("points.csv").read_text()).points{recount}
fitted = fit({fitted.law!r}, points{floor})
print(fitted.parameters, fitted.heldout_error, fitted.warnings)
print(bootstrap(fitted, count={drawings}, seed=0).intervals())
"""


def sweep_code(study: Study, imports: Iterable[str], lines: str) -> str:
    """Python that reads a sweep as `view` and goes on with these lines; empty for a table.

    One that is shipped lies in the repository, others among this machine's runs. imports: "module import names" each.
    """
    if study.folder is None:
        return ""
    name = study.folder.name
    shipped = study.folder.parent == SHIPPED
    found = "playground.models import runs_folder" if not shipped else "pathlib import Path"
    where = f"runs_folder() / {name!r}" if not shipped else f'Path("assets/sweeps/{name}")'
    ours = sorted(["playground.sweeps.sweep import read_sweep", *imports, *([] if shipped else [found])])
    head = [*([f"from {found}", ""] if shipped else []), "import numpy as np", "", *(f"from {one}" for one in ours)]
    read = f"view = read_sweep({where})" + ("  # from the repository's root" if shipped else "")
    return "\n".join([*head, "", read, lines])
