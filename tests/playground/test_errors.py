"""The error for people: a template with values, translated when it is read, whole after a trip between processes."""

import pickle

from playground.errors import UserError
from playground.lens.capture.tokens import TooLongError
from playground.models.download_progress import CancelledError
from playground.text import LANGUAGE, PSEUDO

WIDTH = "A width of {width} does not divide into {n_heads} heads."


def test_the_sentence_is_the_template_with_its_values():
    error = UserError(WIDTH, width=7, n_heads=2)
    assert str(error) == "A width of 7 does not divide into 2 heads."
    assert (error.template, error.values) == (WIDTH, {"width": 7, "n_heads": 2})


def test_braces_stay_where_there_are_no_values():
    assert str(UserError("The file holds {}.")) == "The file holds {}."


def test_the_sentence_is_translated_when_it_is_shown_not_when_it_is_raised():
    error = UserError(WIDTH, width=7, n_heads=2)
    token = LANGUAGE.set(PSEUDO)
    shown = str(error)
    LANGUAGE.reset(token)
    assert shown.startswith("⟦A width of 7 does not divide into 2 heads. ~")
    assert str(error) == "A width of 7 does not divide into 2 heads."


def test_an_error_travels_between_processes_with_template_and_values():
    error = pickle.loads(pickle.dumps(UserError(WIDTH, width=7, n_heads=2)))
    assert (type(error), error.template, error.values) == (UserError, WIDTH, {"width": 7, "n_heads": 2})
    assert str(error) == "A width of 7 does not divide into 2 heads."


def test_a_kind_with_a_constructor_of_its_own_travels_too():
    error = pickle.loads(pickle.dumps(TooLongError(3000, 2048)))
    assert (type(error), error.count, error.limit) == (TooLongError, 3000, 2048)
    assert str(error).startswith("The text has 3,000 tokens; at most 2,048 fit.")
    assert isinstance(pickle.loads(pickle.dumps(CancelledError())), CancelledError)
