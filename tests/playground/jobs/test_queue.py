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
