"""Two systems on the same lines: the paired bootstrap says whether their difference is anything."""

import streamlit as st

from playground.charts.evaluate import difference_figure
from playground.evaluation.line_scores import LineMeasure, LineScores, compare_systems
from playground.evaluation.resampling import PairedSpread
from playground.lens.finding import Finding
from playground.text import N_, _
from ui.cache import results
from ui.jobs import require
from ui.sections.evaluate.numbers import interval_text
from ui.widgets.chart import draw
from ui.widgets.findings import show_findings

TITLES: dict[LineMeasure, str] = {"bleu": "BLEU", "chrf": "chrF", "ter": "TER"}


def show_systems(first: LineScores, second: LineScores) -> None:
    """Both scores of each measure, the difference with its interval, and the resamples of BLEU's."""
    st.subheader(_("Second system less first"), anchor=False)
    key = ("paired", hash(first.lines), hash(second.lines), first.config, *first.statistics)
    paired = require(key, lambda _progress: compare_systems(first, second), title=_("Resampling"), cache=results())
    show_findings(describe_difference("BLEU", paired["bleu"]))
    compared = paired.values()
    st.table(
        {
            _("measure"): [TITLES[name] for name in paired],
            _("first"): [f"{one.first.value:.2f}" for one in compared],
            _("second"): [f"{one.second.value:.2f}" for one in compared],
            _("difference"): [
                f"{one.difference.value:+.2f}, {interval_text(one.difference, digits=2)}" for one in compared
            ],
            "p": [f"{one.p_value:.3f}" for one in compared],
        }
    )
    draw(
        None,
        difference_figure(paired["bleu"], meaning=_("difference in BLEU")),
        key="difference_chart",
        label=_("Difference of two systems in BLEU"),
        details={"signature": first.signatures["bleu"], "n": len(first.lines)},
        height=260,
    )


def describe_difference(title: str, paired: PairedSpread) -> Finding:
    """What the lines can say about the difference."""
    values = {
        "title": title,
        "difference": paired.difference.value,
        "low": paired.difference.low,
        "high": paired.difference.high,
        "n": paired.difference.n,
        "share": 100 * paired.second_wins,
        "p": paired.p_value,
    }
    if paired.is_told_apart:
        template = N_(
            "The second system differs by {difference:+.2f} {title}, 95% interval {low:+.2f} to {high:+.2f}: more "
            "than {n:,} lines give by chance (p = {p:.3f})."
        )
    else:
        template = N_(
            "The second system differs by {difference:+.2f} {title}, but the 95% interval {low:+.2f} to {high:+.2f} "
            "holds 0: {n:,} lines cannot tell the two apart (p = {p:.2f}; it is ahead in {share:.0f}% of resamples)."
        )
    return Finding(template=template, values=values)
