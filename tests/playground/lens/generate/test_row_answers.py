"""Rows of a table: one answer each, whatever is in them; and what random heads answer."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.lens.generate.classification import classify
from playground.lens.generate.random_heads import ask_random_heads
from playground.lens.generate.row_answers import RowAnswer, answer_rows, answers_csv, column_names
from playground.models import LoadedModel, load
from tests.helpers.head_folders import save_head
from tests.helpers.pretrained_folders import SaveModel, own_cache, save_model

__all__ = ["own_cache", "save_model"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    root = tmp_path_factory.mktemp("heads")
    return {task: load(str(save_head(root / task, "bert", task)), device="cpu") for task in ("text", "token", "span")}


def test_rows_are_answered_as_texts_are(models):
    texts = ["good cat", "", "the cat " * 50, "bad"]
    seen: list[tuple[int, int]] = []
    answers = answer_rows(models["text"], texts, on_progress=lambda done, total: seen.append((done, total)))
    expected = classify(models["text"], [texts[0], texts[2], texts[3]], truncate=True)
    answered = [answers[index] for index in (0, 2, 3)]
    for answer, found in zip(answered, expected, strict=True):
        assert answer.answer == found.labels[found.best]
        assert list(answer.scores.values()) == pytest.approx(found.scores.tolist(), abs=1e-12)
    assert (answers[1].answer, answers[1].score, answers[1].scores) == ("", None, {})
    assert [answer.is_cut for answer in answers] == [False, False, True, False]
    assert seen[-1] == (3, 3)


def test_names_and_answers_in_rows(models):
    (named,) = answer_rows(models["token"], ["anna went to paris"])
    assert named.pair is None
    assert named.answer.count(":") == named.answer.count("; ") + 1 or named.answer == ""
    (found,) = answer_rows(models["span"], ["who"], ["anna went to paris"])
    assert found.answer in ("", *("anna went to paris"[a:b] for a in range(18) for b in range(a, 19)))
    with pytest.raises(UserError, match="needs its passage"):
        answer_rows(models["span"], ["who"])
    with pytest.raises(UserError, match="no classifier"):
        answer_rows(load("books-decoder", device="cpu"), ["good"])


CELL = st.text(alphabet="=+-@a1,;\"'\n \t", max_size=6)


@settings(max_examples=50)
@given(st.lists(CELL, min_size=1, max_size=4), st.sampled_from(["answer", "score", "p(bad)", "text"]))
def test_no_cell_of_a_table_is_a_formula(models, cells, column):
    answers = [RowAnswer(text=cell, pair=None, answer=cell, score=0.5, scores={"bad": 0.5}) for cell in cells]
    written = answers_csv(models["text"], answers, {column: cells})
    rows = list(csv.reader(io.StringIO(written)))
    assert len(rows) == len(cells) + 1
    assert len(set(rows[0])) == len(rows[0]) == 5
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_repeated_labels_have_columns_of_their_own():
    names = column_names(["a", "b", "a", "a"])
    assert len(set(names)) == 4
    assert names[:2] == ["a", "b"]


def test_a_random_head_answers_what_its_seed_says(save_model: SaveModel):
    model = load(str(save_model("gpt2")), device="cpu")
    found = ask_random_heads(model, "the cat sat", seeds=(0, 1, 0))
    assert found.untrained == ("score.weight",)
    assert found.architecture == "GPT2ForSequenceClassification"
    assert found.scores.sum(-1) == pytest.approx([1, 1, 1])
    assert np.array_equal(found.scores[0], found.scores[2])
    assert not np.allclose(found.scores[0], found.scores[1])
    assert 1 <= found.winners <= 2


def test_a_random_head_is_refused_where_there_is_a_trained_one(models):
    with pytest.raises(UserError, match="has a head already"):
        ask_random_heads(models["text"], "the cat sat")
    with pytest.raises(UserError, match="model of ours"):
        ask_random_heads(load("books-decoder", device="cpu"), "The cat")
