"""Why papers disagree about the best size: counting, warm-up, decay, tuning; and what counting does to these runs."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.scaling.loss import Interval, intervals_figure
from playground.errors import UserError
from playground.progress import OnProgress
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import ALLOCATIONS, LADDER, Rung
from playground.sweeps.flop_counting import counted_frontier, flops_per_token, parameters
from playground.text import _
from playground.transformer import TransformerConfig
from ui import state
from ui.jobs import ask
from ui.sections.scaling.figure import origin_of, show_picture, sweep_code
from ui.sections.scaling.study import Study
from ui.tables import Row

WAYS = (
    ("without-embeddings", "6nd-without-embeddings"),
    ("without-embeddings", "kaplan"),
    ("with-head", "6nd-with-head"),
    ("all", "6nd"),
    ("all", "hoffmann"),
    ("all", "executed"),
)
"""How N is counted, and how C."""


def show_disagreement(study: Study | None) -> None:
    """The published ladder with switches, and the counting switch on the points at hand."""
    st.subheader(_("The same models, five answers"), anchor=False)
    st.caption(
        _(
            "The best size for a compute C grows as C to the power of a. Kaplan et al. found a large a, "
            "Hoffmann et al. one near a half. Porian et al. 2024 repeated both and found what lies between them. "
            "Switch on the first two changes, then one of the other two."
        )
    )
    exponent = _choose_rung()
    counted = None if study is None else obtain_counted(study)
    _show_exponents(study, counted, exponent)
    st.subheader(_("What counting does to the points at hand"), anchor=False)
    if study is None:
        st.info(_("Choose points on the left to count them in several ways."), icon=":material/info:")
    elif counted is not None:
        _show_counted(counted, is_table=study.folder is None)


def switch_titles() -> dict[str, str]:
    """The changes between Kaplan's set-up and Hoffmann's, in the order of the paper."""
    return {
        "head": _("Count the last layer"),
        "warm-up": _("Short warm-up"),
        "decay": _("Decay with the budget"),
        "tuned": _("Tune rate, batch and β₂"),
    }


def _choose_rung() -> float | None:
    """The published exponent for the switches as they stand; None for a mixture that nobody published."""
    titles = switch_titles()
    on = set()
    with st.container(horizontal=True):
        for name, title in titles.items():
            flag = f"rung_{name}"
            value = st.toggle(title, value=state.read_flag(flag, False), key=flag)
            state.write_flag(flag, value, False)
            on |= {name} if value else set()
    rung = rung_of(on)
    if rung is None:
        st.info(
            _(
                "No exponent is published for this mixture: Porian et al. count the last layer, then shorten the "
                "warm-up, then either let the rate decay or tune it without decay."
            ),
            icon=":material/info:",
        )
        return None
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.metric(_("Published exponent a"), f"{rung.exponent:.3f}")
    right.caption(
        _("{title}. Ten times the compute asks for a model {times:.1f} times as large.").format(
            title=rung.title, times=10**rung.exponent
        )
    )
    return rung.exponent


def rung_of(changes: set[str]) -> Rung | None:
    """The published rung with these changes made and no others."""
    return next((rung for rung in LADDER if rung.changes == changes), None)


def obtain_counted(study: Study) -> list[tuple[str, float | None, str]] | None:
    """For each way of counting its title, its exponent and, where there is none, why."""
    words = _("Counting the runs in several ways:")

    def compute(on_progress: OnProgress) -> list[tuple[str, float | None, str]]:
        shapes = study.shapes()
        if not shapes:
            return _by_table(study)
        found = []
        for done, (n_way, c_way) in enumerate(WAYS):
            on_progress(done, len(WAYS))
            found.append(_by_way(study, shapes, n_way, c_way))
        return found

    return ask(state.scaling_answers(), ("counted", study.mark, study.title), words, compute)


def _by_way(study: Study, shapes: list[TransformerConfig], n_way: str, c_way: str) -> tuple[str, float | None, str]:
    each = {shape: (parameters(shape, n_way), flops_per_token(shape, c_way)) for shape in set(shapes)}
    params, flops = np.array([each[shape] for shape in shapes], dtype=np.float64).T
    return _counted(way_titles()[n_way, c_way], params, flops, study)


def _counted(
    title: str, params: Float[np.ndarray, " run"], flops_per_token: Float[np.ndarray, " run"], study: Study
) -> tuple[str, float | None, str]:
    try:
        found = counted_frontier(params, flops_per_token, study.points.tokens, study.points.loss)
    except UserError as error:
        return title, None, str(error)
    return title, found.exponent, ""


def _by_table(study: Study) -> list[tuple[str, float | None, str]]:
    """A table says one N for each run; C is 6 N D, and what the table says where it says something else."""
    points = study.points
    formula = FLOPS_PER_PARAMETER_AND_TOKEN * points.params
    ways = {_("as in the table, C = 6 N D"): formula}
    given = points.flops / points.tokens
    if not np.allclose(given, formula, rtol=1e-3):
        ways[_("as in the table, C as the table says")] = given
    return [_counted(title, points.params, each, study) for title, each in ways.items()]


def way_titles() -> dict[tuple[str, str], str]:
    """The ways of counting, in words."""
    return {
        WAYS[0]: _("without embeddings and head, 6 N D (Kaplan)"),
        WAYS[1]: _("the same N, attention counted in C"),
        WAYS[2]: _("with the head, 6 N D (Porian)"),
        WAYS[3]: _("all parameters, 6 N D (Hoffmann)"),
        WAYS[4]: _("all parameters, every product (appendix F)"),
        WAYS[5]: _("all parameters, C as torch executes it"),
    }


def brief_titles() -> dict[str, str]:
    """What stands along the picture's axis, where little room is: the rungs by their keys, the ways by their titles."""
    ways = way_titles()
    return {
        "kaplan": _("Kaplan's set-up"),
        "head": _("+ last layer"),
        "warm-up": _("+ short warm-up"),
        "decay": _("and then decay"),
        "tuned": _("or then tuning"),
        ways[WAYS[0]]: _("no embeddings, 6 N D"),
        ways[WAYS[1]]: _("… with attention"),
        ways[WAYS[2]]: _("with head, 6 N D"),
        ways[WAYS[3]]: _("all, 6 N D"),
        ways[WAYS[4]]: _("all, every product"),
        ways[WAYS[5]]: _("all, as executed"),
    }


def _show_exponents(
    study: Study | None, counted: list[tuple[str, float | None, str]] | None, chosen: float | None
) -> None:
    brief = brief_titles()
    ladder = [_point(brief[rung.key], rung.exponent) for rung in LADDER]
    papers = [
        Interval(
            name=paper.title,
            value=paper.exponent,
            low=paper.interval[0] if paper.interval else paper.exponent,
            high=paper.interval[1] if paper.interval else paper.exponent,
        )
        for paper in ALLOCATIONS.values()
    ]
    own = [_point(brief.get(title, title), exponent) for title, exponent, _why in counted or () if exponent is not None]
    groups = [(_("Porian et al. 2024, Kaplan's set-up changed"), ladder), (_("as the papers print it"), papers)]
    if own:
        groups.append((_("the points at hand"), own))
    figure = intervals_figure(groups, x=_("exponent a in N ∝ C^a"))
    if chosen is not None:
        figure.add_vline(x=chosen, line={"width": 1, "dash": "dot", "color": "#6b7280"})
    rows: list[Row] = [("group", "what", "exponent", "low", "high")]
    rows += [(group, row.name, row.value, row.low, row.high) for group, found in groups for row in found]
    show_picture(
        figure,
        name="exponents-of-papers",
        label=_("Exponents of the best size in compute"),
        origin=_("Porian et al. 2024, Kaplan et al. 2020, Hoffmann et al. 2022")
        + (f" · {origin_of(study)}" if study is not None and own else ""),
        rows=rows,
        code="" if study is None or study.folder is None else counted_code(study),
        height=150 + 30 * (len(ladder) + len(papers) + len(own)),
    )


def _point(name: str, value: float) -> Interval:
    return Interval(name=name, value=value, low=value, high=value)


def _show_counted(counted: list[tuple[str, float | None, str]], *, is_table: bool) -> None:
    if is_table:
        st.caption(
            _(
                "A table says one N for each run, so N can be counted in one way only, and C as 6 N D or as a column "
                "FLOPs says. A sweep knows its models' shapes: choose one on the left, or run one under Live."
            )
        )
    has_reasons = any(why for _title, _exponent, why in counted)
    rows = [
        {
            _("What is counted"): title,
            _("Exponent a"): "–" if exponent is None else f"{exponent:.3f}",
            **({_("Why there is none"): why} if has_reasons else {}),
        }
        for title, exponent, why in counted
    ]
    st.dataframe(rows, hide_index=True, key="counted_rows")
    st.caption(
        _(
            "An exponent depends on the text and on how far the runs reach, too. Compare the ways of counting with one "
            "another: the papers' runs were other models on other texts."
        )
    )


def counted_code(study: Study) -> str:
    """Python that counts a sweep's runs in each of the ways."""
    imports = [
        "playground.sweeps.flop_counting import counted_frontier",
        "playground.sweeps.flop_counting import flops_per_token, parameters",
    ]
    return sweep_code(study, imports, COUNTED_LINES.format(ways=WAYS))


COUNTED_LINES = """shapes = {{cell.cell.name: cell.cell.config.model for cell in view.cells}}
runs = [shapes[point.run] for point in view.points]
for n_way, c_way in {ways}:
    found = counted_frontier(
        np.array([parameters(shape, n_way) for shape in runs], float),
        np.array([flops_per_token(shape, c_way) for shape in runs]),
        np.array([point.tokens for point in view.points], float),
        np.array([point.loss for point in view.points]),
    )
    print(n_way, c_way, found.exponent)
"""
