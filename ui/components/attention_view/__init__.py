"""The attention view: every head as a thumbnail, one head in full, and its scores.

`attention_view` shows a grid and returns the state of the view; `attention_head` sends one exact map to a view,
`attention_scores` the scores of all heads, as soon as they are there; `attention_tables` is the place of a view's
tables; `difference_view` subtracts the maps that two views show. The drawing is that of `playground.viewer`.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from playground.viewer.attention_view.assets import (
    CSS,
    difference_module,
    head_module,
    scores_module,
    tables_module,
    view_module,
)
from playground.viewer.attention_view.labels import attention_view_labels
from playground.viewer.attention_view.payload import (
    AlignedWords,
    AxisToken,
    AxisWord,
    GridView,
    HeadView,
    ScoresView,
    encode_grid,
    encode_head,
    encode_scores,
    grid_payload,
)
from playground.viewer.attention_view.view_state import Pin, Selected, ViewSettings, ViewState, read_view_state
from ui.components.shared.registration import keep_report, register, report_of

__all__ = [
    "AlignedWords",
    "AxisToken",
    "AxisWord",
    "GridView",
    "HeadView",
    "Pin",
    "ScoresView",
    "Selected",
    "ViewSettings",
    "ViewState",
    "attention_head",
    "attention_scores",
    "attention_tables",
    "attention_view",
    "attention_view_labels",
    "difference_view",
    "encode_head",
    "encode_scores",
    "grid_payload",
]

_MARKS_CLOSED = "attention_marks_closed"
_view = register("attention", view_module(), css=CSS)
_head = register("head", head_module(), html="")
_scores = register("scores", scores_module(), html="")
_tables = register("tables", tables_module(), css=CSS)
_difference = register("difference", difference_module(), css=CSS)


def attention_view(
    grid: GridView,
    *,
    selected: Selected | None = None,
    settings: ViewSettings | None = None,
    labels: Mapping[str, str] | None = None,
    with_marks: bool = False,
    follows: bool = False,
    asked: int = 0,
    key: str,
) -> ViewState:
    """Draw the grid and the selected head; return the view's state.

    with_marks: explain the picture by three marks, until somebody closes them: once in a session. follows: another
    view's toolbar sets this one, too.

    `selected` and `settings` are the initial state. Later runs may pass the returned state, or always the same one;
    only a state that is neither (a reset, another link) moves the view, or one that is `asked` for once more: the
    browser's history brings states back that the view has had.
    """
    wanted = ViewState(selected=selected or Selected(), settings=settings or ViewSettings())
    sent = _sent(key, wanted, _report(st.session_state.get(key)), asked)
    marks = _marks(sent, grid.trace, with_marks)
    data = encode_grid(
        grid,
        view=key,
        initial=sent["initial"],
        revision=sent["revision"],
        labels={**attention_view_labels(), **(labels or {})},
        marks=marks,
        follows=follows,
    )
    result = _view(key=key, data=data, on_view_change=keep_report, on_marks_change=_close_marks)
    report = _report(result)
    current = sent["initial"] if report is None or report.get("revision") != sent["revision"] else report
    state = read_view_state(current, layers=grid.blocks or range(grid.n_layers), heads=grid.n_heads, default=wanted)
    sent["returned"] = state.as_dict()
    return state


def attention_head(trace: str, head: HeadView, *, view: str, key: str | None = None) -> None:
    """Send one exact map to the attention view whose key is `view`; takes no room on the page."""
    _head(key=key or f"{view}_head", data=encode_head(trace, head, view=view))


def attention_scores(trace: str, scores: ScoresView, *, view: str, key: str | None = None) -> None:
    """Send all heads' scores to the attention view whose key is `view`; takes no room on the page."""
    _scores(key=key or f"{view}_scores", data=encode_scores(trace, scores, view=view))


def attention_tables(view: str) -> None:
    """The place for the tables of the attention view whose key is `view`; without one they follow its picture."""
    _tables(key=f"{view}_tables", data={"view": view})


def difference_view(
    left_key: str,
    right_key: str,
    *,
    key: str,
    words: AlignedWords | None = None,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Draw left minus right of the maps that the attention views with these two keys show.

    words: what their tokens are put together to; by default the maps are subtracted token by token.
    """
    all_labels = {**attention_view_labels(), **(labels or {})}
    data = {"left": left_key, "right": right_key, "labels": all_labels, "words": words and words.as_dict()}
    _difference(key=key, data=data)


def _marks(sent: dict[str, Any], trace: str, wanted: bool) -> bool:
    """Whether the marks are shown. It stays as it is while the grid does: closing them must not send it again."""
    if sent.get("marks_for") != trace:
        sent |= {"marks_for": trace, "marks": wanted and not st.session_state.get(_MARKS_CLOSED, False)}
    return bool(sent["marks"])


def _close_marks() -> None:
    st.session_state[_MARKS_CLOSED] = True


def _sent(key: str, wanted: ViewState, report: Mapping[str, Any] | None, asked: int) -> dict[str, Any]:
    """Return the initial state that the browser holds, with a new revision only if Python asks for a new state.

    It must stay the same from run to run, or every click would send the whole grid again.
    """
    name, value = f"{key}:sent", wanted.as_dict()
    sent: dict[str, Any] | None = st.session_state.get(name)
    if sent is None:
        sent = {"initial": value, "revision": 0, "wanted": value, "returned": value, "reported": False}
    elif _moved(sent, value, report) or (sent["asked"] != asked and value != sent["returned"]):
        sent |= {"initial": value, "revision": sent["revision"] + 1}
    sent |= {"wanted": value, "reported": report is not None, "asked": asked}
    st.session_state[name] = sent
    return sent


def _moved(sent: Mapping[str, Any], value: Mapping[str, Any], report: Mapping[str, Any] | None) -> bool:
    if report is None:
        # No report, although there was one: the view left the page and returns.
        return bool(sent["reported"]) or value != sent["initial"]
    return value not in (sent["wanted"], sent["returned"])


def _report(result: object) -> Mapping[str, Any] | None:
    report = report_of(result, "view")
    return report if isinstance(report, Mapping) else None
