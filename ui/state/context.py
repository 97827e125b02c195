"""What a person takes along from page to page: the model, the texts, the head, the token, and what a page showed.

The menu opens a page with an empty address. `enter_page` puts back what the page showed when it was left, and over
it the model, texts, head and token of the page before. A link wins: only what it does not name is filled in.
"""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ui.state.parameters import (
    DEVICE,
    DTYPE,
    HEAD,
    KIND,
    LANGUAGE,
    MODEL,
    PAIR,
    QUERY,
    REGISTRY,
    REVISION,
    TARGET,
    TEXT,
    TRUNCATED,
    Parameter,
    Text,
)

CARRIED: tuple[Parameter, ...] = (
    *(MODEL, REVISION, DEVICE, DTYPE),
    *(TEXT, PAIR, TARGET, TRUNCATED),
    *(KIND, HEAD, QUERY),
)
"""The context that all pages share."""
_BOUND = {str(parameter) for parameter in REGISTRY if parameter.bound}
_AREAS = {str(parameter) for parameter in REGISTRY if isinstance(parameter, Text) and not parameter.bound}
_PAGE, _KEPT = "page", "kept_pages"

Values = dict[str, list[str]]


@dataclass(kw_only=True)
class PageState:
    """What a page showed last."""

    address: Values = field(default_factory=dict)
    """Its query parameters that no widget is bound to."""
    widgets: dict[str, Any] = field(default_factory=dict)
    """The values of bound widgets, which read the session before the address."""

    @property
    def context(self) -> "PageState":
        """Only what all pages share."""
        return PageState(
            address={key: values for key, values in self.address.items() if key in CARRIED},
            widgets={key: value for key, value in self.widgets.items() if key in CARRIED},
        )

    @property
    def own(self) -> "PageState":
        """Only what belongs to this page."""
        return PageState(
            address={key: values for key, values in self.address.items() if key not in CARRIED},
            widgets={key: value for key, value in self.widgets.items() if key not in CARRIED},
        )


def enter_page(name: str) -> None:
    """Before a page runs: where another page ran before it, put back what is to be seen again."""
    last = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = name
    if last is not None and last != name:
        linked = {key for key in st.query_params if key != LANGUAGE}
        context = _kept().get(last, PageState()).context
        _renew_areas(linked)
        if not linked:
            _fill(_kept().get(name, PageState()).own, linked)
        _fill(context, linked)
    # At once: a click on another page ends this run wherever it stands.
    leave_page(name)


def leave_page(name: str) -> None:
    """After a page has run: keep what it shows."""
    address = {key: st.query_params.get_all(key) for key in st.query_params if key not in _BOUND and key != LANGUAGE}
    widgets = {key: st.session_state[key] for key in _BOUND if key in st.session_state}
    known = _kept().get(name, PageState())
    # A run that ended early has not shown all of its widgets.
    _kept()[name] = PageState(address=address, widgets={**known.widgets, **widgets})


def keep_value(key: str, value: str | None) -> None:
    """Keep a value as soon as it is written: a fragment leaves no page, and a run may be ended by the next click."""
    page = _kept().get(st.session_state.get(_PAGE, ""))
    if page is None:
        return
    if value is None:
        page.address.pop(key, None)
    else:
        page.address[key] = [value]


def is_linked() -> bool:
    """Whether the address asks for something: more than the language."""
    return any(key != LANGUAGE for key in st.query_params)


def context_parameters() -> dict[str, str | list[str]]:
    """The shared context as query parameters, for a link to another page."""
    values: dict[str, str | list[str]] = {}
    for key in CARRIED:
        if listed := st.query_params.get_all(key):
            values[key] = listed if len(listed) > 1 else listed[0]
    return values


def _kept() -> dict[str, PageState]:
    kept: dict[str, PageState] = st.session_state.setdefault(_KEPT, {})
    return kept


def _fill(state: PageState, linked: set[str]) -> None:
    for key, values in state.address.items():
        if key not in linked:
            st.query_params[key] = values
    for key, value in state.widgets.items():
        if key not in linked:
            st.session_state[key] = value


def _renew_areas(linked: set[str]) -> None:
    """A text area keeps what was typed until it gets a new revision: a link with a text needs one.

    Whether the text is another one cannot be told from the page that was left: where its script opened this page, its
    address was this page's already when it ended.
    """
    for key in linked & _AREAS:
        st.session_state[f"{key}_revision"] = int(st.session_state.get(f"{key}_revision", 0)) + 1
