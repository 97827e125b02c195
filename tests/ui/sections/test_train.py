"""Pictures of presets, the film's first selection, and the parameters of a checkpoint's doors."""

import json
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from benchmarks.preset_pictures import CURVES, MAPS
from playground.tasks.registry import TASKS
from playground.text import LANGUAGE, PSEUDO
from playground.training import TrainConfig
from playground.training.presets import PRESETS
from playground.transformer import TransformerConfig
from tests.helpers import synthetic
from ui.sections.train.config_form import FROM_TASK
from ui.sections.train.film import best_head, nearest_checkpoint
from ui.sections.train.labels import CHOICES, LABELS
from ui.sections.train.pictures import PICTURES, preset_picture
from ui.sections.train.summary import queue_sentence


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_preset_has_a_picture_of_a_run_of_its_own(preset):
    picture = json.loads(PICTURES.read_text(encoding="utf-8"))[preset]
    config = PRESETS[preset]()
    assert picture["steps"] == config.steps
    assert tuple(picture["curves"]) == CURVES[preset]
    for points in picture["curves"].values():
        steps = [step for step, _value in points]
        assert steps == sorted(set(steps))
        assert (steps[0], steps[-1]) == (config.evaluate_every, config.steps)
    assert ("map" in picture) == (preset in MAPS)
    assert len({len(row) for row in picture.get("map", ["x"])}) == 1
    drawn = preset_picture(preset)
    assert drawn.count("mask:url") == len(CURVES[preset]) + (preset in MAPS)
    assert 'role="img"' in drawn


def test_a_picture_is_an_example_in_the_readers_language():
    token = LANGUAGE.set(PSEUDO)
    try:
        assert "⟦Example run: " in preset_picture("induction")
    finally:
        LANGUAGE.reset(token)
    assert 'aria-label="Example run: Induction heads"' in preset_picture("induction")
    assert preset_picture("no such preset") == ""


def test_every_field_of_a_run_and_every_choice_has_a_label():
    for record in (*(kind.config for kind in TASKS.values()), TrainConfig, TransformerConfig):
        hints = get_type_hints(record)
        shown = [name for name in hints if name not in (*FROM_TASK, "task", "model") or name == "vocabulary"]
        assert [name for name in shown if name not in LABELS] == [], record
        for hint in (hints[name] for name in shown):
            parts = [hint, *get_args(hint)]
            choices = [choice for part in parts if get_origin(part) is Literal for choice in get_args(part)]
            assert [choice for choice in choices if choice not in CHOICES] == [], record


def test_before_anybody_chooses_the_doors_lead_to_the_head_that_scores_best():
    film = synthetic.film("translation", 5)
    state = best_head(film, ("cross", "induction"))
    table = film.scores["cross"]["induction"][-1]
    assert table[state.layer, state.head] == np.nanmax(table)
    assert (state.kind, state.score, state.step) == ("cross", "induction", None)
    assert best_head(film, None).kind == next(iter(film.maps))


@pytest.mark.parametrize(("step", "nearest"), [(0, 0), (149, 100), (150, 200), (999, 200)])
def test_the_checkpoint_of_a_frame_is_the_nearest_one(step, nearest):
    assert nearest_checkpoint((0, 100, 200), step) == nearest


def test_a_waiting_run_is_told_its_place():
    assert queue_sentence(0).startswith("Next in the queue")
    assert queue_sentence(1) == "1 run ahead in the queue"
    assert queue_sentence(2) == "2 runs ahead in the queue"
