"""Languages of a sentence: looked up when it is shown, in the language of whoever reads it."""

import doctest
import threading

import numpy as np
import pytest

from playground import text
from playground.text import LANGUAGE, N_, PSEUDO, _, _n, fill, language, language_source, pseudo, speaking


@pytest.fixture
def pseudo_language():
    token = LANGUAGE.set(PSEUDO)
    yield
    LANGUAGE.reset(token)


def test_the_examples_hold():
    assert doctest.testmod(text).failed == 0


def test_english_is_the_message_itself():
    assert (language(), _("Show"), _("")) == ("en", "Show", "")


def test_a_mark_translates_nothing(pseudo_language):
    marked = N_("Show")
    assert (marked, _(marked)) == ("Show", "⟦Show ~⟧")


def test_the_pseudo_language_is_a_third_longer_and_keeps_its_fields():
    message = "Show {count:,} of {total} heads"
    assert pseudo(message).format(count=1000, total=2000) == "⟦Show 1,000 of 2000 heads ~~~~~⟧"
    assert pseudo("") == "⟦ ~⟧"


@pytest.mark.parametrize(("n", "shown"), [(0, "0 layers"), (1, "1 layer"), (2, "2 layers")])
def test_plural_forms(n, shown):
    assert _n("{n} layer", "{n} layers", n) == shown


def test_plural_forms_are_translated(pseudo_language):
    assert _n("{n} layer", "{n} layers", 1) == "⟦1 layer ~~⟧"
    assert _n("{n} layer", "{n} layers", 3) == "⟦3 layers ~~⟧"


def test_a_language_without_a_catalogue_shows_the_message():
    token = LANGUAGE.set("tlh")
    assert (_("Show"), _n("{n} layer", "{n} layers", 2)) == ("Show", "2 layers")
    LANGUAGE.reset(token)


def test_the_context_wins_over_the_session(monkeypatch):
    monkeypatch.setattr(text, "_source", [])
    language_source(lambda: PSEUDO)
    assert (language(), _("Show")) == (PSEUDO, "⟦Show ~⟧")
    with speaking("en"):
        assert _("Show") == "Show"
    assert _("Show") == "⟦Show ~⟧"


def test_another_thread_has_its_own_language(pseudo_language):
    shown = []
    thread = threading.Thread(target=lambda: shown.append(_("Show")))
    thread.start()
    thread.join()
    assert (shown, _("Show")) == (["Show"], "⟦Show ~⟧")


@pytest.mark.parametrize(
    ("template", "value", "shown"),
    [
        ("{x:.3g}", -0.00642, "−0.00642"),
        ("{x:+.2f}", np.float32(-1.5), "−1.50"),
        ("{x:.0e}", -1e-7, "−1e-07"),
        ("{x:.1%}", -0.0001, "0.0%"),
        ("{x:,}", -1234, "−1,234"),
        ("{x}", float("-inf"), "−inf"),
        ("{x}", "-x", "-x"),
    ],
)
def test_negative_numbers_have_a_true_minus_sign(template, value, shown):
    assert fill(template, x=value, template="a value may have any name") == shown
