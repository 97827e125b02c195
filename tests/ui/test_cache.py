"""The server's caches: bounded by number or by size, least recently used out first, computed once."""

from types import SimpleNamespace

from ui.cache import RESULTS, BoundedCache


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
