"""The shipped table of famous models, its arithmetic by hand, and labels that never lie on one another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.charts.scaling.famous import (
    NARROW,
    WIDE,
    _dot_box,
    _label_box,
    _pixels,
    overlaps,
    place_labels,
    span_of,
)
from playground.errors import UserError
from playground.scaling.famous import famous_csv, famous_models, famous_sentence, read_famous, trained_as
from playground.scaling.published import BESIROGLU, HOFFMANN

MODELS = famous_models()
HEADER = "name,date,params,total_params,tokens,note,source\n"


def test_the_table_is_whole_and_every_row_names_its_source():
    assert len(MODELS) >= 30
    assert len({model.name for model in MODELS}) == len(MODELS)
    assert [model.name for model in MODELS][:3] == ["GPT", "GPT-2", "GPT-3"]
    assert all(
        any(year in model.source for year in map(str, range(2018, 2027))) or "," in model.source for model in MODELS
    )
    assert {model.name for model in MODELS if model.tokens is None} == {"GPT", "GPT-2"}


def test_the_card_counts_the_rows_and_a_note_names_each_mixture():
    assert f"a row for each of {len(MODELS)} models" in (famous_csv().parent / "card.md").read_text(encoding="utf-8")
    for model in MODELS:
        assert ("mixture of experts" in model.note) == model.is_mixture, model.name


def test_a_report_in_the_arxiv_has_the_month_of_its_number():
    for model in MODELS:
        if "arXiv" in model.source and "as in" not in model.source:
            number = model.source.split("arXiv ")[1]
            assert model.date == f"20{number[:2]}-{number[2:4]}", model.name


def test_chinchilla_is_optimal_by_its_replication_and_gpt_3_far_below():
    found = trained_as(MODELS, "chinchilla", BESIROGLU.parameters)
    assert 0.6 < found["Chinchilla"].factor < 1.6
    assert found["Chinchilla"].given_up < 0.005
    assert found["GPT-3"].factor < 0.15
    assert found["Llama 3 8B"].factor > 50
    assert "GPT-2" not in found


def test_a_row_by_hand():
    """D for which 70B is optimal: N = G (C/6)^a, so C/6 = (N/G)^(1/a) and D = C/6/N."""
    law = HOFFMANN.parameters
    g = (law["alpha"] * law["A"] / (law["beta"] * law["B"])) ** (1 / (law["alpha"] + law["beta"]))
    a = law["beta"] / (law["alpha"] + law["beta"])
    tokens = (70e9 / g) ** (1 / a) / 70e9
    found = trained_as(MODELS, "chinchilla", law)["Chinchilla"]
    assert found.optimal_tokens == pytest.approx(tokens, rel=1e-9)
    assert found.factor == pytest.approx(1.4e12 / tokens, rel=1e-9)
    loss = 1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28
    assert found.loss == pytest.approx(loss)


def test_the_sentence_counts_and_names_the_extremes():
    said = famous_sentence(trained_as(MODELS, "chinchilla", BESIROGLU.parameters))
    assert "over-trained" in said
    assert "MT-NLG" in said


@pytest.mark.parametrize(
    "row",
    ["A,2020-05,1e9,1e9,many,,x", "A,2020,1e9,1e9,1e9,,x", "A,2020-13,1e9,1e9,1e9,,x", "A,2020-05,-1,1e9,1e9,,x",
     "A,2020-05,2e9,1e9,1e9,,x", "A,2020-05,nan,1e9,1e9,,x", "A"],
)  # fmt: skip
def test_a_damaged_row_is_refused(row):
    with pytest.raises(UserError):
        read_famous(HEADER + row + "\n")


def boxes_of(x, y, names):
    spans = span_of(x), span_of(y)
    chosen = place_labels(names, x, y, spans)
    for area in (NARROW, WIDE):
        screen = _pixels(x, y, spans, area)
        labels = [
            (index, _label_box(name, *screen[index], position))
            for index, (name, position) in enumerate(zip(names, chosen, strict=True))
            if position
        ]
        yield chosen, labels, [_dot_box(*place) for place in screen]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(8, 13), st.floats(10, 14)), min_size=1, max_size=40))
def test_labels_meet_neither_one_another_nor_a_dot(places):
    x, y = (np.array(column) for column in zip(*places, strict=True))
    for _chosen, labels, dots in boxes_of(x, y, [f"Model {number}" for number in range(len(places))]):
        for index, box in labels:
            assert not any(overlaps(box, other) for at, other in labels if at != index)
            assert not any(overlaps(box, dot) for dot in dots)


def test_a_line_stays_free_of_labels():
    """Three long names on a diagonal: none is placed across it, and a dot's own name would be without it."""
    x, y, names = np.array([1.0, 1.5, 2.0]), np.array([1.0, 1.5, 2.0]), ["a long name"] * 3
    spans = (0.0, 3.0), (0.0, 3.0)
    line = np.linspace(0, 3, 120), np.linspace(0, 3, 120)
    chosen = place_labels(names, x, y, spans, [line])
    assert any(chosen)
    assert chosen != place_labels(names, x, y, spans)
    for area in (NARROW, WIDE):
        drawn = _pixels(*line, spans, area)
        for name, position, place in zip(names, chosen, _pixels(x, y, spans, area), strict=True):
            left, top, right, bottom = _label_box(name, *place, position or "top center")
            crossed = [1 for across, down in drawn if left < across < right and top < down < bottom]
            assert not (position and crossed)


def test_most_famous_models_are_labelled():
    known = [model for model in MODELS if model.tokens]
    x = np.log10([model.params for model in known])
    y = np.log10([model.tokens for model in known])
    for chosen, _labels, _dots in boxes_of(x, y, [model.name for model in known]):
        assert sum(map(bool, chosen)) > len(known) / 2
