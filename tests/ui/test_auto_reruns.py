"""What a fragment's timer sends of the widgets."""

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

from ui.auto_reruns import TRIGGERS, count_presses_once, without_presses


def pressed(*, is_auto_rerun: bool) -> ClientState:
    """A browser with a number typed and a button pressed."""
    state = ClientState(is_auto_rerun=is_auto_rerun, fragment_id="follow")
    state.widget_states.widgets.add(id="number", int_value=7)
    state.widget_states.widgets.add(id="step", trigger_value=True)
    state.widget_states.widgets.add(id="clicked", json_trigger_value='{"row": 1}')
    return state


def test_a_timers_request_keeps_values_and_loses_presses():
    kept = without_presses(pressed(is_auto_rerun=True))
    assert [(widget.id, widget.int_value) for widget in kept.widget_states.widgets] == [("number", 7)]
    assert kept.fragment_id == "follow"


def test_streamlit_knows_no_other_kind_of_press():
    fields = ClientState().widget_states.widgets.add().DESCRIPTOR.fields_by_name
    assert {name for name in fields if "trigger" in name or name.startswith("chat")} == set(TRIGGERS)


def test_only_a_timers_request_is_changed(monkeypatch):
    arrived = []
    monkeypatch.setattr(AppSession, "request_rerun", lambda _session, state: arrived.append(state))
    count_presses_once.__wrapped__()
    session = object()
    for state in (pressed(is_auto_rerun=True), pressed(is_auto_rerun=False), None):
        AppSession.request_rerun(session, state)
    assert [state and len(state.widget_states.widgets) for state in arrived] == [1, 3, None]
