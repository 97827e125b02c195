"""Why papers disagree about the compute-optimal size: counting, warm-up, decay, tuning; and one's own runs, counted."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Float

from playground.charts.scaling.intervals import Interval, intervals_figure
from playground.csv_table import Row
from playground.errors import UserError
from playground.progress import OnProgress
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import ALLOCATIONS, LADDER, Rung
from playground.sweeps.flop_counting import count_flops_per_token, count_parameters, counted_frontier
from playground.sweeps.folder import SWEEP
from playground.tasks.sources import stamp_of
from playground.text import N_, _
from playground.transformer import TransformerConfig
from ui.cache import scaling_results
from ui.jobs import compute
from ui.sections.scaling.figure import show_scaling_figure, source_line, sweep_code
from ui.sections.scaling.study import ScalingStudy
from ui.state.address import read_switch, write_switch
from ui.state.parameters import COUNT_LAST_LAYER, DECAY, SHORT_WARM_UP, TUNED
from ui.state.revisions import widget_key

SWITCHES = {
    "head": N_("Count the last layer"),
    "warm-up": N_("Short warm-up"),
    "decay": N_("Decay with the budget"),
    "tuned": N_("Tune rate, batch and β₂"),
}
"""The changes between Kaplan's set-up and Hoffmann's, in the order of the paper."""
RUNGS = {"head": COUNT_LAST_LAYER, "warm-up": SHORT_WARM_UP, "decay": DECAY, "tuned": TUNED}
RUNG_LABELS = {
    "kaplan": N_("Kaplan's set-up"),
    "head": N_("+ last layer"),
    "warm-up": N_("+ short warm-up"),
    "decay": N_("and then decay"),
    "tuned": N_("or then tuning"),
}
"""The rungs of the ladder along the figure's axis, where little room is."""


@dataclass(frozen=True, kw_only=True)
class Counting:
    """A convention for N and C."""

    title: str
    label: str
    """Along the figure's axis."""
    params: str = ""
    """A key of `flop_counting.PARAMETERS`; empty: as a table says."""
    flops: str = ""
    """A key of `flop_counting.FLOPS`."""


COUNTINGS = (
    Counting(
        params="without-embeddings",
        flops="6nd-without-embeddings",
        title=N_("without embeddings and head, 6 N D (Kaplan)"),
        label=N_("no embeddings, 6 N D"),
    ),
    Counting(
        params="without-embeddings",
        flops="kaplan",
        title=N_("the same N, attention counted in C"),
        label=N_("… with attention"),
    ),
    Counting(
        params="with-head",
        flops="6nd-with-head",
        title=N_("with the head, 6 N D (Porian)"),
        label=N_("with head, 6 N D"),
    ),
    Counting(params="all", flops="6nd", title=N_("all parameters, 6 N D (Hoffmann)"), label=N_("all, 6 N D")),
    Counting(
        params="all",
        flops="hoffmann",
        title=N_("all parameters, every product (appendix F)"),
        label=N_("all, every product"),
    ),
    Counting(
        params="all",
        flops="executed",
        title=N_("all parameters, C as torch executes it"),
        label=N_("all, as executed"),
    ),
)
TABLE_FORMULA = Counting(title=N_("as in the table, C = 6 N D"), label=N_("as in the table, C = 6 N D"))
TABLE_FLOPS = Counting(
    title=N_("as in the table, C as the table says"), label=N_("as in the table, C as the table says")
)


@dataclass(frozen=True, kw_only=True)
class CountedExponent:
    """The exponent a of one's own runs by one convention, or the reason why there is none."""

    counting: Counting
    exponent: float | None = None
    reason: UserError | None = None


def show_method_comparison(study: ScalingStudy | None) -> None:
    """The published ladder with switches, and the conventions of counting on the current data set."""
    st.subheader(_("The same models, five answers"), anchor=False)
    st.caption(
        _(
            "The compute-optimal size grows as C to the power of a. Kaplan et al. found a large a, "
            "Hoffmann et al. one near a half. Porian et al. 2024 repeated both and found what lies between them. "
            "Switch on the first two changes, then one of the other two."
        )
    )
    exponent = _choose_rung()
    counted = None if study is None else fetch_exponents(study)
    _show_exponents(study, counted or [], exponent)
    st.subheader(_("What counting does to your data"), anchor=False)
    if study is None:
        st.info(_("Choose data on the left to count them in several ways."), icon=":material/info:")
    elif counted is not None:
        _show_counted(counted, is_table=study.folder is None)


def _choose_rung() -> float | None:
    """The published exponent for the switches as they stand; None for a mixture that nobody published."""
    changes = set()
    with st.container(horizontal=True):
        for name, title in SWITCHES.items():
            flag = RUNGS[name]
            value = st.toggle(_(title), value=read_switch(flag), key=widget_key(flag))
            write_switch(flag, value)
            changes |= {name} if value else set()
    rung = rung_with(changes)
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
            title=_(rung.title), times=10**rung.exponent
        )
    )
    return rung.exponent


def rung_with(changes: set[str]) -> Rung | None:
    """The published rung with these changes made and no others."""
    return next((rung for rung in LADDER if rung.changes == changes), None)


def fetch_exponents(study: ScalingStudy) -> list[CountedExponent] | None:
    """The exponent by each convention; of a table by those that it allows."""

    def make(on_progress: OnProgress) -> list[CountedExponent]:
        shapes = study.shapes()
        if not shapes:
            return _by_table(study)
        exponents = []
        for done, counting in enumerate(COUNTINGS):
            on_progress(done, len(COUNTINGS))
            exponents.append(_by_shapes(study, shapes, counting))
        return exponents

    sweep = "" if study.folder is None else str(study.folder / SWEEP)
    key = ("counted", study.fingerprint, sweep, stamp_of(sweep))
    return compute(key, make, title=_("Counting the runs in several ways:"), cache=scaling_results())


def _by_shapes(study: ScalingStudy, shapes: list[TransformerConfig], counting: Counting) -> CountedExponent:
    each = {
        shape: (count_parameters(shape, counting.params), count_flops_per_token(shape, counting.flops))
        for shape in set(shapes)
    }
    params, flops_per_token = np.array([each[shape] for shape in shapes], dtype=np.float64).T
    return _exponent(counting, params, flops_per_token, study)


def _exponent(
    counting: Counting,
    params: Float[np.ndarray, " run"],
    flops_per_token: Float[np.ndarray, " run"],
    study: ScalingStudy,
) -> CountedExponent:
    try:
        frontier = counted_frontier(params, flops_per_token, study.points.tokens, study.points.loss)
    except UserError as error:
        return CountedExponent(counting=counting, reason=error)
    return CountedExponent(counting=counting, exponent=frontier.exponent)


def _by_table(study: ScalingStudy) -> list[CountedExponent]:
    """A table has one N for each run; C is 6 N D, and what the table says where that differs."""
    points = study.points
    formula = FLOPS_PER_PARAMETER_AND_TOKEN * points.params
    ways = {TABLE_FORMULA: formula}
    from_table = points.flops / points.tokens
    if not np.allclose(from_table, formula, rtol=1e-3):
        ways[TABLE_FLOPS] = from_table
    return [_exponent(counting, points.params, each, study) for counting, each in ways.items()]


def _show_exponents(study: ScalingStudy | None, counted: list[CountedExponent], chosen: float | None) -> None:
    ladder = [_point(_(RUNG_LABELS[rung.key]), rung.exponent) for rung in LADDER]
    papers = []
    for paper in ALLOCATIONS.values():
        low, high = paper.interval or (paper.exponent, paper.exponent)
        papers.append(Interval(name=_(paper.title), value=paper.exponent, low=low, high=high))
    own = [_point(_(each.counting.label), each.exponent) for each in counted if each.exponent is not None]
    groups = [(_("Porian et al. 2024, Kaplan's set-up changed"), ladder), (_("as the papers print it"), papers)]
    if own:
        groups.append((_("your data"), own))
    figure = intervals_figure(groups, x=_("exponent a in N ∝ Cᵃ"))
    if chosen is not None:
        figure.add_vline(x=chosen, line={"width": 1, "dash": "dot", "color": "#6b7280"})
    table: list[Row] = [("group", "what", "exponent", "low", "high")]
    table += [(group, each.name, each.value, each.low, each.high) for group, members in groups for each in members]
    source = _("Porian et al. 2024, Kaplan et al. 2020, Hoffmann et al. 2022")
    show_scaling_figure(
        figure,
        name="exponents-of-papers",
        label=_("Exponents of the compute-optimal size"),
        source=f"{source} · {source_line(study)}" if study is not None and own else source,
        table=table,
        code="" if study is None or study.folder is None else counted_code(study),
        height=150 + 30 * (len(ladder) + len(papers) + len(own)),
    )


def _point(name: str, value: float) -> Interval:
    return Interval(name=name, value=value, low=value, high=value)


def _show_counted(counted: list[CountedExponent], *, is_table: bool) -> None:
    if is_table:
        st.caption(
            _(
                "A table says one N for each run, so N can be counted in one way only, and C as 6 N D or as its "
                "column of compute says. A sweep knows its models' shapes: choose one on the left, or start one under "
                "Run a sweep."
            )
        )
    has_reasons = any(each.reason for each in counted)
    table = [
        {
            _("What is counted"): _(each.counting.title),
            _("Exponent a"): "–" if each.exponent is None else f"{each.exponent:.3f}",
            **({_("Why there is none"): str(each.reason or "")} if has_reasons else {}),
        }
        for each in counted
    ]
    st.dataframe(table, hide_index=True, key="counted_rows")
    st.caption(
        _(
            "By Chinchilla's law with E fitted; other methods stand under Compute-optimal allocation. "
            "An exponent depends on the text and on how far the runs reach, too. Compare the conventions with one "
            "another: the papers' runs were other models on other texts."
        )
    )


def counted_code(study: ScalingStudy) -> str:
    """Python that counts a sweep's runs by each convention."""
    imports = [
        "playground.sweeps.flop_counting import count_flops_per_token, count_parameters",
        "playground.sweeps.flop_counting import counted_frontier",
    ]
    ways = tuple((counting.params, counting.flops) for counting in COUNTINGS)
    return sweep_code(study, imports, COUNTED_LINES.format(ways=ways))


COUNTED_LINES = """shapes = {{cell.cell.name: cell.cell.config.model for cell in view.cells}}
runs = [shapes[point.run] for point in view.points]
for params, flops in {ways}:
    frontier = counted_frontier(
        np.array([count_parameters(shape, params) for shape in runs], float),
        np.array([count_flops_per_token(shape, flops) for shape in runs]),
        np.array([point.tokens for point in view.points], float),
        np.array([point.loss for point in view.points]),
    )
    print(params, flops, frontier.exponent)
"""
