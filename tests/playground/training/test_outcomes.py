"""What the tiny tasks are known to reach, with seeds, on one torch thread."""

import pytest
import torch

from playground.tasks.induction import InductionConfig
from playground.tasks.modular import ModularConfig
from playground.tasks.registry import task_kind_of
from playground.tasks.rewriting import RewritingConfig
from playground.tasks.task import SpectrumSample, TaskConfig
from playground.training import TrainConfig, train
from playground.training.trainer import start_state
from playground.transformer import Transformer, TransformerConfig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

torch.set_num_threads(1)

CONSTANT = {"schedule": "constant", "learning_rate": 3e-3, "final_learning_rate": 3e-3}


def learnt(
    task: TaskConfig, shape: dict, until: tuple[str, float] | None = None, **settings
) -> tuple[dict[int, dict[str, float]], Transformer]:
    """The measures by step, and the model; ends early where the measure `until` names is reached."""
    needs = task.needs()
    model = {"kind": needs.kind, "vocabulary": needs.vocabulary, "context": needs.context, **shape}
    config = TrainConfig(task=task, model=TransformerConfig(**model), **settings)
    state = start_state(config)
    measures = {}
    for step in train(config, task_kind_of(task).prepare(task), state=state):
        if step.evaluation is not None:
            measures[step.step] = step.evaluation
            if until is not None and step.evaluation[until[0]] >= until[1]:
                break
    return measures, state.model


def induction(layers: int, seed: int) -> dict[int, dict[str, float]]:
    shape = {"width": 64, "n_heads": 4, "layers": layers, "feed_forward": "none", "positions": "rotary"}
    settings = {"steps": 400, "batch": 32, "warm_up": 50, "evaluate_every": 100, **CONSTANT}
    return learnt(InductionConfig(), shape, seed=seed, **settings)[0]


def test_induction_heads_appear_between_steps_200_and_400():
    """Olsson et al. 2022: the score and the accuracy in the repeats rise together, all at once."""
    measures = induction(layers=2, seed=0)
    assert measures[100]["induction_score"] < 0.15
    assert measures[100]["repeat_accuracy"] < 0.15
    assert measures[400]["induction_score"] > 0.69
    assert measures[400]["repeat_accuracy"] > 0.84


def test_one_layer_makes_no_induction_head():
    measures = induction(layers=1, seed=0)[400]
    assert measures["induction_score"] < 0.2
    assert measures["repeat_accuracy"] < 0.3


@pytest.mark.parametrize("operation", ["copy", "reverse", "sort"])
def test_digits_are_rewritten_without_a_mistake_within_700_steps(operation):
    shape = {"width": 64, "n_heads": 4, "layers": 2, "feed_forward": "gelu", "norm": "layer", "positions": "learned"}
    settings = {"steps": 700, "batch": 64, "learning_rate": 1e-3, "warm_up": 100}
    settings |= {"evaluate_every": 100, "evaluate_rows": 256}
    measures, _ = learnt(RewritingConfig(operation=operation), shape, until=("exact_match", 0.99), **settings)
    assert max(found["exact_match"] for found in measures.values()) >= 0.99


# Half the pairs of a small prime, and twice the weight decay of the emergence study: the same within 600 steps.
MODULAR = ModularConfig(modulus=37, train_share=0.5)
MODULAR_SHAPE = {"width": 64, "n_heads": 4, "layers": 1, "hidden": 128, "feed_forward": "relu"}
MODULAR_SHAPE |= {"norm": "layer", "positions": "learned", "tied": False}
FULL_BATCH = {"batch": MODULAR.train_pairs, "warm_up": 10, "betas": (0.9, 0.98), "evaluate_every": 100, **CONSTANT}


def test_a_network_under_weight_decay_groks_addition():
    """Learnt by heart first, understood later, in few frequencies (Nanda et al. 2023)."""
    until = ("test_accuracy", 0.99)
    measures, model = learnt(MODULAR, MODULAR_SHAPE, until, steps=1500, weight_decay=2.0, **FULL_BATCH)
    assert measures[100]["train_accuracy"] > 0.95
    assert measures[200]["test_accuracy"] < 0.6
    assert max(found["test_accuracy"] for found in measures.values()) > 0.99
    (spectrum,) = (s for s in task_kind_of(MODULAR).prepare(MODULAR).samples(model) if is_spectrum(s))
    assert sum(sorted(spectrum.power)[-6:]) > 0.6


def test_without_decay_it_never_comes():
    measures, _ = learnt(MODULAR, MODULAR_SHAPE, steps=700, weight_decay=0.0, **FULL_BATCH)
    assert measures[700]["train_accuracy"] > 0.99
    assert max(found["test_accuracy"] for found in measures.values()) < 0.6


def is_spectrum(sample: object) -> bool:
    return isinstance(sample, SpectrumSample)
