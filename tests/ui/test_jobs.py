"""Jobs in threads of their own: results and errors come back, and a job ends where nobody waits."""

import threading

import pytest

from playground.errors import UserError
from playground.text import LANGUAGE, _
from ui.cache import BoundedCache
from ui.jobs import AbandonedError, Job, JobProgress, follow


def test_the_result_comes_with_its_last_report():
    def make(progress: JobProgress) -> int:
        progress.run(3, 4)
        return 7

    job = Job(make)
    assert job.wait(5)
    assert job.result() == 7
    assert (job.progress.done, job.progress.total) == (3, 4)


def test_an_error_is_raised_where_the_result_is_asked_for():
    def make(_progress: JobProgress) -> int:
        raise UserError("The text has no tokens.")

    job = Job(make)
    assert job.wait(5)
    with pytest.raises(UserError, match="no tokens"):
        job.result()


def test_an_abandoned_job_ends_at_its_next_report():
    started, abandoned = threading.Event(), threading.Event()
    reached = []

    def make(progress: JobProgress) -> int:
        started.set()
        abandoned.wait(5)
        progress.run(1, 2)
        reached.append("more")
        return 1

    job = Job(make)
    assert started.wait(5)
    assert not job.wait(0)
    job.abandon()
    abandoned.set()
    assert job.wait(5)
    assert reached == []
    with pytest.raises(AbandonedError):
        job.result()


def test_a_job_that_waits_in_a_queue_can_be_abandoned_too():
    progress = JobProgress()
    progress.waiting(2)
    assert progress.ahead == 2
    progress.run(0, 9)
    assert progress.ahead == 0
    progress.is_abandoned = True
    with pytest.raises(AbandonedError):
        progress.waiting(1)


def test_a_job_speaks_the_language_of_whoever_started_it():
    token = LANGUAGE.set("qps")
    try:
        job = Job(lambda _progress: _("Cancelled."))
    finally:
        LANGUAGE.reset(token)
    assert job.wait(5)
    assert job.result() == "⟦Cancelled. ~~~⟧"


def test_what_follows_is_drawn_as_waiting_until_it_is_there_and_kept():
    drawn, made = threading.Event(), []

    def make(_on_progress):
        made.append(drawn.wait(5))
        return 7

    cache = BoundedCache("followed")
    assert [follow("seven", make, cache=cache, waiting=drawn.set) for _ in range(2)] == [7, 7]
    assert made == [True]
