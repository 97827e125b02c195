"""Presets: runs that reach a visible result within about a minute on one core.

tests/playground/training/test_outcomes.py checks the results that the docstrings promise.
"""

from collections.abc import Callable
from typing import Any

from playground.tasks.addition import AdditionConfig
from playground.tasks.classification import ClassificationConfig
from playground.tasks.induction import InductionConfig
from playground.tasks.masked import MaskedConfig
from playground.tasks.modular import ModularConfig
from playground.tasks.rewriting import RewritingConfig
from playground.tasks.tales.tales_task import TalesConfig
from playground.tasks.task import TaskConfig
from playground.tasks.text import TextTaskConfig
from playground.tasks.translation import TranslationConfig
from playground.training.config import TrainConfig
from playground.transformer import TransformerConfig


def config_for(task: TaskConfig, *, shape: dict[str, Any], **settings: Any) -> TrainConfig:
    """A run of a task; the model gets the kind, vocabulary, classes, segments and context that the task needs."""
    needs = task.needs()
    fields = {"context": needs.context, **shape}
    fields |= {"kind": needs.kind, "vocabulary": needs.vocabulary, "classes": needs.classes, "segments": needs.segments}
    model = TransformerConfig(**fields)
    return TrainConfig(task=task, model=model, **settings)


def induction_heads() -> TrainConfig:
    """Two attention-only layers; induction heads form between steps 200 and 300."""
    return config_for(
        InductionConfig(),
        shape={"width": 64, "layers": 2, "n_heads": 4, "feed_forward": "none"},
        steps=600,
        batch=32,
        learning_rate=3e-3,
        final_learning_rate=3e-3,
        schedule="constant",
        warm_up=50,
        evaluate_every=25,
        checkpoint_every=100,
        frames=80,
    )


def reverse() -> TrainConfig:
    """Reverse eight digits; cross-attention becomes an anti-diagonal."""
    return config_for(
        RewritingConfig(operation="reverse"),
        shape={**_ENCODER_DECODER_SHAPE, "width": 64},
        steps=700,
        batch=64,
        warm_up=100,
        evaluate_every=50,
        checkpoint_every=100,
    )


def addition() -> TrainConfig:
    """Three-digit addition; first digits are right early, whole sums late and all at once."""
    return config_for(
        AdditionConfig(digits=3),
        shape={"width": 48, "layers": 2, "n_heads": 4, "positions": "learned"},
        steps=1200,
        batch=64,
        learning_rate=4.6e-3,
        warm_up=100,
        evaluate_every=50,
        evaluate_rows=256,
        checkpoint_every=200,
    )


def grokking() -> TrainConfig:
    """Addition modulo 53: memorised by step 100, generalised after step 1,000."""
    task = ModularConfig()
    return config_for(
        task,
        shape={
            "width": 64,
            "layers": 1,
            "n_heads": 4,
            "hidden": 256,
            "feed_forward": "relu",
            "norm": "layer",
            "positions": "learned",
            "tied": False,
        },
        steps=2500,
        batch=task.train_pairs,
        learning_rate=3e-3,
        final_learning_rate=3e-3,
        schedule="constant",
        warm_up=10,
        betas=(0.9, 0.98),
        weight_decay=1.0,
        evaluate_every=25,
        checkpoint_every=250,
    )


def documentation() -> TrainConfig:
    """Language modelling of the running Python's own documentation, byte pairs."""
    return config_for(
        TextTaskConfig(sources=("python-documentation",), vocabulary="bpe", vocabulary_size=1024, unwrap=True),
        shape=_TEXT_SHAPE,
        steps=1500,
        batch=12,
        learning_rate=2e-3,
        warm_up=100,
        evaluate_every=100,
        checkpoint_every=250,
    )


def own_text() -> TrainConfig:
    """Language modelling of your own text, character by character."""
    return config_for(
        TextTaskConfig(text=EXAMPLE_TEXT, vocabulary="characters", vocabulary_size=128, held_out=0.1),
        shape={"context": 64, "width": 128, "layers": 4, "n_heads": 4},
        steps=1000,
        batch=12,
        warm_up=100,
        evaluate_every=100,
        checkpoint_every=250,
    )


def speedrun() -> TrainConfig:
    """The record of benchmarks/speedrun.py, which reads Shakespeare: characters, as fast as they are learned."""
    return config_for(
        TextTaskConfig(
            sources=("python-documentation",), vocabulary="characters", vocabulary_size=128, held_out=0.1, unwrap=False
        ),
        shape={"context": 64, "width": 96, "layers": 2, "n_heads": 4, "hidden": 256},
        steps=550,
        batch=16,
        learning_rate=1.2e-2,
        final_learning_rate=1e-4,
        warm_up=30,
        schedule="linear",
        optimizer="muon",
        betas=(0.95, 0.99),
        evaluate_every=50,
        checkpoint_every=250,
    )


def no_residuals() -> TrainConfig:
    """Eight layers without residual connections and norms; the loss stands still at the logarithm of the vocabulary."""
    return config_for(
        TextTaskConfig(text=EXAMPLE_TEXT, vocabulary="characters", vocabulary_size=128, held_out=0.1),
        shape={"context": 64, "width": 64, "layers": 8, "n_heads": 4, "residual": False, "norm": "none"},
        steps=300,
        batch=12,
        learning_rate=2e-3,
        warm_up=50,
        evaluate_every=25,
        checkpoint_every=100,
    )


def tales() -> TrainConfig:
    """Synthetic stories; the validation loss approaches their known entropy."""
    return config_for(
        TalesConfig(),
        shape=_TEXT_SHAPE,
        steps=1500,
        batch=16,
        learning_rate=2e-3,
        warm_up=100,
        evaluate_every=100,
        checkpoint_every=250,
    )


def translation() -> TrainConfig:
    """English sentences into French and Chinese; with one layer, cross-attention has to align the words."""
    return config_for(
        TranslationConfig(),
        shape={**_ENCODER_DECODER_SHAPE, "layers": 1, "width": 128},
        steps=600,
        batch=64,
        learning_rate=2e-3,
        warm_up=60,
        evaluate_every=50,
        checkpoint_every=100,
    )


def masked_words() -> TrainConfig:
    """Masked LM and next-sentence prediction, BERT-style, on the running Python's documentation."""
    return config_for(
        MaskedConfig(sources=("python-documentation",), vocabulary="bpe", vocabulary_size=1024, unwrap=True),
        shape=_TEXT_SHAPE,
        steps=1500,
        batch=16,
        learning_rate=2e-3,
        warm_up=100,
        evaluate_every=100,
        checkpoint_every=250,
    )


def classification() -> TrainConfig:
    """Sentence classification: statements, questions and requests."""
    return config_for(
        ClassificationConfig(),
        shape={"context": 32, "width": 64, "layers": 2, "n_heads": 4, "tied": False},
        steps=400,
        batch=32,
        learning_rate=1e-3,
        warm_up=40,
        evaluate_every=25,
        checkpoint_every=100,
    )


_TEXT_SHAPE = {"context": 64, "width": 96, "layers": 3, "n_heads": 4, "hidden": 256}
"""A small model of text, decoder or encoder."""
_ENCODER_DECODER_SHAPE = {
    "layers": 2,
    "n_heads": 4,
    "feed_forward": "gelu",
    "norm": "layer",
    "positions": "learned",
    "bias": True,
}

EXAMPLE_TEXT = " ".join(
    [
        "The lamp stood in the window, and the window looked over the harbour. "
        "Every evening the keeper lit the lamp, and every evening the boats turned home."
    ]
    * 40
)

PRESETS: dict[str, Callable[[], TrainConfig]] = {
    "induction": induction_heads,
    "reverse": reverse,
    "translation": translation,
    "addition": addition,
    "grokking": grokking,
    "tales": tales,
    "masked": masked_words,
    "classification": classification,
    "documentation": documentation,
    "own-text": own_text,
    "speedrun": speedrun,
    "no-residuals": no_residuals,
}
