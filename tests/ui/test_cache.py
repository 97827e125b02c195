"""The server's traces: bounded in bytes, least recently used out first, answers remembered."""

from types import SimpleNamespace

from ui.cache import REMEMBERED, Reading, Readings


def reading(size: int) -> Reading:
    return Reading(name="r", trace=SimpleNamespace(bytes=size))


def test_the_least_recently_used_goes_first():
    kept = Readings(max_bytes=100)
    kept.put("a", reading(40))
    kept.put("b", reading(40))
    assert kept.get("a") is not None
    kept.put("c", reading(40))
    assert kept.get("b") is None
    assert kept.get("a") is not None
    assert kept.get("c") is not None


def test_the_newest_stays_whatever_its_size():
    kept = Readings(max_bytes=100)
    kept.put("a", reading(40))
    kept.put("big", reading(1000))
    assert kept.get("a") is None
    assert kept.get("big") is not None


def test_answers_are_computed_once_and_only_the_last_are_kept():
    one = reading(1)
    asked: list[int] = []

    def answer(number: int) -> int:
        asked.append(number)
        return number * 2

    assert [one.remember(3, lambda: answer(3)) for _ in range(2)] == [6, 6]
    assert asked == [3]
    for number in range(100, 100 + REMEMBERED):
        one.remember(number, lambda number=number: answer(number))
    one.remember(3, lambda: answer(3))
    assert asked.count(3) == 2
