"""What a person takes along from page to page: the model, the texts, the head, the token, and what a page showed.

The menu opens a page with an empty address. `enter_page` puts back what the page showed when it was left, and over
it the model, texts, head and token of the page before. A link wins: only what it does not name is filled in. Where the
browser goes back or forward, its address is the whole state.

The browser sends its address with each click, and it may not know yet what the server has just written there. Such an
address, one that this page had a moment ago, gives way to the newest.
"""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

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
)
from ui.state.revisions import renew

CARRIED: tuple[Parameter, ...] = (
    *(MODEL, REVISION, DEVICE, DTYPE),
    *(TEXT, PAIR, TARGET, TRUNCATED),
    *(KIND, HEAD, QUERY),
)
"""The context that all pages share."""
_BOUND = {str(parameter) for parameter in REGISTRY if parameter.bound}
_PAGE, _SCRIPT, _KEPT = "page", "page_script", "kept_pages"
_EARLIER = 64
"""How many addresses are remembered that the browser may still send."""

Values = dict[str, list[str]]


@dataclass(kw_only=True)
class PageState:
    """What a page showed last."""

    address: Values = field(default_factory=dict)
    """Its query parameters that no widget is bound to."""
    widgets: dict[str, Any] = field(default_factory=dict)
    """The values of bound widgets, which read the session before the address."""
    earlier: list[Values] = field(default_factory=list)
    """The addresses it had before, since a link or the browser's history last brought one."""

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
    """Before a page runs: take what the address asks for, and fill in what was taken along."""
    last = st.session_state.get(_PAGE)
    st.session_state[_PAGE], st.session_state[_SCRIPT] = name, _script()
    if last == name:
        _follow_address(_kept()[name])
    elif last is not None:
        _arrive(name, _kept()[last])
    # At once: a click on another page ends this run wherever it stands.
    known = _kept().setdefault(name, PageState())
    known.address = _address()


def leave_page(name: str) -> None:
    """After a page has run: keep the values of the widgets that Streamlit keeps in the address."""
    # A run that ended early has not shown all of them.
    _kept()[name].widgets |= {key: st.session_state[key] for key in _BOUND if key in st.session_state}


def keep_values(key: str, values: list[str]) -> None:
    """Keep what is written as soon as it is: a fragment enters no page, and the next click may end a run anywhere."""
    page = _kept().get(st.session_state.get(_PAGE, ""))
    if page is None or page.address.get(key, []) == values:
        return
    page.earlier = [*page.earlier, dict(page.address)][-_EARLIER:]
    if values:
        page.address[key] = values
    else:
        page.address.pop(key, None)


def catch_up() -> bool:
    """Whether the address is of the page entered last; one that the browser sent too early gives way to the newest.

    Where the menu opens another page, the widgets of the one before may still report something.
    """
    page, address = _kept().get(st.session_state.get(_PAGE, "")), _address()
    if page is None:
        return True
    if st.session_state[_SCRIPT] != _script():
        return False
    if address != page.address and address in page.earlier and not _is_history():
        _write_address(page.address)
    return True


def _follow_address(page: PageState) -> None:
    """On the page that ran before: hear a link, and the browser's history."""
    catch_up()
    if not _address() and not _is_history():
        _write_address(page.address)  # the menu, on the page that is open
    address = _address()
    if address != page.address:
        page.earlier.clear()
    _renew({key for key in address.keys() | page.address.keys() if address.get(key) != page.address.get(key)})


def _arrive(name: str, last: PageState) -> None:
    """On another page than ran before: put back what is to be seen again."""
    linked = {key for key in st.query_params if key != LANGUAGE}
    known = _kept().get(name, PageState())
    known.earlier.clear()
    _renew(linked)
    if _is_history():
        return
    if not linked:
        _fill(known.own, linked)
    _fill(last.context, linked)


def _is_history() -> bool:
    """Whether the browser went back or forward to get here."""
    return bool(getattr(get_script_run_ctx(suppress_warning=True), "is_history_navigation", False))


def _script() -> str:
    """The page that this run is of, as Streamlit names it."""
    return str(getattr(get_script_run_ctx(suppress_warning=True), "page_script_hash", ""))


def _address() -> Values:
    """The query parameters that no widget is bound to."""
    return {key: st.query_params.get_all(key) for key in st.query_params if key not in _BOUND and key != LANGUAGE}


def _write_address(address: Values) -> None:
    for key in _address().keys() - address.keys():
        del st.query_params[key]
    for key, values in address.items():
        if st.query_params.get_all(key) != values:
            st.query_params[key] = values


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


def _renew(keys: set[str]) -> None:
    """Let the widgets of these parameters take what the address says.

    Also where it may say the same: when a script opens another page, the address is the new page's already before the
    old one has ended.
    """
    for key in keys:
        renew(key)
