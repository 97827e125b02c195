"""Sentences for people, looked up when they are shown, in the language of whoever reads them.

`_("…")` translates; `N_("…")` marks a sentence that stands in a table and is translated where it is shown.
The pseudo-language `qps` wraps every sentence in brackets and makes it a third longer: what stands on a page without
brackets does not pass here, and what does not fit will not fit in German either.
"""

import gettext
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from numbers import Real

from playground.folders import assets_folder

CATALOGUES = assets_folder() / "locale"
PSEUDO = "qps"
LANGUAGE: ContextVar[str | None] = ContextVar("language", default=None)
"""The language of this context; None asks `language_source`."""
_source: list[Callable[[], str]] = []


def language_source(ask: Callable[[], str]) -> None:
    """Say how the language is found where no context sets it: the page asks its session."""
    _source[:] = [ask]


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Within the block, and in this context only, sentences are in this language."""
    token = LANGUAGE.set(code)
    try:
        yield
    finally:
        LANGUAGE.reset(token)


def language() -> str:
    """The language of whoever reads: the context's, the session's, English."""
    return LANGUAGE.get() or (_source[0]() if _source else "en")


def _(message: str) -> str:
    """The message in the reader's language; as it is where no catalogue has it."""
    code = language()
    if code == "en":
        return message
    return pseudo(message) if code == PSEUDO else _catalogue(code).gettext(message)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a mark
    """The message itself, marked for translation; `_` looks it up where it is shown."""
    return message


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation("playground", CATALOGUES, languages=[code], fallback=True)


def pseudo(message: str) -> str:
    """The message in brackets, a third longer; fields such as {name} stay as they are.

    >>> pseudo("Show {count} heads")
    '⟦Show {count} heads ~~~⟧'
    """
    letters = sum(len(literal) for literal, *_rest in string.Formatter().parse(message)) if message else 0
    return f"⟦{message} {'~' * max(1, letters // 3)}⟧"


def _n(one: str, many: str, n: float) -> str:
    """The message for one or for many, with {n} filled in, its digits grouped.

    >>> _n("{n} layer", "{n} layers", 1), _n("{n} token", "{n} tokens", 2048)
    ('1 layer', '2,048 tokens')
    """
    code = language()
    if code in ("en", PSEUDO):
        template = one if n == 1 else many
        template = template if code == "en" else pseudo(template)
    else:
        template = _catalogue(code).ngettext(one, many, int(n))
    return template.format(n=f"{n:,}")


def true_minus(number: str) -> str:
    """A number as Python writes it, with a true minus sign; none before what was rounded to zero.

    >>> true_minus("-0.5"), true_minus("-1e-05"), true_minus("-0.00"), true_minus("2")
    ('−0.5', '−1e-05', '0.00', '2')
    """
    size = number.removeprefix("-")
    is_zero = set(size) <= set("0.,%")
    return number if size == number else size if is_zero else f"−{size}"


def subtracted(number: float, digits: int = 6) -> str:
    """A number that is taken away in a formula: there is one sign between two numbers.

    >>> f"x {subtracted(0.5)}", f"x {subtracted(-0.5)}"
    ('x − 0.5', 'x + 0.5')
    """
    return f"{'+' if number < 0 else '−'} {abs(number):.{digits}g}"


class _SignedFormatter(string.Formatter):
    """As `str.format`; negative numbers get a true minus sign."""

    def format_field(self, value: object, format_spec: str) -> str:
        text = str(super().format_field(value, format_spec))
        return true_minus(text) if isinstance(value, Real) else text


def fill(template: str, /, **values: object) -> str:
    """A sentence with its numbers: negative ones have a true minus sign, names stay as they are.

    >>> fill("{name}: {value:.3g}", name="-a", value=-0.12345)
    '-a: −0.123'
    """
    return _SignedFormatter().vformat(template, (), values)
