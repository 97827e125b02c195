"""One of a few options, chosen on the page and kept in the address in a spelling that no language changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from ui.state.address import read_choice, read_switch, write_choice, write_switch
from ui.state.parameters import Choice, Switch
from ui.state.revisions import widget_key

V = TypeVar("V")


def choose_segment(
    label: str, options: Sequence[V], default: V, *, format_func: Callable[[V], str], **settings: Any
) -> V:
    """One of a few options, always: a message may say that none is chosen, though no browser does."""
    chosen: V | None = st.segmented_control(
        label, options, default=default, format_func=format_func, required=True, **settings
    )
    return default if chosen is None else chosen


def choose_option(
    name: Choice,
    title: str,
    titles: Mapping[Any, str],
    *,
    key: str | None = None,
    hidden: bool = False,
    default: str | None = None,
    help_text: str | None = None,
) -> str:
    """The option that is chosen among those with a title; the default (the first, or as named) is in no address."""
    options = list(titles)
    default = options[0] if default is None else default
    option: str = choose_segment(
        title,
        options,
        read_choice(name, [default, *options]),
        key=widget_key(name, key or f"choose_{name}"),
        format_func=titles.__getitem__,
        label_visibility="collapsed" if hidden else "visible",
        help=help_text,
        wrap=True,
    )
    write_choice(name, option, default)
    return option


def as_label(title: str) -> str:
    """A title that stands in sentences and on axes, too, as a control shows it: with a capital.

    >>> as_label("training tokens D"), as_label("Δ loss (nats)")
    ('Training tokens D', 'Δ loss (nats)')
    """
    return title[:1].upper() + title[1:]


def choose_switch(parameter: Switch, label: str, about: str | None = None) -> bool:
    """A toggle that stands in the address."""
    value = st.toggle(label, value=read_switch(parameter), key=widget_key(parameter), help=about)
    write_switch(parameter, value)
    return value
