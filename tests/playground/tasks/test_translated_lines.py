"""A loaded translator on its held-out sentences: as its task measures it."""

import pytest

from playground.errors import UserError
from playground.evaluation.answers import exact_matches
from playground.evaluation.lines import ComparedLines
from playground.models import load
from playground.tasks.translated_lines import translated_lines
from playground.tasks.translation import TranslationConfig, prepare_translation


def test_the_share_of_equal_lines_is_the_tasks_exact_match():
    model, seen = load("tales-translator"), []
    made = translated_lines(model, 48, lambda done, total: seen.append((done, total)))
    lines = ComparedLines(hypotheses=made.hypotheses, references=tuple((text,) for text in made.references))
    task = prepare_translation(TranslationConfig())
    measured = task.evaluate(model.module, rows=48, length=14)
    assert exact_matches(lines).mean() == pytest.approx(measured["exact_match"])
    assert seen == [(32, 48), (48, 48)]
    assert made.sources[0].startswith(("french: ", "chinese: "))
    assert all(reference and "<|" not in reference for reference in made.references)


def test_another_model_is_refused_by_name():
    with pytest.raises(UserError, match="books-encoder was not trained on the translation task"):
        translated_lines(load("books-encoder"), 2)
