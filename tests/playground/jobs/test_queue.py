"""ForwardQueue: first come, first served, never more than the slots, and whoever leaves frees the way."""

import threading
import time

import pytest

from playground.jobs.queue import ForwardQueue


def test_never_more_than_the_slots_and_in_order():
    queue = ForwardQueue(2)
    running, most, order = 0, 0, []
    guard = threading.Lock()

    def work(number: int) -> None:
        nonlocal running, most
        with queue.slot():
            with guard:
                running += 1
                most = max(most, running)
                order.append(number)
            time.sleep(0.02)
            with guard:
                running -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
        time.sleep(0.002)
    [thread.join() for thread in threads]
    assert most == 2
    assert order == sorted(order)


def test_whoever_waits_hears_how_many_are_ahead_and_can_leave():
    queue = ForwardQueue(1)
    heard: list[int] = []

    def impatient(ahead: int) -> None:
        heard.append(ahead)
        raise InterruptedError

    with queue.slot():
        with pytest.raises(InterruptedError), queue.slot(impatient):
            pass
        assert heard == [1]
    with queue.slot(impatient):
        assert heard == [1]


def test_an_exception_within_frees_the_slot():
    queue = ForwardQueue(1)
    with pytest.raises(ValueError, match="inside"), queue.slot():
        raise ValueError("inside")
    with queue.slot(lambda ahead: pytest.fail("the slot was not given back")):
        pass


def served(queue: ForwardQueue, wanted: list[str]) -> list[str]:
    """The order in which passes of these owners are served that all wait while another runs."""
    order: list[str] = []
    waiting = threading.Semaphore(0)

    def work(owner: str) -> None:
        told = []

        def tell(_ahead: int) -> None:
            if not told:
                told.append(True)
                waiting.release()

        with queue.slot(tell, owner):
            order.append(owner)

    with queue.slot():
        threads = []
        for owner in wanted:
            threads.append(threading.Thread(target=work, args=(owner,)))
            threads[-1].start()
            assert waiting.acquire(timeout=5)
    [thread.join() for thread in threads]
    return order


def test_people_take_turns_whatever_one_of_them_asks_for():
    assert served(ForwardQueue(1), ["ann"] * 4 + ["bob", "eve", "bob"]) == [
        *["ann", "bob", "eve", "ann", "bob", "ann", "ann"]
    ]


def test_who_was_served_last_waits_for_those_who_were_not():
    queue = ForwardQueue(1)
    with queue.slot(owner="ann"):
        pass
    assert served(queue, ["ann", "bob"]) == ["bob", "ann"]


def test_the_place_that_is_told_is_that_of_the_turns():
    queue, told, leaving = ForwardQueue(1), {}, threading.Event()
    waiting = threading.Semaphore(0)

    def wait(name: str, owner: str) -> None:
        def tell(ahead: int) -> None:
            told.setdefault(name, waiting.release())
            told[name] = ahead
            if leaving.is_set():
                raise InterruptedError

        with pytest.raises(InterruptedError), queue.slot(tell, owner):
            pass

    with queue.slot():
        for name, owner in (("first", "ann"), ("second", "ann"), ("third", "bob")):
            threading.Thread(target=wait, args=(name, owner)).start()
            assert waiting.acquire(timeout=5)
        deadline = time.monotonic() + 5
        while told != {"first": 1, "second": 3, "third": 2}:
            assert time.monotonic() < deadline, told
            time.sleep(0.01)
        leaving.set()
        while queue._waiting:
            time.sleep(0.01)


def test_a_long_pass_lets_a_short_one_go_first_and_ends_afterwards(monkeypatch):
    monkeypatch.setattr("playground.jobs.queue.TURN_SECONDS", 0.0)
    queue, order, started, asked = ForwardQueue(1), [], threading.Event(), threading.Event()

    def long() -> None:
        with queue.slot(owner="ann") as turn:
            started.set()
            assert asked.wait(5)
            order.append("half")
            turn.offer()
            order.append("whole")

    thread = threading.Thread(target=long)
    thread.start()
    assert started.wait(5)
    with queue.slot(lambda _ahead: asked.set(), "bob"):
        order.append("short")
    thread.join()
    assert order == ["half", "short", "whole"]


def test_a_long_pass_that_nobody_waits_behind_goes_on(monkeypatch):
    monkeypatch.setattr("playground.jobs.queue.TURN_SECONDS", 0.0)
    with ForwardQueue(1).slot(lambda _ahead: pytest.fail("it waited")) as turn:
        turn.offer()
        assert turn.holds


def test_whoever_leaves_while_interrupted_takes_no_slot_along(monkeypatch):
    monkeypatch.setattr("playground.jobs.queue.TURN_SECONDS", 0.0)
    queue, started, asked = ForwardQueue(1), threading.Event(), threading.Event()
    left = []

    def leave(_ahead: int) -> None:
        raise InterruptedError

    def long() -> None:
        try:
            with queue.slot(leave, "ann") as turn:
                started.set()
                assert asked.wait(5)
                turn.offer()
        except InterruptedError:
            left.append(True)

    thread = threading.Thread(target=long)
    thread.start()
    assert started.wait(5)
    with queue.slot(lambda _ahead: asked.set(), "bob"):
        thread.join(5)
        assert left == [True]
    with queue.slot(lambda _ahead: pytest.fail("a slot is lost")):
        pass
