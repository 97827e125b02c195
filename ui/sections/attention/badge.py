"""Whether what is shown is the model's own: a badge whose place is there before the answer, and each step's number."""

import math
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.lens.capture.verification import Check, CheckedStep, StepName
from playground.lens.inspect.attention_view import CodedMaps, ViewOptions, axes
from playground.lens.inspect.picture_check import check_picture
from playground.progress import OnProgress
from playground.text import N_, _
from ui.cache import TracedText
from ui.jobs import follow
from ui.text import inert

QUICK_ROWS = 32
"""Rows of each head that are checked behind every picture."""
QUICK, WHOLE = "check", "check of all kept rows"
"""Under which both are cached with the trace, beside the options of the picture."""
SUMS = "check of the sums"
"""Under which the sums of the stream are: no option of the picture changes them."""
SHORT_TOKENS = 64
"""Up to so many tokens the sums are checked behind every picture; those of longer texts when they are asked for."""
STEPS = {
    "heads": N_(
        "Head outputs: weights times values, against torch's attention kernel (with soft caps or sinks: transformers' "
        "own code)"
    ),
    "rows": N_("Weights: each row sums to 1"),
    "thumbnails": N_("Thumbnails: each cell, against the largest exact weight in it"),
    "picture": N_("Picture: the painted cells, against the exact weights"),
    "stream": N_("Residual stream: a block's input plus what its layers write, against its output"),
    "parts": N_("Logit of the likeliest token: the sum of its contributions, against the model's own"),
}


@dataclass(frozen=True, kw_only=True)
class Badge:
    """The place of a badge, and what it says there."""

    place: DeltaGenerator
    check: Check | None
    """None as long as the answer is on its way."""


def open_badge(traced: TracedText, options: ViewOptions) -> Badge:
    """The badge with the answer where it is known, or with a word that it is on its way."""
    place = st.empty()
    check: Check | None = traced.get((WHOLE, options)) or traced.get((QUICK, options))
    if check is None:
        _show_waiting(place)
        return Badge(place=place, check=None)
    return _fill(place, _with_sums(check, traced.get(SUMS)), traced, options)


def fill_badge(badge: Badge, traced: TracedText, options: ViewOptions) -> Badge:
    """Whether the numbers on show, computed again, are the model's own, where it is not there yet."""
    if badge.check is not None:
        return badge
    make = partial(_check, traced, options, QUICK_ROWS)
    check = follow((QUICK, options), make, cache=traced, waiting=partial(_show_waiting, badge.place))
    return _fill(badge.place, _with_sums(check, traced.get(SUMS)), traced, options)


def fill_sums(badge: Badge, traced: TracedText, options: ViewOptions) -> None:
    """Add the sums of the stream of a short text, which take another pass: the last that a page shows."""
    waiting = st.empty()
    if badge.check is None or not _awaits_sums(badge.check, traced):
        return
    sums = follow(SUMS, partial(_sums, traced), cache=traced, waiting=waiting.empty)
    _fill(badge.place, _with_sums(badge.check, sums), traced, options)


def _with_sums(check: Check, sums: tuple[CheckedStep, ...] | None) -> Check:
    return check if sums is None else replace(check, steps=(*check.steps, *sums))


def _awaits_sums(check: Check, traced: TracedText) -> bool:
    """Whether a badge that says this is about to be told the sums, too."""
    return len(traced.trace.source) <= SHORT_TOKENS and _step(check, "stream") is None


def _show_waiting(place: DeltaGenerator) -> None:
    place.badge(_("Verifying …"), icon=":material/hourglass_empty:", color="gray")


def _fill(place: DeltaGenerator, check: Check, traced: TracedText, options: ViewOptions) -> Badge:
    shown, awaits_sums = Badge(place=place, check=check), _awaits_sums(check, traced)
    with place.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        _show_check(check, awaits_sums=awaits_sums)
        with st.popover(_("Each step"), type="tertiary", help=_("What was computed again, and by how much it differs")):
            _show_steps(check)
        kept = max(0 if site.z is None else site.z.shape[1] for site in traced.trace.sites)
        is_whole = check.rows >= kept and _step(check, "stream") is not None
        if check.difference is None or is_whole or awaits_sums:
            return shown
        help_text = _(
            "Checks {kept} rows of each head, as many as were kept of the pass, and the sums of the residual stream."
        ).format(kept=kept)
        if not st.button(_("Check more"), type="tertiary", help=help_text, key="check_more"):
            return shown
    waiting = partial(_show_waiting, place)
    follow((WHOLE, options), partial(_check, traced, options, kept), cache=traced, waiting=waiting)
    follow(SUMS, partial(_sums, traced), cache=traced, waiting=waiting)
    st.rerun()


def _sums(traced: TracedText, _on_progress: OnProgress) -> tuple[CheckedStep, ...]:
    return traced.trace.check_sums()


def _check(traced: TracedText, options: ViewOptions, rows: int, _on_progress: OnProgress) -> Check:
    """Every step without the sums, the painted picture's cells with them where it is painted."""
    check = traced.trace.check(rows)
    painted = traced.get(("picture", options))
    if painted is None:
        return check
    grid = painted[0]
    coded = CodedMaps(maps=grid.maps, rows=grid.rows, columns=grid.columns, packing=grid.packing, pooled=grid.pooled)
    picture = check_picture(traced.trace.layers(options.kind), axes(traced.trace, options), options, coded, rows)
    return replace(check, steps=(*check.steps, picture))


def _show_steps(check: Check) -> None:
    """A line for each step: agrees, differs, or why it cannot be told; with its number."""
    st.markdown(_("What is shown is computed a second time in another way. The largest absolute difference:"))
    for step in check.steps:
        st.markdown(f"{_mark(step)} {_(STEPS[step.name])}: {_said_of(step)}")
    st.caption(
        _("{rows} of {queries} rows of each head. Differences within rounding ({dtype}) count as none.").format(
            rows=check.rows, queries=check.queries, dtype=check.dtype
        )
    )
    if _step(check, "stream") is None:
        st.caption(
            _("Not checked: the residual stream and the logit, which take another pass. Check more checks them.")
        )


def _mark(step: CheckedStep) -> str:
    if step.difference is None:
        return ":material/remove:"
    return ":green[:material/check:]" if step.passed else ":orange[:material/warning:]"


def _said_of(step: CheckedStep) -> str:
    if step.difference is None:
        return inert(step.reason or _("cannot be computed again: the model only reports its weights"))
    number = _short(step.difference)
    if step.passed or step.layer is None:
        return number if step.passed else f"**{number}**"
    return _("**{number}**, in layer {layer}").format(number=number, layer=step.layer)


def _show_check(check: Check, *, awaits_sums: bool) -> None:
    """The badge: the heads' largest difference, or the first step that is off."""
    if check.difference is None:
        st.badge(_("Not verified: reported by the model"), icon=":material/info:", color="gray")
        st.caption(_("This family exposes no queries and keys, so the weights cannot be recomputed."))
        return
    if math.isnan(check.difference):
        st.badge(_("The model's values are not finite"), icon=":material/error:", color="red")
        return
    help_text = _(
        "The weights on show times the values, against the head outputs that torch's kernel gave the model: the "
        "largest absolute difference of all heads, on {rows} of {queries} rows. Each step lists what else was checked."
    ).format(rows=check.rows, queries=check.queries)
    elsewhere = next((step for step in check.failed if step.name != "heads"), None)
    if not check.passed and elsewhere is not None and check.failed[0] is elsewhere:
        label = _("Differs at a step: {error}").format(error=_short(elsewhere.difference or 0.0))
        st.badge(label, icon=":material/warning:", color="orange", help=_(STEPS[elsewhere.name]))
        return
    label = _("Verified: max. error {error}") if check.passed else _("Differs: max. error {error}")
    said = ", ".join([label.format(error=_short(check.difference)), *_left_out(check, awaits_sums)])
    if check.passed:
        st.badge(said, icon=":material/verified:", color="green", help=help_text)
    else:
        st.badge(said, icon=":material/warning:", color="orange", help=help_text)


def _left_out(check: Check, awaits_sums: bool) -> list[str]:
    """What the badge does not vouch for, in a few words; what it is about to be told is none."""
    said = []
    if check.rows < check.queries:
        said.append(_("{rows} of {queries} rows").format(rows=check.rows, queries=check.queries))
    stream = _step(check, "stream")
    if (stream is None or stream.difference is None) and not awaits_sums:
        said.append(_("stream not checked"))
    return said


def _step(check: Check, name: StepName) -> CheckedStep | None:
    return next((step for step in check.steps if step.name == name), None)


def _short(value: float) -> str:
    """A small number with one digit: 1e-6.

    >>> _short(1.4e-6), _short(0.0)
    ('1e-6', '0')
    """
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"
