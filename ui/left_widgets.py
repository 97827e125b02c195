"""A session forgets the widgets that left its page long ago; Streamlit (1.67) keeps how each was made, for good.

A field that is made anew with every text has a key of its own each time: an hour of typing would leave a thousand.
"""

from functools import cache
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.session_state import SessionState

KEPT = 100
"""How many that have left are kept: a browser may still report one that its page is just losing."""
OF_ONE_ELEMENT = 2
"""A component is made as two widgets, one of which (its events) is not among those that a run names as shown."""


@cache
def forget_left_widgets() -> None:
    """After each whole run of a page, forget those that were made first and not again."""
    remember, finish = SessionState._set_widget_metadata, SessionState.on_script_finished

    def remember_last(state: SessionState, made: WidgetMetadata[Any]) -> None:
        state._new_widget_state.widget_metadata.pop(made.id, None)  # who was made last stands last
        remember(state, made)

    def finish_and_forget(
        state: SessionState, widget_ids_this_run: frozenset[str], *, remove_stale_widgets: bool = True
    ) -> None:
        finish(state, widget_ids_this_run, remove_stale_widgets=remove_stale_widgets)
        context = get_script_run_ctx()
        if remove_stale_widgets and context is not None and not context.fragment_ids_this_run:
            forget(state, OF_ONE_ELEMENT * len(widget_ids_this_run) + KEPT)

    SessionState._set_widget_metadata = remember_last  # type: ignore[assignment]
    SessionState.on_script_finished = finish_and_forget  # type: ignore[assignment]


def forget(state: SessionState, kept: int) -> None:
    """Drop what is known of all widgets but the last that were made."""
    metadata, keys = state._new_widget_state.widget_metadata, state._key_id_mapper
    for name in list(metadata)[: max(0, len(metadata) - kept)]:
        del metadata[name]
        key = keys.id_key_mapping.pop(name, None)
        if key is not None and keys.get_id_from_key(key) == name:
            del keys._key_id_mapping[key]
