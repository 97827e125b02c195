"""How a run is doing: what is written is read, and a process that is gone is noticed."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from playground.text import LANGUAGE, PSEUDO
from playground.training.run.status import (
    Message,
    Status,
    birth_of,
    by_this_process,
    has_process,
    is_process,
    lost,
    observed_status,
    read_status,
    write_status,
)


def test_what_is_written_is_read(tmp_path):
    status = by_this_process(Status(state="running", step=7, checkpoint=5, seconds=1.5, message="so it is"))
    write_status(tmp_path, status)
    found = read_status(tmp_path)
    assert dataclasses.replace(found, updated=0.0) == status
    assert found.updated > 0
    assert has_process(found)
    assert observed_status(tmp_path) == found


def test_another_machine_answers_for_its_run_while_it_tells_of_it(tmp_path):
    status = Status(state="running", step=7, node="elsewhere", pid=os.getpid(), born=birth_of(os.getpid()))
    assert not has_process(status)
    write_status(tmp_path, status)
    assert observed_status(tmp_path).state == "running"
    values = json.loads((tmp_path / "status.json").read_text())
    (tmp_path / "status.json").write_text(json.dumps({**values, "updated": values["updated"] - 61}))
    assert observed_status(tmp_path).state == "interrupted"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"state": "dancing"}', '{"step": "7"}', '{"newer": 1}', '{"sta', "null"]
)
def test_damage_and_newer_versions_read_as_defaults(tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    assert read_status(tmp_path) == Status()


def test_a_process_that_is_gone_or_another_one_interrupts_the_run(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    status = Status(state="running", step=7, checkpoint=5, pid=process.pid, born=birth_of(process.pid))
    assert has_process(status)
    write_status(tmp_path, status)
    process.communicate()
    assert not has_process(status)
    found = observed_status(tmp_path)
    message = "The run was interrupted after step 7: its process is gone. It can be resumed from step 5."
    assert (found.state, found.message) == ("interrupted", message)
    reused = Status(state="running", pid=os.getpid(), born=birth_of(os.getpid()) - 100)
    assert not has_process(reused)
    queued = dataclasses.replace(reused, state="queued", position=2)
    write_status(tmp_path, queued)
    assert observed_status(tmp_path).message.startswith("The run was interrupted while it waited")
    assert observed_status(tmp_path).position is None
    ended = dataclasses.replace(reused, state="stopped")
    write_status(tmp_path, ended)
    assert observed_status(tmp_path).state == "stopped"


@pytest.mark.parametrize("seconds", [-3600.0, -53.0, 2.0, 53.0, 1e6])
def test_a_clock_that_is_set_makes_no_process_another_one(tmp_path, monkeypatch, seconds):
    """psutil's starts move with the clock: a server took its own workers for strangers, and ended them."""
    status = Status(state="running", pid=os.getpid(), born=birth_of(os.getpid()))
    started = psutil.Process().create_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: started + seconds)
    assert has_process(status)
    write_status(tmp_path, status)
    assert observed_status(tmp_path).state == "running"


def test_a_start_since_1970_is_still_known():
    """As earlier versions wrote it, and as systems tell it that know no start since boot."""
    started = psutil.Process().create_time()
    assert is_process(os.getpid(), started)
    assert not is_process(os.getpid(), started - 100)
    assert not is_process(os.getpid(), 0.0)
    assert not is_process(-1, started)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_start_is_that_of_the_system(tmp_path):
    names = tmp_path / "a b) Z 1 2"
    names.symlink_to(sys.executable)
    process = subprocess.Popen([str(names), "-c", "input()"], stdin=subprocess.PIPE)
    since_boot = birth_of(process.pid)
    assert abs(time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot) < 30
    process.stdin.close()
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    assert birth_of(process.pid) == 0.0
    process.wait()
    assert birth_of(process.pid) == 0.0


def test_the_numbers_are_json_that_others_can_read(tmp_path):
    write_status(tmp_path, Status(state="queued", position=3))
    assert json.loads((tmp_path / "status.json").read_text())["position"] == 3


def test_a_message_is_shown_in_the_readers_language(tmp_path):
    status = lost(
        Status(state="running", step=7, checkpoint=5), Message(template="signal {signal}", values={"signal": 9})
    )
    write_status(tmp_path, status)
    stored = read_status(tmp_path)
    english = "The run was interrupted after step 7: signal 9. It can be resumed from step 5."
    assert stored.sentence == stored.message == english
    token = LANGUAGE.set(PSEUDO)
    try:
        assert stored.sentence.startswith("⟦The run was interrupted after step 7: ⟦signal 9 ~")
        assert lost(status, "the server went away").message.isascii()
    finally:
        LANGUAGE.reset(token)


def test_the_message_of_an_old_status_or_one_with_a_damaged_template_is_shown_as_it_is(tmp_path):
    damaged = (("{gone}", {"step": 1}), ("{step:d}", {"step": "x"}))
    for extra in ({}, *({"message_template": template, "message_values": values} for template, values in damaged)):
        (tmp_path / "status.json").write_text(json.dumps({"state": "stopped", "message": "It ended.", **extra}))
        assert read_status(tmp_path).sentence == "It ended."
