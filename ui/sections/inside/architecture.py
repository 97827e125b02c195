"""The drawing of the loaded model: every box with its shapes and parameters; a box leads to its step."""

import pandas as pd
import streamlit as st

from playground.architecture import Architecture, architecture_of
from playground.architecture.architecture import PlacedBox
from playground.architecture.captions import box_title
from playground.architecture.findings import architecture_findings
from playground.csv_table import csv_table
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import N_, _
from ui.cache import results_of
from ui.components.architecture_view import architecture_view
from ui.jobs import require
from ui.sections.inside.box_steps import box_steps
from ui.sections.inside.length_cost import show_length_cost
from ui.state.address import write_values
from ui.state.attention import read_head
from ui.state.link import link_lines
from ui.state.parameters import HEAD, KIND, SECTION, STEP, Parameter
from ui.text import inert
from ui.widgets.context_bar import ContextBar, bar_model
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

STACKS = {"encoder": N_("Encoder"), "decoder": N_("Decoder"), "": "–"}


def show_architecture(bar: ContextBar) -> None:
    """The drawing, its table, and what a length costs."""
    _choice, model = bar_model(bar)
    architecture = require(
        ("architecture",),
        lambda _on_progress: architecture_of(model),
        title=_("Watching a few tokens pass through {name} …").format(name=inert(model.name)),
        cache=results_of(model),
    )
    show_findings(*architecture_findings(architecture))
    label = _("Architecture of {name}").format(name=model.name)
    picked = architecture_view(
        architecture,
        key="architecture",
        label=label,
        provenance=origin(model, details={"parameters": f"{architecture.parameters:,}"}),
        hint=_("Click: its numbers, step by step"),
    )
    if picked is not None:
        _go_to_step(architecture, picked, model)
    show_boxes(architecture, origin(model))
    imports = ["pathlib import Path", "playground.architecture import architecture_of, architecture_svg"]
    lines = ["architecture = architecture_of(model)", "print(architecture.parameters)"]
    save = "Path('architecture.svg').write_text(architecture_svg(architecture), encoding='utf-8')"
    offer_snippet(model, imports, [*lines, save])
    show_length_cost(model, architecture)


def _go_to_step(architecture: Architecture, picked: PlacedBox, model: LoadedModel) -> None:
    """Open the step of a box: the layer stays where the box stands for it, too."""
    step = box_steps(architecture)[list(architecture.placed()).index(picked)]
    if step is None:
        st.toast(_("No step shows these weights: a prediction does not run through them."), icon=":material/info:")
        return
    values: dict[Parameter, str | None] = {SECTION: None, STEP: step}
    if picked.first_layer is not None and picked.stack:
        layer, head = read_head((picked.first_layer, 0), range(10_000), 10_000) or (picked.first_layer, 0)
        if not picked.first_layer <= layer < picked.first_layer + picked.runs:
            layer = picked.first_layer
        values |= {HEAD: f"{layer}.{head}"}
    if model.kind == "encoder-decoder" and picked.stack:
        values |= {KIND: "cross" if picked.box.role == "cross_attention" else picked.stack}
    write_values(values)
    st.rerun()


def show_boxes(architecture: Architecture, provenance: list[str]) -> None:
    """Every box in a table, folded away, and as CSV."""
    with st.expander(_("All boxes as a table"), icon=":material/table:"):
        table = box_table(architecture)
        st.dataframe(table, hide_index=True, key="architecture_boxes")
        st.download_button(
            _("Download CSV"),
            csv_table([tuple(table.columns), *table.itertuples(index=False)], [*provenance, *link_lines()]),
            file_name="architecture.csv",
            mime="text/csv",
            icon=":material/download:",
            key="architecture_csv",
            on_click="ignore",
        )


def box_table(architecture: Architecture) -> pd.DataFrame:
    """A row for each box: where it stands, its tensors, its parameters and its share of them."""
    total = max(1, architecture.parameters)
    rows = []
    for placed in architecture.placed():
        box = placed.box
        first, last = placed.first_layer, (placed.first_layer or 0) + placed.runs - 1
        rows.append(
            {
                _("Box"): box_title(box),
                _("Stack"): _(STACKS[placed.stack]),
                _("Layers"): "–" if first is None else f"{first}" if first == last else f"{first}–{last}",
                _("Module"): box.path,
                _("Weights"): ", ".join(f"{' × '.join(map(str, weight.shape))}" for weight in box.weights),
                _("Parameters"): placed.parameters,
                _("Share"): f"{placed.parameters / total:.1%}",
                _("Shared with"): ", ".join(dict.fromkeys(box.shared_with)),
            }
        )
    return pd.DataFrame(rows)
