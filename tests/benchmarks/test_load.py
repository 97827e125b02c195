"""The load's code with a few seats for seconds; its figures from numbers that can be counted by hand."""

import pytest
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.Exception_pb2 import Exception as ErrorBox

from benchmarks.load import Plan, growth, in_threads, measure, summary
from benchmarks.load_table import markdown, missed
from benchmarks.seat import Seen, header_of
from benchmarks.visitor import LESSON, Ledger, errors_of, lesson_from
from playground.viewer.shared.payload import encode_payload


@pytest.mark.slow
def test_a_few_visitors_for_seconds_get_their_pictures():
    plan = Plan(visitors=3, seconds=12.0, think=(0.1, 0.5), arrival_seconds=1.0, trainings=1, threads=1, seed=3)
    results = measure(plan)  # which raises where the training has ended
    assert (results["errors"], results["arrival"]["errors"], results["tracebacks"]) == ([], [], 0)
    assert results["seconds"]["overview"]["count"] > 0
    assert 0 < results["seconds"]["overview"]["median"] < 60
    assert results["arrival"]["seconds"]["count"] == plan.visitors
    assert results["megabytes"]["before"] > 100


def test_figures_are_those_of_the_numbers():
    assert summary([]) == {"count": 0}
    assert summary([3.0, 1.0, 2.0]) == {"count": 3, "median": 2.0, "95th": 3.0, "largest": 3.0}
    assert summary([float(n) for n in range(1, 101)])["95th"] == 96.0
    samples = [(float(second), 100.0 if second < 10 else 200.0 + second) for second in range(110)]
    assert growth(samples, 10.0) == 90.0  # medians of 210..219 and 300..309
    assert growth([], 10.0) == 0.0


def seconds(median: float, last: float) -> dict[str, float]:
    return {"count": 7, "median": median, "95th": last, "largest": last}


def results_of(**changes: object) -> dict:
    made = {"command": "python -m benchmarks.load", "date": "2026-11-28T10:00:00+00:00", "cpu": "Some CPU"}
    made |= {"cores": 2, "versions": {"Python": "3.11.7"}}
    kinds = ("overview", "overview, shared", "overview, own", "head", "page", "run")
    return {
        "made": made,
        "plan": {"visitors": 30, "seconds": 300.0, "trainings": 4, "arrival_seconds": 20.0, "threads": 2, "note": ""},
        "seconds": {kind: seconds(0.2, 1.25) for kind in kinds},
        "errors": [],
        "tracebacks": 0,
        "megabytes_per_seat": 6.8,
        "arrival": {"seconds": seconds(0.4, 0.9), "last": 0.37, "errors": []},
        **changes,
    }


SOAK = {
    "made": {"date": "2026-11-28T11:00:00+00:00"},
    "plan": {"seconds": 900.0, "warm_up_seconds": 180.0, "note": "tests ran, too"},
    "growth_megabytes": 12.0,
    "errors": [],
    "tracebacks": 0,
}


def test_the_table_says_what_was_measured_and_what_missed_its_target():
    table = markdown(results_of(), SOAK)
    assert "| Text to overview, median of 7 | < 0.3 s | 0.20 s |" in table
    assert "95th percentile | < 1.5 s | 1.25 s |" in table
    assert "| The thirtieth's first page | < 5 s | 0.37 s |" in table
    assert "| Errors | 0 | 0 |" in table
    assert "Memory in 12 minutes after 3 of warm-up | < 50 MB | 12 MB |" in table
    assert "`make soak` on 2026-11-28 (tests ran, too): 30 visitors" in table
    assert "Some CPU, 2 cores" in table
    assert missed(results_of(), SOAK) == []
    assert "Memory in" not in markdown(results_of())
    slow = results_of(
        seconds={**results_of()["seconds"], "overview": seconds(0.31, 1.25)}, errors=["a text: none came"]
    )
    assert missed(slow, SOAK) == ["Text to overview, median of 7", "Errors"]
    assert "| 0.31 s (missed) |" in markdown(slow, SOAK)


def test_a_visitor_who_is_thrown_out_is_an_error_of_the_measurement():
    ledger = Ledger()
    in_threads([lambda: None, lambda: 1 / 0], ledger)
    assert ledger.errors == ["ZeroDivisionError: division by zero"]


def test_red_boxes_are_errors_and_hints_are_none():
    red, blue = Alert(body="No room.", format=Alert.ERROR), Alert(body="Type a text.", format=Alert.INFO)
    seen = Seen(elements=[red, blue, ErrorBox(message="boom")], times=[0.0, 0.0, 0.0])
    assert errors_of(seen) == ["boom", "No room."]


def test_the_lesson_goes_round_and_headers_are_read():
    assert [lesson_from(turn)[0] for turn in range(len(LESSON) + 1)] == [*LESSON, LESSON[0]]
    assert header_of(encode_payload({"trace": "ä"}))["trace"] == "ä"
