"""An adversary's walk over the hosted app, in the server's own protocol; then forged messages at random.

Forged states of widgets, reports of components and addresses: no error box, no markup of theirs that comes alive, no
traceback in the log, and the server goes on. `make forged` sends 10,000 of them ($FORGED), `make kills` kills clients.
"""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import InvalidStatus

from benchmarks.seat import Seat, Seen
from playground.settings import PAGES as ALL_PAGES
from playground.training.run.metrics import last_recorded_step, read_metrics
from playground.training.run.status import read_status
from tests.helpers.forgery import HOST, MARKUP, active_markup, forged_parameter, forged_states, is_active
from tests.helpers.waiting import until

ROOT = Path(__file__).resolve().parents[2]
COUNT = int(os.environ.get("FORGED", "200"))
KILLED = int(os.environ.get("KILLS", "12"))
SHOWN = tuple(name for name in ALL_PAGES if name != "emergence")
PAGES = ("", *ALL_PAGES[1:])
IN_A_ROW = 8
"""Messages to one page before the next one is opened."""


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The hosted app's address, and its log."""
    runs = tmp_path_factory.mktemp("runs")
    settings = {"PLAYGROUND_RUNS": str(runs), "PLAYGROUND_SLOTS": "1", "PLAYGROUND_UPLOADS": "no"}
    address = serve(ROOT / "asgi.py", environment={**settings, "PLAYGROUND_PAGES": ",".join(SHOWN)})
    return address, max(tmp_path_factory.getbasetemp().glob("home*/server.log"), key=lambda path: path.stat().st_mtime)


def check(seen: Seen, what: object) -> None:
    assert seen.exceptions == [], what
    assert list(active_markup(seen)) == [], what


def ask(address: str, *, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    """Status, content and headers of an answer."""
    try:
        with urlopen(Request(address, method=method, data=b"x" if method != "GET" else None), timeout=30) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except HTTPError as error:
        return error.code, b"", dict(error.headers)


def said(seen: Seen) -> str:
    return "\n".join(text for _, text in seen.texts)


def alerts(seen: Seen) -> list[str]:
    """The sentences in coloured boxes."""
    return [element.body for element in seen.elements if element.DESCRIPTOR.name == "Alert"]


def button(seen: Seen, label: str) -> str:
    """The id of a button."""
    labelled = [element for element in seen.elements if element.DESCRIPTOR.name == "Button" and element.label == label]
    return str(labelled[0].id) if labelled else ""


@pytest.mark.slow
def test_paths_that_are_not_for_visitors_are_closed(server: tuple[str, Path]):
    address, _log = server
    assert ask(f"{address}/_stcore/metrics")[0] == 404
    for path in (
        "app/static/../../etc/passwd",
        "app/static/..%2f..%2f..%2fetc%2fpasswd",
        "static/%2e%2e/%2e%2e/asgi.py",
    ):
        assert b"root:" not in ask(f"{address}/{path}")[1]
    assert ask(f"{address}/_stcore/upload_file/a/b", method="PUT")[0] == 404
    headers = ask(address)[2]
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "HttpOnly" in headers["set-cookie"]


@pytest.mark.slow
def test_a_page_of_another_site_gets_no_session(server: tuple[str, Path]):
    with pytest.raises(InvalidStatus):
        Seat(server[0], headers={"Origin": "http://evil.example"})


@pytest.mark.slow
def test_no_answer_tells_whether_a_path_exists(server: tuple[str, Path]):
    seat = Seat(server[0])
    there, absent = (alerts(seat.open(model=name)) for name in (str(ROOT), f"{ROOT}-not-there"))
    assert any("This shared server opens no folders" in sentence for sentence in there)
    assert there == [sentence.replace("-not-there", "") for sentence in absent]
    assert not any(str(ROOT) in sentence for sentence in there)
    for name in ("../../etc", "~root", "/proc/self", "run/../../x/1", "file:///etc/passwd", "\x00"):
        seen = seat.open(model=name)
        check(seen, name)
        assert "root:" not in said(seen)
    seat.close()


@pytest.mark.slow
def test_an_address_that_asks_for_everything_is_a_sentence_at_once(server: tuple[str, Path]):
    seat = Seat(server[0])
    for changes in ('{"model":{"layers":1000000000}}', '{"model":{"width":1000000000,"heads":1}}', "[" * 3900):
        check(seat.open("train", changes=changes), changes[:40])
    check(seat.open("scaling", columns="[" * 3900), "columns")
    check(seat.open("generate", top_k="1e400", temperature="nan", new_tokens="-5"), "numbers")
    seat.close()


@pytest.mark.slow
def test_a_page_that_is_not_shown_answers_with_a_sentence(server: tuple[str, Path]):
    seat = Seat(server[0])
    seen = seat.open("emergence")
    assert "This server does not show this page" in said(seen)
    seat.close()


@pytest.mark.slow
def test_a_run_is_stopped_by_nobody_who_was_only_sent_its_link(server: tuple[str, Path]):
    owner, guest = (Seat(server[0], headers={"Cookie": f"playground_visitor={name}"}) for name in ("ann", "eve"))
    seen = owner.open("train")
    owner.send([WidgetState(id=button(seen, "Start"), trigger_value=True)])
    assert "run=" in owner.query
    run = parse_qs(owner.query)["run"][0]
    until(lambda: button(owner.open("train", run=run), "Stop"), "the run's buttons")
    stop = button(owner.open("train", run=run), "Stop")
    watched = guest.open("train", run=run)
    assert "somebody else started" in said(watched)
    assert not button(watched, "Stop")
    check(guest.send([WidgetState(id=stop, trigger_value=True)]), "a button of somebody else")
    still = owner.open("train", run=run)
    assert button(still, "Stop") or "finished" in said(still)
    stranger = Seat(server[0], headers={"Cookie": "playground_visitor=bob"})
    assert run not in said(stranger.open("train"))
    stranger.close()
    owner.open("train", run=run)
    owner.send([WidgetState(id=stop, trigger_value=True)])
    owner.close()
    guest.close()


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_killed_clients_disturb_neither_visitors_nor_runs(
    server: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
):
    address, log = server
    dice = random.Random(KILLED)
    owner = Seat(address, headers={"Cookie": "playground_visitor=kim"})
    changes = '{"train": {"steps": 100000, "checkpoint_every": 500, "frames": 5}}'
    seen = owner.open("train", preset="induction", changes=changes)
    (start,) = (name for name in seen.widgets() if name.endswith("-start_induction"))
    owner.send([WidgetState(id=start, trigger_value=True)])
    run = parse_qs(owner.query)["run"][0]
    (folder,) = tmp_path_factory.getbasetemp().glob(f"runs[0-9]*/{run}")
    until(lambda: last_recorded_step(folder) > 0, "a step")
    pid = read_status(folder).pid
    for _ in range(KILLED):
        seat = Seat(address)
        message = BackMsg(rerun_script=ClientState(page_name=dice.choice(PAGES), query_string=f"run={run}"))
        seat.send_bytes(message.SerializeToString())
        time.sleep(dice.uniform(0, 0.3))
        seat.drop()
    step = last_recorded_step(folder)
    until(lambda: last_recorded_step(folder) > step, "the run to go on")
    assert (read_status(folder).pid, read_status(folder).state) == (pid, "running")
    check(owner.open("glossary"), "glossary")
    owner.open("train", run=run)
    owner.send([WidgetState(id=button(owner.open("train", run=run), "Stop"), trigger_value=True)])
    until(lambda: read_status(folder).state == "stopped", "the stop")
    steps = read_metrics(folder)[0].columns["step"].tolist()
    assert steps == list(range(1, len(steps) + 1))
    owner.close()
    assert "Traceback" not in log.read_text(errors="replace")


def test_the_forgery_is_noticed_where_it_comes_alive():
    assert all(is_active(text) for text in MARKUP if HOST in text)
    assert not is_active(f"There is no `{MARKUP[0]}` here, nor ``{MARKUP[1]}``.")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_forged_messages_are_answered_by_pages(server: tuple[str, Path]):
    address, log = server
    dice, sent, changed = random.Random(16), 0, 0
    seat = Seat(address)
    while sent < COUNT:
        page = PAGES[sent // IN_A_ROW % len(PAGES)]
        query = dict(forged_parameter(dice) for _ in range(dice.randint(0, 4)))
        seen = seat.open(page, **query)
        check(seen, (page, query))
        sent, widgets = sent + 1, seen.widgets()
        for _ in range(IN_A_ROW - 1 if widgets else 0):
            states = forged_states(widgets, dice)
            seen = seat.send(states)
            check(seen, (page, query, states))
            sent, changed = sent + 1, changed + bool(seen.elements)
            widgets = seen.widgets() or widgets
    assert changed > COUNT // 4  # the pages did answer
    assert "Traceback" not in log.read_text(errors="replace")
    seat.close()


@pytest.mark.slow
def test_a_true_message_changes_the_page_and_an_address_too(server: tuple[str, Path]):
    seat = Seat(server[0])
    seen = seat.open("glossary")
    search = next(name for name, kind in seen.widgets().items() if kind == "TextInput")
    found = seat.send([WidgetState(id=search, string_value="residual stream")])
    assert found.exceptions == []
    assert len(found.texts) != len(seen.texts)
    titles = {page: seat.open(page).texts for page in ("scaling", "tokens")}
    assert titles["scaling"] != titles["tokens"]
    assert any("not a model id" in text or "opens no folders" in text for _, text in seat.open(model="/etc").texts)
    seat.close()


@pytest.mark.slow
def test_bytes_that_are_no_message_end_that_seat_alone(server: tuple[str, Path]):
    address, _log = server
    for content in (b"", b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f", bytes(range(256)) * 40):
        seat = Seat(address)
        seat.send_bytes(content)
        seat.drop()
    seat = Seat(address)
    assert seat.open("glossary").exceptions == []
    seat.close()
