"""A session forgets the widgets that left its page long ago; Streamlit (1.67) keeps how each was made, for good.

A field that is made anew with every text has a key of its own each time: an hour of typing would leave a thousand.
"""

from functools import cache

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.session_state import SessionState

KEPT = 100
"""How many that have left are kept: a browser may still report one that its page is just losing."""


@cache
def forget_left_widgets() -> None:
    """After each whole run of a page, forget those that left it first."""
    finish = SessionState.on_script_finished

    def finish_and_forget(
        state: SessionState, widget_ids_this_run: frozenset[str], *, remove_stale_widgets: bool = True
    ) -> None:
        finish(state, widget_ids_this_run, remove_stale_widgets=remove_stale_widgets)
        context = get_script_run_ctx()
        if remove_stale_widgets and context is not None and not context.fragment_ids_this_run:
            forget(state, widget_ids_this_run)

    SessionState.on_script_finished = finish_and_forget  # type: ignore[assignment]


def forget(state: SessionState, shown: frozenset[str], kept: int = KEPT) -> None:
    """Drop what is known of all widgets but those on the page and the last few that left it."""
    metadata, keys = state._new_widget_state.widget_metadata, state._key_id_mapper
    for name in shown & metadata.keys():
        metadata[name] = metadata.pop(name)  # a dict keeps its order: who was shown last stands last
    left = [name for name in metadata if name not in shown]
    for name in left[: max(0, len(left) - kept)]:
        del metadata[name]
        key = keys.id_key_mapping.pop(name, None)
        if key is not None and keys.get_id_from_key(key) == name:
            del keys._key_id_mapping[key]
