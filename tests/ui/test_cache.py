"""The server's caches: bounded by number or by size, least recently used out first, computed once."""

from types import SimpleNamespace

import numpy as np
import pytest

from ui.cache import (
    HEAD_BYTES,
    HEAD_OVERHEAD,
    IDLE_SECONDS,
    RESULTS,
    BoundedCache,
    TracedText,
    head_views,
    tokenizations,
)


def by_size(bound: int) -> BoundedCache:
    return BoundedCache("sized", bound, lambda value: value.bytes)


def value(size: int) -> SimpleNamespace:
    return SimpleNamespace(bytes=size)


def test_the_least_recently_used_goes_first():
    cache = by_size(100)
    cache.put("a", value(40))
    cache.put("b", value(40))
    assert cache.get("a") is not None
    cache.put("c", value(40))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.get("c") is not None


def test_what_nobody_has_asked_for_goes_with_time(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("ui.cache.time.monotonic", lambda: clock.now)
    cache = BoundedCache("idle", 3, idle_seconds=10.0)
    cache.put("a", 1)
    cache.put("b", 2)
    clock.now = 9.0
    assert cache.get("a") == 1
    clock.now = 11.0
    cache.put("c", 3)
    assert (cache.get("b"), cache.get("a"), cache.get("c")) == (None, 1, 3)
    for number in range(100):
        clock.now += 1.0
        cache.remember(number, lambda: 0)
    assert cache.counters() == (3, 3, 3, 101)
    assert len(cache._used) <= 11  # nor do the keys of those that went for their number stay


@pytest.mark.parametrize("make", [lambda: TracedText("text", None), head_views.__wrapped__, tokenizations.__wrapped__])
def test_what_is_made_of_a_text_goes_when_nobody_looks_at_it(make, monkeypatch):
    """Also where the text itself is looked at all the time, as a lesson's is."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("ui.cache.time.monotonic", lambda: clock.now)
    cache, one = make(), SimpleNamespace(map=np.zeros((2, 2)), tokens=[1, 2])
    cache.put("looked at", one)
    cache.put("left alone", one)
    for clock.now in (IDLE_SECONDS / 2, IDLE_SECONDS + 1):
        assert cache.get("looked at") is one
    assert cache.get("left alone") is None


def test_a_short_text_s_heads_are_measured_with_their_objects():
    views = head_views.__wrapped__()
    for number in range(HEAD_BYTES // HEAD_OVERHEAD + 100):
        views.put(number, SimpleNamespace(map=np.zeros(0)))
    count, size, _hits, _misses = views.counters()
    assert size <= HEAD_BYTES
    assert count == HEAD_BYTES // HEAD_OVERHEAD


def test_the_newest_stays_whatever_its_size():
    cache = by_size(100)
    cache.put("a", value(40))
    cache.put("big", value(1000))
    assert "a" not in cache
    assert "big" in cache


def test_a_value_that_has_grown_is_measured_again():
    cache, log = by_size(100), value(10)
    cache.put("other", value(40))
    cache.put("log", log)
    log.bytes = 90
    cache.put("log", log)
    assert "other" not in cache
    assert cache.get("log") is log


def test_results_are_computed_once_and_only_the_last_are_kept():
    cache = BoundedCache("results")
    asked: list[int] = []

    def double(number: int) -> int:
        asked.append(number)
        return number * 2

    assert [cache.remember(3, lambda: double(3)) for _ in range(2)] == [6, 6]
    assert asked == [3]
    for number in range(100, 100 + RESULTS):
        cache.remember(number, lambda number=number: double(number))
    cache.remember(3, lambda: double(3))
    assert asked.count(3) == 2
