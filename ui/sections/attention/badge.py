"""Whether the weights on show are the model's own: a badge whose place is there before the answer."""

import math
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.lens.trace import Check
from playground.progress import OnProgress
from playground.text import _
from ui.cache import TracedText
from ui.jobs import follow

QUICK_ROWS = 32
"""Rows of each head that are checked behind every picture: a twentieth of the pass's time."""
QUICK, WHOLE = "check", "check of all kept rows"
"""Under which both are cached with the trace."""


def open_badge(traced: TracedText) -> DeltaGenerator:
    """The place of the badge: with the answer where it is known, or with a word that it is on its way."""
    place = st.empty()
    check = _known(traced)
    if check is None:
        _show_waiting(place)
    else:
        _fill(place, check, traced)
    return place


def fill_badge(place: DeltaGenerator, traced: TracedText) -> None:
    """Whether the heads' outputs, recomputed from the weights shown, are the model's own, where it is not there yet."""
    if _known(traced) is not None:
        return
    check = follow(QUICK, partial(_check_rows, traced, QUICK_ROWS), cache=traced, waiting=partial(_show_waiting, place))
    _fill(place, check, traced)


def _known(traced: TracedText) -> Check | None:
    check: Check | None = traced.get(WHOLE) or traced.get(QUICK)
    return check


def _show_waiting(place: DeltaGenerator) -> None:
    place.badge(_("Verifying …"), icon=":material/hourglass_empty:", color="gray")


def _fill(place: DeltaGenerator, check: Check, traced: TracedText) -> None:
    with place.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        _show_check(check)
        kept = max(0 if site.z is None else site.z.shape[1] for site in traced.trace.sites)
        if check.difference is None or check.rows >= kept:
            return
        help_text = _("Checks {kept} rows of each head: as many as were kept of the pass.").format(kept=kept)
        if not st.button(_("Check more"), type="tertiary", help=help_text, key="check_more"):
            return
    make = partial(_check_rows, traced, kept)
    follow(WHOLE, make, cache=traced, waiting=partial(_show_waiting, place))
    st.rerun()


def _check_rows(traced: TracedText, rows: int, _on_progress: OnProgress) -> Check:
    return traced.trace.check(rows)


def _show_check(check: Check) -> None:
    """Largest difference between recomputed and actual head outputs."""
    if check.difference is None:
        st.badge(_("Not verified: reported by the model"), icon=":material/info:", color="gray")
        st.caption(_("This family exposes no queries and keys, so the weights cannot be recomputed."))
        return
    if math.isnan(check.difference):
        st.badge(_("The model's values are not finite"), icon=":material/error:", color="red")
        return
    help_text = _(
        "Weights times values, recomputed from the weights shown, against the model's own head outputs: maximum "
        "absolute error over all heads, {rows} of {queries} rows."
    ).format(rows=check.rows, queries=check.queries)
    is_whole = check.rows == check.queries
    if check.passed:
        label = _("Verified: max. error {error}") if is_whole else _("Verified: max. error {error}, {rows} rows")
        icon, colour = ":material/verified:", "green"
    else:
        label = _("Differs: max. error {error}") if is_whole else _("Differs: max. error {error}, {rows} rows")
        icon, colour = ":material/warning:", "orange"
    said = label.format(error=_short(check.difference), rows=check.rows)
    st.badge(said, icon=icon, color=colour, help=help_text)


def _short(value: float) -> str:
    """A small number with one digit: 1e-6.

    >>> _short(1.4e-6), _short(0.0)
    ('1e-6', '0')
    """
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"
