"""Jobs in threads of their own: results and errors come back, and a job ends where nobody waits."""

import threading
import time

import pytest
from streamlit.runtime.scriptrunner import StopException

from playground.errors import UserError
from playground.text import LANGUAGE, _
from ui import jobs
from ui.cache import BoundedCache
from ui.job import AbandonedError, Job, JobProgress, join
from ui.jobs import follow, precompute, run_job


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


class Stale:
    """Session state of a run that newer keys made stale: Streamlit ends it where its state is read."""

    def __contains__(self, _key: str) -> bool:
        raise StopException


@pytest.mark.parametrize("patience", [None, jobs.PATIENCE_SECONDS, jobs.AT_ONCE])
def test_a_stale_run_leaves_what_it_waits_for(patience, monkeypatch):
    begun, left = threading.Event(), threading.Event()

    def work(report) -> None:
        begun.set()
        try:
            while True:
                time.sleep(0.01)
                report(0, 1)
        except AbandonedError:
            left.set()

    def wait() -> None:
        if patience is None:
            follow("a", work, cache=BoundedCache("stale"), waiting=lambda: None)
        else:
            run_job("stale job", lambda progress: work(progress.run), title="A bar", patience=patience)

    monkeypatch.setattr(jobs, "is_cancelled", lambda _name: False)
    monkeypatch.setattr(jobs.st, "session_state", Stale())
    with pytest.raises(StopException):
        wait()
    assert begun.is_set()
    assert left.wait(5)


def test_a_bar_says_anew_how_far_work_is_at_most_twice_a_second(monkeypatch):
    told: list[float] = []
    bar = jobs.ProgressBar(jobs.st.empty(), "A bar", "name")
    monkeypatch.setattr(bar._bar, "progress", lambda share, **_: told.append(share))
    monkeypatch.setattr(jobs.time, "monotonic", iter([0.0, 0.0, 0.2, 0.4, 0.51, 0.51]).__next__)
    progress = JobProgress()
    for done in range(4):
        progress.run(done, 4)
        bar.show(progress)
    assert told == [0.0, 0.75]


def test_thirty_equal_requests_at_once_are_one_computation():
    made, going = [], threading.Event()

    def make(progress: JobProgress) -> int:
        made.append(progress)
        assert going.wait(5)
        return 7

    jobs = [join("the lesson's text", make) for _ in range(30)]
    going.set()
    assert all(job.wait(5) for job in jobs)
    assert [job.result() for job in jobs] == [7] * 30
    assert len(made) == 1


def test_who_asks_for_what_is_being_prepared_waits_for_it():
    cache, begun, going, found = BoundedCache("prepared"), threading.Event(), threading.Event(), []

    def make(_report) -> int:
        begun.set()
        assert going.wait(5)
        return 7

    server = threading.Thread(target=lambda: found.append(precompute("law", make, cache=cache)))
    server.start()
    assert begun.wait(5)
    visitor = join(("prepared", "law"), lambda _progress: 8)
    going.set()
    server.join(5)
    assert visitor.wait(5)
    assert (visitor.result(), found, cache.get("law")) == (7, [7], 7)
    assert precompute("law", lambda _report: 8, cache=cache) == 7


def test_a_shared_computation_ends_when_the_last_of_those_who_wait_has_left():
    left, ended = threading.Event(), threading.Event()

    def make(progress: JobProgress) -> None:
        assert left.wait(5)
        progress.run(1, 2)
        ended.set()

    first, second = join("shared", make), join("shared", make)
    assert first is second
    first.abandon()
    assert not first.progress.is_abandoned
    second.abandon()
    assert second.progress.is_abandoned
    third = join("shared", lambda _progress: 3)
    assert third is not first
    assert third.wait(5)
    assert third.result() == 3
    left.set()
    assert first.wait(5)
    assert not ended.is_set()


def test_another_key_and_a_job_that_is_over_are_computed_anew():
    counts = []
    for key in ("one", "one", "two"):
        job = join(key, lambda _progress: counts.append(1))
        assert job.wait(5)
    assert len(counts) == 3
