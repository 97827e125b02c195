"""What the stride of a sliding window does to the perplexity of a text that is longer than the window."""

import streamlit as st

from playground.charts.evaluate import stride_figure
from playground.lens.finding import Finding
from playground.lens.generate.stride import StrideScore, stride_scores
from playground.lens.generate.surprisal import TextSurprisal
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.text import N_, _, _n
from ui.cache import results_of
from ui.jobs import compute
from ui.state.address import read_switch, write_switch
from ui.state.parameters import WINDOW, WITH_STRIDES
from ui.state.revisions import widget_key
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option
from ui.widgets.findings import show_findings
from ui.widgets.number_columns import decimals

WINDOWS = (16, 32, 64, 128, 256, 512)
MOST_READ = 16_000
"""Tokens that one stride may read in all its passes: a smaller stride is left out."""
MOST_TOKENS = 4_000
"""Of a longer text the beginning is read: about so many tokens."""


def show_strides(model: LoadedModel, text: str, scores: TextSurprisal) -> str | None:
    """Perplexity over the stride, of a window that is chosen; the call that scores it. None for one window's text."""
    n = min(len(scores.tokens), MOST_TOKENS)
    fitting = [window for window in WINDOWS if window < n and window <= model.context]
    if not fitting:
        return None
    is_on = st.toggle(
        _("Sliding window: what the stride does"),
        value=read_switch(WITH_STRIDES),
        key=widget_key(WITH_STRIDES),
        help=_("Reads the text again under every stride."),
    )
    write_switch(WITH_STRIDES, is_on)
    if is_on:
        text = _beginning(text, len(scores.tokens))
        titles = {str(window): _n("{n} token", "{n} tokens", window) for window in fitting}
        window = int(choose_option(WINDOW, _("Window"), titles, default=str(fitting[-1])))
        strides = strides_of(window, n)

        def score(on_progress: OnProgress) -> list[StrideScore]:
            return stride_scores(model, text, window=window, strides=strides, on_progress=on_progress)

        judged = compute(("strides", text, window), score, title=_("Reading, pass:"), cache=results_of(model))
        if judged:
            _draw(model, judged, window, text)
            return f"stride_scores(model, text[:{len(text)}], window={window}, strides={strides})"
    return None


def _beginning(text: str, n: int) -> str:
    """The text's first tokens of n, with a sentence where these are not all; cut at a blank where there is one."""
    if n <= MOST_TOKENS:
        return text
    cut = text[: len(text) * MOST_TOKENS // n]
    cut = cut[: cut.rfind(" ")] if " " in cut else cut
    st.caption(
        _("Of its first {count:,} characters, about {n:,} tokens: every stride reads them again.").format(
            count=len(cut), n=MOST_TOKENS
        )
    )
    return cut


def strides_of(window: int, n: int) -> list[int]:
    """Halves of the window down to a stride whose passes still read a bearable number of tokens, the smallest first.

    >>> strides_of(64, 500)
    [2, 4, 8, 16, 32, 63]
    """
    halves = [window - 1]
    while halves[-1] > 1:
        halves.append((halves[-1] + 1) // 2)
    return sorted({stride for stride in halves if window * (n - window) / stride < MOST_READ})


def _draw(model: LoadedModel, judged: list[StrideScore], window: int, text: str) -> None:
    least, most = judged[0], judged[-1]
    template = N_(
        "With a stride of {most} the perplexity is {high:,.2f}: tokens at the start of each window have as little as "
        "{context} before them. A stride of {least} gives {low:,.2f} and takes {factor:.0f} times as many passes."
    )
    values = {
        "most": most.stride,
        "high": most.perplexity,
        "context": most.least_context,
        "least": least.stride,
        "low": least.perplexity,
        "factor": least.passes / most.passes,
    }
    show_findings(Finding(template=template, values=values) if least is not most else None)
    draw(
        model,
        stride_figure(judged, window=window),
        key="stride_chart",
        label=_("Perplexity by stride"),
        details={"text": text[:2000], "window": window},
        height=280,
        revision=str(window),
    )
    st.dataframe(
        {
            _("stride"): [score.stride for score in judged],
            _("least context"): [score.least_context for score in judged],
            _("passes"): [score.passes for score in judged],
            _("perplexity"): [score.perplexity for score in judged],
            _("bits per byte"): [score.bits_per_byte for score in judged],
        },
        hide_index=True,
        key="strides_table",
        column_config=decimals(_("perplexity"), _("bits per byte")),
    )
