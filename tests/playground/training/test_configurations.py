"""Any configuration, of any task, either trains a step with a finite loss or is refused with a sentence."""

import functools
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.tasks.registry import TASKS
from playground.tasks.task import Batch, Needs, check_needs
from playground.training import TrainConfig, train
from playground.training.objective import loss_of
from playground.transformer import TransformerConfig
from tests.helpers.small_training import TEXT

torch.set_num_threads(1)
ENCODED_VOCABULARY, ENCODED_CLASSES = 24, 3
PARAGRAPH = " ".join(f"The {noun} saw a {noun} by the sea. Then it slept!" for noun in ("cat", "dog", "owl", "bee") * 6)
TABLE = "text,label\n" + "".join(f"the {noun} {verb}s,{verb}\n" for noun in ("cat", "dog") for verb in ("run", "sing"))


@dataclass(frozen=True, kw_only=True)
class EncodedConfig:
    """Random rows for an encoder, padded, in two segments, with masked words and classes."""

    classes: int = 0

    def needs(self) -> Needs:
        return Needs(kind="encoder", vocabulary=ENCODED_VOCABULARY, classes=self.classes, context=4)


@dataclass(frozen=True, kw_only=True)
class EncodedTask:
    """The task of an EncodedConfig."""

    config: EncodedConfig

    def check_fits(self, model: TransformerConfig) -> None:
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        ids = torch.from_numpy(generator.integers(0, ENCODED_VOCABULARY, (rows, length)))
        lengths = torch.from_numpy(generator.integers(2, length + 1, rows))
        mask = torch.arange(length) < lengths[:, None]
        labels = ids.where(mask & (torch.arange(length) % 2 == 0), -100)
        classes = torch.from_numpy(generator.integers(0, ENCODED_CLASSES, rows)) if self.config.classes else None
        segments = (torch.arange(length) > length // 2).long().expand(rows, -1)
        return Batch(ids=ids, labels=labels, mask=mask, segments=segments, classes=classes)

    def evaluate(self, model, *, rows: int, length: int) -> dict[str, float]:
        with torch.no_grad():
            batch = self.batch(np.random.default_rng(1), rows=rows, length=length, step=0)
            return {"held_out_loss": float(loss_of(model, batch))}


SETTINGS: dict[str, tuple[dict, ...]] = {
    "text": (
        {"text": TEXT, "vocabulary": "characters", "vocabulary_size": 32},
        {"text": TEXT, "vocabulary": "characters", "vocabulary_size": 32, "copying_beside": 2},
    ),
    "induction": ({"symbols": 6, "shortest": 2, "longest": 4, "length": 8}, {"symbols": 20, "length": 40}),
    "rewriting": ({"shortest": 1, "longest": 3}, {"operation": "sort", "shortest": 3, "longest": 3}),
    "addition": ({"digits": 1}, {"digits": 3, "answer_order": "units-first"}),
    "modular": ({"modulus": 5}, {"modulus": 13, "train_share": 0.9}),
    "tales": ({}, {"names": 3, "exponent": 0.0}),
    "translation": ({}, {"languages": ("chinese",), "names": 2}),
    "masked": (
        {"text": PARAGRAPH, "vocabulary": "words", "vocabulary_size": 64, "held_out": 0.3},
        {"text": PARAGRAPH, "vocabulary_size": 300, "held_out": 0.5, "mask_share": 0.9},
    ),
    "classification": (
        {"kind": "csv", "text": TABLE, "vocabulary_size": 64},
        {"kind": "csv", "text": TABLE, "vocabulary": "characters", "vocabulary_size": 40, "held_out": 0.5},
    ),
}


@functools.cache
def prepared(name: str, index: int):
    """A task's config and the task; prepared once."""
    if name == "encoded":
        config = EncodedConfig(classes=ENCODED_CLASSES * index)
        return config, EncodedTask(config=config)
    config = TASKS[name].config(**SETTINGS[name][index])
    return config, TASKS[name].prepare(config)


def mostly(good, *bad):
    """A strategy that takes each of the bad values once in twenty-five times."""
    return st.integers(1, 25).flatmap(lambda n: good if n <= 25 - len(bad) else st.just(bad[n - 26]))


@st.composite
def models(draw, needs: Needs) -> dict:
    """A small shape that often is one, and often fits the task."""
    heads = draw(st.sampled_from([1, 2, 3, 4]))
    return {
        "kind": draw(mostly(st.just(needs.kind), "encoder", "decoder")),
        "vocabulary": draw(mostly(st.sampled_from([needs.vocabulary, needs.vocabulary + 3]), 4)),
        "context": draw(mostly(st.sampled_from([max(needs.context, 6), needs.context + 8]), 1)),
        "width": heads * draw(st.sampled_from([2, 4, 6])) + draw(mostly(st.just(0), 1)),
        "layers": draw(mostly(st.sampled_from([1, 2]), 0)),
        "n_heads": heads,
        "key_value_heads": draw(mostly(st.sampled_from([None, 1, heads]), 2)),
        "hidden": draw(mostly(st.sampled_from([None, 1, 5]), 0)),
        "feed_forward": draw(st.sampled_from(["swiglu", "gelu", "relu", "none"])),
        "norm": draw(st.sampled_from(["rms", "layer"])),
        "norm_position": draw(st.sampled_from(["pre", "post"])),
        "positions": draw(st.sampled_from(["rotary", "learned", "sinusoidal", "none"])),
        "tied": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "segments": draw(mostly(st.just(2 if needs.kind == "encoder" else 0), 3)),
        "classes": draw(mostly(st.just(needs.classes), 2)),
        "dropout": draw(mostly(st.sampled_from([0.0, 0.1, 0.9]), 1.0)),
        "scaled_embedding": draw(st.booleans()),
        "embedding_norm": draw(st.booleans()),
    }


@st.composite
def runs(draw) -> dict:
    """The other half of a TrainConfig; steps is 1, and so are what has to fit in."""
    return {
        "batch": draw(mostly(st.integers(1, 3), 0)),
        "learning_rate": draw(mostly(st.floats(1e-6, 0.1), math.nan, 3.0)),
        "final_learning_rate": draw(st.floats(0, 0.1)),
        "warm_up": draw(mostly(st.integers(0, 1), 2)),
        "schedule": draw(st.sampled_from(["cosine", "linear", "stable-decay", "constant"])),
        "betas": draw(mostly(st.tuples(st.floats(0, 0.99), st.floats(0, 0.999)), (0.9, 1.0))),
        "weight_decay": draw(mostly(st.floats(0, 1), -1.0)),
        "clip": draw(mostly(st.floats(0.01, 10), 0.0)),
        "seed": draw(mostly(st.integers(0, 2**63 - 1), -1, 2**63)),
        "optimizer": draw(st.sampled_from(["adamw", "sgd", "muon"])),
        "accumulation": draw(mostly(st.integers(1, 3), 0)),
        "precision": draw(mostly(st.just("float32"), "bfloat16")),
        "device": draw(mostly(st.just("cpu"), "cuda", "tpu")),
        "evaluate_rows": draw(st.integers(1, 2)),
    }


@st.composite
def whole(draw):
    """A prepared task, and the fields of a model and a run."""
    name = draw(st.sampled_from([*SETTINGS, "encoded"]))
    config, task = prepared(name, draw(st.integers(0, 1)))
    return config, task, draw(models(config.needs())), draw(runs())


def outcome(drawn) -> str:
    """The sentence that refused the configuration; empty where one step was taken, with finite losses."""
    config, task, shape, run = drawn
    try:
        step = next(train(TrainConfig(task=config, model=TransformerConfig(**shape), steps=1, **run), task))
    except UserError as error:
        return str(error)
    assert math.isfinite(step.loss)
    assert math.isfinite(step.gradient_norm)
    assert step.evaluation is not None
    assert math.isfinite(step.evaluation["held_out_loss"])
    return ""


def examine(examples: int) -> Counter[bool]:
    """Draw that many configurations and count the outcomes."""
    found: Counter[bool] = Counter()

    @settings(max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(whole())
    def one(drawn) -> None:
        sentence = outcome(drawn)
        found[not sentence] += 1
        assert not sentence or (sentence.endswith((".", "?")) and len(sentence.split()) > 4), sentence

    one()
    return found


def test_every_task_is_among_them():
    assert SETTINGS.keys() == TASKS.keys()


def test_thirty_configurations_train_a_step_or_are_refused():
    found = examine(30)
    assert found[True] + found[False] >= 30


@pytest.mark.slow
def test_a_thousand_configurations_train_a_step_or_are_refused():
    found = examine(1000)
    assert found[True] >= 100
    assert found[False] >= 100
