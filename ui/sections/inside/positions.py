"""Position schemes: the loaded model's own, or any scheme of chosen sizes."""

from collections.abc import Callable

import streamlit as st

from playground.charts.heatmap import tinted_map_figure
from playground.charts.inside import distance_figure
from playground.charts.palette import QUERY
from playground.errors import UserError
from playground.lens.inspect.positions import (
    Positions,
    alibi,
    fresh_learned,
    fresh_relative_bias,
    model_positions,
    reach,
    rotary,
    sinusoidal,
)
from playground.models import LoadedModel
from playground.text import _
from ui.cache import results_of
from ui.state.address import read_number, write_number
from ui.state.parameters import HEADS, LENGTH, SCHEME, WIDTH, Integer
from ui.state.revisions import widget_key
from ui.text import error_sentence
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.context_bar import ContextBar, bar_model
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

OF_MODEL, SINES, LEARNED, ROTARY, RELATIVE, ALIBI = "model", "sinusoidal", "learned", "rotary", "relative", "alibi"
MOST_POSITIONS = 512
HEIGHT = 380
SIZE_WIDTH = 130


def show_positions(bar: ContextBar) -> None:
    """Choose a scheme; show its matrix, and its dot product or bias by distance."""
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    with row:
        scheme = _choose_scheme()
        length = _choose_size(_("Positions"), LENGTH, 128, most=MOST_POSITIONS)
    model = bar_model(bar)[1] if scheme == OF_MODEL else None
    try:
        if model is not None:
            schemes = _of_model(model, length)
            imports, call = (
                ["playground.lens.inspect.positions import model_positions"],
                f"model_positions(model, {length})",
            )
        else:
            with row:
                name, size, positions = _of_sizes(scheme, length)
            schemes, imports = (positions,), [f"playground.lens.inspect.positions import {name}"]
            call = f"[{name}({length}, {size})]"
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        st.stop()
    for index, positions in enumerate(schemes):
        _show_scheme(model, positions, index, fresh=scheme in (LEARNED, RELATIVE))
    offer_snippet(
        model,
        imports,
        [f"for positions in {call}:", "    print(positions.kind, positions.matrix, positions.by_distance)"],
    )


def _choose_scheme() -> str:
    titles = {
        OF_MODEL: _("The loaded model's"),
        SINES: _("Sinusoidal"),
        LEARNED: _("Learned"),
        ROTARY: _("Rotary"),
        RELATIVE: _("Relative bias"),
        ALIBI: _("ALiBi"),
    }
    return choose_option(SCHEME, _("Scheme"), titles, key="position_scheme", hidden=True)


def _choose_size(label: str, name: Integer, default: int, *, most: int, step: int = 1) -> int:
    """A number whose value stands in the address."""
    start = max(step, read_number(name, default, most))
    key = widget_key(name, f"positions_{name}")
    value = int(st.number_input(label, step, most, start, step, key=key, width=SIZE_WIDTH))
    write_number(name, value, default)
    return value


def _of_model(model: LoadedModel, length: int) -> tuple[Positions, ...]:
    question = ("positions", length)
    schemes = results_of(model).remember(question, lambda: model_positions(model, length))
    if not schemes:
        st.info(_("No positions were found in this model; choose another scheme above."), icon=":material/search_off:")
    return schemes


def _of_sizes(scheme: str, length: int) -> tuple[str, int, Positions]:
    """The function that was called, its size, and what it gave."""
    if scheme in (ALIBI, RELATIVE):
        size = _choose_size(_("Heads"), HEADS, 8, most=64)
    else:
        size = _choose_size(_("Width"), WIDTH, 64, most=512, step=2)
    makers: dict[str, Callable[[int, int], Positions]] = {
        SINES: sinusoidal,
        LEARNED: fresh_learned,
        ROTARY: rotary,
        RELATIVE: fresh_relative_bias,
        ALIBI: alibi,
    }
    make = makers[scheme]
    return str(make.__name__), size, make(length, size)


def _show_scheme(model: LoadedModel | None, positions: Positions, index: int, *, fresh: bool) -> None:
    titles = {
        "sinusoidal": _("Sinusoidal"),
        "learned": _("Learned"),
        "rotary": _("Rotary"),
        "relative bias": _("Relative bias"),
        "alibi": _("ALiBi"),
    }
    st.subheader(titles[positions.kind], anchor=False)
    show_findings(reach(positions))
    rows, columns, height = _axes(positions)
    left, right = st.columns(2)
    matrix, curves = _("Position matrix"), _("By distance")
    revision = f"{positions.kind}.{positions.matrix.shape}"
    details: dict[str, object] = {"scheme": positions.kind, "matrix": " × ".join(map(str, positions.matrix.shape))}
    details |= {"module": positions.module} if positions.module else {}
    with left:
        figure = tinted_map_figure(positions.matrix, QUERY, x=columns, y=rows, signed=True)
        draw(model, figure, key=f"positions_{index}", height=HEIGHT, revision=revision, label=matrix, details=details)
    with right:
        count = len(positions.by_distance)
        names = [_("head {head}").format(head=head) for head in range(count)] if count > 1 else [height]
        figure = distance_figure(positions.distances, positions.by_distance, names, y=height)
        draw(model, figure, key=f"distances_{index}", height=HEIGHT, revision=revision, label=curves, details=details)
    if positions.module:
        st.caption(_("In the model as `{module}`.").format(module=positions.module))
    if fresh:
        st.caption(_("Untrained: random initial values. Choose a loaded model with this scheme to see trained ones."))
    st.latex(FORMULAS[positions.kind])


FORMULAS = {
    "sinusoidal": r"\begin{gathered} p_{t,2i} = \sin\left(t / 10000^{2i/d}\right) \\ "
    r"p_{t,2i+1} = \cos\left(t / 10000^{2i/d}\right) \end{gathered}",
    "learned": r"x_t = e_t + p_t",
    "rotary": r"\begin{gathered} q_t \cdot k_s = q^\top R_{\theta(t-s)}\, k \\ \theta_i = b^{-2i/d} \end{gathered}",
    "relative bias": r"s_{ts} = q_t \cdot k_s + b_{\mathrm{bucket}(t-s)}",
    "alibi": r"s_{ts} = q_t \cdot k_s - m_h\,(t-s)",
}


def _axes(positions: Positions) -> tuple[str, str, str]:
    """What the matrix's rows and columns are, and what is drawn by distance."""
    if positions.kind == "rotary":
        return _("position"), _("pair of dimensions (cosine of its angle)"), _("dot product of equal unit vectors")
    if positions.kind in ("sinusoidal", "learned"):
        return _("position"), _("dimension"), _("mean dot product")
    return _("head"), _("distance"), _("bias added to the score")
