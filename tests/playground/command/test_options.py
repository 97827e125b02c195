"""Options made of config records: their types, what is left out, and whose flag is whose."""

import argparse
from dataclasses import dataclass
from typing import Literal

import pytest

from playground.command.options import add_options, typed_options


@dataclass(frozen=True, kw_only=True)
class First:
    name: str
    many: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pair: tuple[float, float] = (0.9, 0.99)
    kind: Literal["a", "b"] = "a"
    size: int | None = None
    open: bool = True
    nested: dict[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Second:
    size: int = 3
    rate: float = 0.5


def parsed(*words: str) -> tuple[dict, dict]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_options(parser, First, prefix="first")
    add_options(parser, Second, prefix="second", without=("rate",))
    arguments = parser.parse_args(words)
    return typed_options(arguments, "first"), typed_options(arguments, "second")


def test_what_is_not_given_is_left_to_the_record():
    assert parsed() == ({}, {})


def test_every_type_arrives_as_itself():
    first, second = parsed(
        *("--name", "x", "--pair", "0.5", "0.6", "--kind", "b", "--size", "7", "--no-open", "--many", "1", "2")
    )
    assert first == {"name": "x", "pair": (0.5, 0.6), "kind": "b", "size": 7, "open": False, "many": ("1", "2")}
    assert second == {}


def test_several_words_can_be_given_one_by_one_or_together():
    assert parsed("--word", "a", "--word", "b")[0] == {"words": ("a", "b")}
    assert parsed("--words", "a", "b", "--word", "c")[0] == {"words": ("a", "b", "c")}


def test_a_flag_that_two_records_share_is_the_firsts():
    assert parsed("--size", "1", "--second-size", "2") == ({"size": 1}, {"size": 2})


@pytest.mark.parametrize(
    "words", [("--rate", "1"), ("--nested", "1"), ("--kind", "c"), ("--size", "x"), ("--pair", "1")]
)
def test_what_has_no_place_is_refused(words):
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parsed(*words)
