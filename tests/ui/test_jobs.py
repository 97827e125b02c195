"""Work in a thread of its own: its answer and its error come back, and it ends where nobody waits."""

import threading

import pytest

from playground.errors import UserError
from ui.jobs import LeftError, Report, Work


def test_the_answer_comes_with_its_last_report():
    def compute(report: Report) -> int:
        report.run(3, 4)
        return 7

    work = Work(compute)
    assert work.wait(5)
    assert work.answer() == 7
    assert (work.report.done, work.report.total) == (3, 4)


def test_an_error_is_raised_where_the_answer_is_asked_for():
    def compute(_report: Report) -> int:
        raise UserError("The text has no tokens.")

    work = Work(compute)
    assert work.wait(5)
    with pytest.raises(UserError, match="no tokens"):
        work.answer()


def test_work_that_is_left_ends_at_its_next_report():
    begun, left = threading.Event(), threading.Event()
    reached = []

    def compute(report: Report) -> int:
        begun.set()
        left.wait(5)
        report.run(1, 2)
        reached.append("more")
        return 1

    work = Work(compute)
    assert begun.wait(5)
    assert not work.wait(0)
    work.leave()
    left.set()
    assert work.wait(5)
    assert reached == []
    with pytest.raises(LeftError):
        work.answer()


def test_work_that_waits_in_a_queue_can_be_left_too():
    report = Report()
    report.waiting(2)
    assert report.ahead == 2
    report.run(0, 9)
    assert report.ahead == 0
    report.is_left = True
    with pytest.raises(LeftError):
        report.waiting(1)
