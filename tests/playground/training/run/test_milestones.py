"""Events on hand-made curves, and the sentences about them."""

import numpy as np
import pytest

from playground.training.run.metrics import Metrics
from playground.training.run.milestones import (
    HEAD_THRESHOLD,
    Milestone,
    ScoreCurves,
    first_above,
    learnt_so_far,
    milestones,
    watched_score,
)

MODEL = {"vocabulary": 10, "classes": 0}


def metrics(steps: list[int], **evaluations: list[float]) -> Metrics:
    return Metrics(
        columns={"step": np.array(steps), "loss": np.ones(len(steps))},
        evaluation_steps=np.array(steps),
        evaluations={name: np.array(values) for name, values in evaluations.items()},
    )


def scores(kind: str, name: str, *frames: list[list[float]], steps: list[int] | None = None) -> ScoreCurves:
    """Tables [layer][head], one for each frame, at steps 0, 10, 20, …"""
    return ScoreCurves(
        steps=steps or [10 * index for index in range(len(frames))], tables={kind: {name: np.array(frames)}}
    )


def said(task: str, measured: Metrics, curves: ScoreCurves | None = None, model: dict | None = None) -> list[str]:
    curves = curves or ScoreCurves()
    events = milestones(task, measured, curves)
    return [str(sentence) for sentence in learnt_so_far(task, model or MODEL, measured, curves, events)]


@pytest.mark.parametrize(
    ("values", "index"),
    [
        ([0.1, 0.4, 0.6, 0.2], 2),
        ([0.1, 0.5], 1),
        ([0.1, 0.49], None),
        ([0.6, 0.1, 0.7], None),
        ([np.nan, 0.1, 0.8], 2),
        ([np.nan, 0.8], None),
        ([0.1, np.nan, np.nan, 0.9], 3),
        ([], None),
        ([np.nan], None),
    ],
)
def test_an_event_is_the_first_value_at_the_threshold_after_one_below_it(values, index):
    assert first_above(range(len(values)), np.array(values), 0.5) == index


def test_the_best_head_passes_at_the_first_frame_that_has_it():
    curves = scores(
        "decoder", "induction", [[0.0, 0.1], [0.1, 0.0]], [[0.0, 0.1], [0.3, 0.4]], [[0.0, 0.1], [0.8, 0.6]]
    )
    (event,) = milestones("induction", metrics([]), curves)
    assert event == Milestone(step=20, name="induction", threshold=HEAD_THRESHOLD, kind="decoder", head=(1, 0))
    assert str(event.sentence) == "induction score passes 0.5 at step 20 (head 1.0)"
    assert str(event.label) == "induction score 0.5"


def test_events_stand_in_the_order_in_which_they_happened():
    curves = ScoreCurves(
        steps=[0, 100, 245],
        tables={
            "decoder": {
                "induction": np.array([[[0.0]], [[0.2]], [[0.9]]]),
                "previous": np.array([[[0.0]], [[0.6]], [[0.6]]]),
            }
        },
    )
    events = milestones("induction", metrics([50, 150], repeat_accuracy=[0.1, 0.7]), curves)
    assert [(event.name, event.step) for event in events] == [
        ("previous", 100),
        ("repeat_accuracy", 150),
        ("induction", 245),
    ]


def test_a_task_whose_heads_need_not_form_has_no_events_of_heads():
    curves = scores("decoder", "previous", [[0.1]], [[0.9]])
    assert milestones("modular", metrics([]), curves) == []
    assert milestones("unheard of", metrics([10], accuracy=[0.9]), curves) == []


def test_scores_that_are_never_defined_say_nothing():
    curves = scores("decoder", "induction", [[np.nan, np.nan]], [[np.nan, np.nan]])
    assert milestones("induction", metrics([]), curves) == []
    assert said("induction", metrics([10], held_out_loss=[2.0]), curves) == [
        "Step 10: validation loss 2.000 nats; a uniform guess among 10 tokens: 2.303"
    ]


def test_before_the_first_evaluation_there_is_no_sentence():
    assert said("induction", metrics([]), scores("decoder", "induction", [[0.1]])) == []


def test_induction_says_loss_accuracy_and_head():
    curves = scores("decoder", "induction", [[0.1, 0.2]], [[0.1, 0.3]])
    before = metrics([10], held_out_loss=[1.5], repeat_accuracy=[0.25])
    assert said("induction", before, curves) == [
        "Step 10: validation loss 1.500 nats; a uniform guess among 10 tokens: 2.303",
        "accuracy on the 2nd copy 25.0%",
        "highest induction score 0.30 (head 0.1)",
    ]
    after = metrics([10, 20], held_out_loss=[1.5, 0.5], repeat_accuracy=[0.25, 0.98])
    formed = scores("decoder", "induction", [[0.1, 0.2]], [[0.1, 0.3]], [[0.1, 0.7]])
    assert said("induction", after, formed)[1:] == [
        "accuracy on the 2nd copy 98.0%, past 50% at step 20",
        "induction score passes 0.5 at step 20 (head 0.1)",
    ]


def test_a_known_entropy_is_what_the_loss_is_measured_by():
    measured = metrics([1500], held_out_loss=[1.154], loss_floor=[0.998])
    assert said("tales", measured) == ["Step 1,500: validation loss 1.154 nats, 0.156 above the source's entropy 0.998"]


def test_a_classifier_guesses_among_classes_and_a_sum_of_losses_is_compared_with_nothing():
    classes = {"vocabulary": 100, "classes": 3}
    measured = metrics([25], held_out_loss=[0.7], accuracy=[0.8])
    assert said("classification", measured, model=classes) == [
        "Step 25: validation loss 0.700 nats; a uniform guess among 3 classes: 1.099",
        "accuracy 80.0%",
    ]
    both = metrics([25], held_out_loss=[5.0], masked_accuracy=[0.1])
    assert said("masked", both, model={"vocabulary": 100, "classes": 2}) == [
        "Step 25: validation loss 5.000 nats",
        "masked-token accuracy 10.0%",
    ]


def test_grokking_is_how_much_later_the_test_accuracy_comes():
    steps = [25, 50, 75, 1000]
    measured = metrics(
        steps, held_out_loss=[4, 4, 4, 0.1], train_accuracy=[0.2, 0.995, 1, 1], test_accuracy=[0, 0, 0, 0.99]
    )
    assert said("modular", measured)[1:] == [
        "test accuracy 99.0%: past 99% at step 1,000, 950 steps after the training accuracy"
    ]


@pytest.mark.parametrize(
    ("task", "available", "watched"),
    [
        ("induction", {"decoder": ["previous", "induction"]}, ("decoder", "induction")),
        (
            "translation",
            {"encoder": ["previous"], "decoder": ["previous"], "cross": ["alignment"]},
            ("cross", "alignment"),
        ),
        ("rewriting", {"encoder": ["previous"], "decoder": ["previous"], "cross": ["first"]}, ("decoder", "previous")),
        ("text", {"decoder": ["previous", "induction"]}, ("decoder", "previous")),
        ("masked", {"encoder": ["previous"]}, ("encoder", "previous")),
        ("masked", {"encoder": ["entropy"]}, None),
        ("tales", {}, None),
    ],
)
def test_a_film_opens_on_the_score_of_its_task(task, available, watched):
    assert watched_score(task, available) == watched
