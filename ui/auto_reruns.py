"""A press counts once, although the timer of a fragment goes off between the press and its message.

Streamlit's page notes a press and sends it from a timeout (1.67, `scheduleFlush`). A fragment with `run_every` may ask
for its next run in between, and its request carries all that is noted: a slow browser's press would count twice.
"""

from functools import cache

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

TRIGGERS = ("trigger_value", "string_trigger_value", "chat_input_value", "json_trigger_value")
"""Values of widgets that say that something has happened."""


@cache
def count_presses_once() -> None:
    """Take the presses out of every request that a timer makes; each comes with a request of its own."""
    request_rerun = AppSession.request_rerun

    def request_rerun_with_own_presses(session: AppSession, client_state: ClientState | None) -> None:
        if client_state is not None and client_state.is_auto_rerun:
            client_state = without_presses(client_state)
        request_rerun(session, client_state)

    AppSession.request_rerun = request_rerun_with_own_presses  # type: ignore[assignment]


def without_presses(client_state: ClientState) -> ClientState:
    """A browser's state with the values that widgets have, and without what has just happened to them."""
    kept = ClientState()
    kept.CopyFrom(client_state)
    widgets = kept.widget_states.widgets
    for index in reversed(range(len(widgets))):
        if widgets[index].WhichOneof("value") in TRIGGERS:
            del widgets[index]
    return kept
