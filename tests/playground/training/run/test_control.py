"""Commands to a run: what is sent arrives once, and nonsense is passed over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.training.run.control import (
    Command,
    open_control,
    rate_at,
    read_commands,
    read_offset,
    read_rates,
    send,
    set_rate,
)


def test_commands_arrive_in_order_and_once(tmp_path):
    open_control(tmp_path)
    sent = [Command(action="pause"), Command(action="step", steps=3), Command(action="rate", factor=0.5)]
    for command in sent[:2]:
        send(tmp_path, command)
    first, offset = read_commands(tmp_path, 0)
    send(tmp_path, sent[2])
    second, end = read_commands(tmp_path, offset)
    assert first + second == sent
    assert read_commands(tmp_path, end) == ([], end)
    assert read_offset(tmp_path) == end == (tmp_path / "control.jsonl").stat().st_size


def test_half_a_line_waits_for_its_other_half_and_nonsense_is_passed_over(tmp_path):
    open_control(tmp_path)
    lines = [b"\xff\n", b"[]\n", b'{"action": "explode"}\n', b'{"action": "step", "steps": -1}\n', b'{"action": 3}\n']
    newer = json.dumps({"action": "stop", "reason": "a field of a newer version"}).encode()
    (tmp_path / "control.jsonl").write_bytes(b"".join(lines) + newer[:9])
    found, offset = read_commands(tmp_path, 0)
    assert found == []
    with (tmp_path / "control.jsonl").open("ab") as file:
        file.write(newer[9:] + b"\n")
    assert read_commands(tmp_path, offset)[0] == [Command(action="stop")]


@given(st.binary(max_size=300))
def test_no_bytes_of_any_kind_break_the_reader(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("run")
    (folder / "control.jsonl").write_bytes(content)
    found, offset = read_commands(folder, 0)
    assert offset == content.rfind(b"\n") + 1
    assert all(isinstance(command, Command) for command in found)


def test_a_folder_that_is_gone_is_told_apart(tmp_path):
    with pytest.raises(UserError, match="gone, or has not been started"):
        send(tmp_path / "gone", Command(action="stop"))
    with pytest.raises(FileNotFoundError):
        read_commands(tmp_path / "gone", 0)


@pytest.mark.parametrize(
    "values",
    [
        {"action": "run"},
        {"action": "step", "steps": 0},
        {"action": "step", "steps": True},
        {"action": "rate", "factor": -1},
        {"action": "rate", "factor": float("nan")},
        {"action": "rate", "factor": 1e9},
        {"action": "rate", "factor": "2"},
    ],
)
def test_commands_without_sense_are_refused(values):
    with pytest.raises(UserError, match="choose"):
        Command(**values)


def test_the_rate_of_a_step_is_the_last_change_before_it(tmp_path):
    assert read_rates(tmp_path) == []
    set_rate(tmp_path, 10, 0.5)
    set_rate(tmp_path, 20, 2.0)
    set_rate(tmp_path, 20, 3.0)
    rates = read_rates(tmp_path)
    assert rates == [(10, 0.5), (20, 3.0)]
    assert [rate_at(rates, step) for step in (1, 9, 10, 19, 20, 99)] == [1, 1, 0.5, 0.5, 3, 3]
    set_rate(tmp_path, 15, 1.0)
    assert read_rates(tmp_path) == [(10, 0.5), (15, 1.0)]
