"""Ablation of labels: against weights set to zero, invariants, and the refusals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens.generate.classification import classify
from playground.lens.intervene.label_ablation import ablate_label
from playground.models import load
from tests.helpers.head_folders import DECODERS, FAMILIES, save_head
from tests.helpers.own_models import random_model, save_model

TEXT = "the cat sat on the mat"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labels")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_component_has_an_effect_on_the_label(root, family):
    model = load(str(save_head(root / family, family, "text")), device="cpu")
    (label,) = classify(model, [TEXT])
    found = ablate_label(model, TEXT, label=label.best, method="zero")
    assert found.logit == pytest.approx(float(label.logits[label.best]), abs=1e-5)
    assert found.best == label.best
    assert np.isfinite(found.heads).all()
    assert np.isfinite(found.larger).all()
    assert np.abs(found.heads).max() > 1e-5
    assert classify(model, [TEXT])[0].logits.tolist() == label.logits.tolist()


def test_a_head_is_ablated_as_if_its_weights_were_zero(root):
    """Zero ablation of head 1 of layer 1: as if the output projection had zeros where it reads that head."""
    model = load(str(save_head(root / "zeros", "bert", "text")), device="cpu")
    effects = [ablate_label(model, TEXT, label=label, method="zero") for label in range(3)]
    projection = model.module.base_model.encoder.layer[1].attention.output.dense
    n_heads = model.module.config.num_attention_heads
    width = projection.in_features // n_heads
    with torch.no_grad():
        projection.weight[:, width : 2 * width] = 0
    (without,) = classify(model, [TEXT])
    expected = [float(without.logits[label]) - effects[label].logit for label in range(3)]
    assert [float(effect.heads[1, 1]) for effect in effects] == pytest.approx(expected, abs=1e-5)
    assert effects[0].best_without_head[1, 1] == without.best


def test_the_mean_over_one_token_changes_nothing(root):
    """A decoder's text of one token is its own mean."""
    model = load(str(save_head(root / "one", DECODERS[0], "text")), device="cpu")
    found = ablate_label(model, "cat", label=0, method="mean")
    assert len(found.tokens) == 1
    assert np.abs(found.heads).max() < 1e-5
    assert found.deciding_heads == []


def test_the_heads_that_decide(root):
    """Those without which another label is best; a block without attention has none."""
    model = load(str(save_head(root / "decide", "bert", "text")), device="cpu")
    found = ablate_label(model, TEXT, label=0, method="zero")
    other = replace(found, best_without_head=np.full_like(found.best_without_head, found.best))
    assert other.deciding_heads == []
    other.best_without_head[1, 0] = found.best + 1
    other.best_without_head[0, 0] = -1
    assert other.deciding_heads == [(found.layers[1], 0)]


def test_the_label_of_one_token(root):
    model = load(str(save_head(root / "tokens", "bert", "token")), device="cpu")
    third, fourth = (ablate_label(model, TEXT, label=2, position=position) for position in (3, 4))
    assert not np.allclose(third.heads, fourth.heads)


@pytest.mark.parametrize("kind", ["encoder", "cross", "decoder"])
def test_an_encoder_decoders_kinds_of_attention(root, kind):
    model = load(str(save_head(root / f"bart-{kind}", "bart", "text")), device="cpu")
    found = ablate_label(model, TEXT, label=0, kind=kind, method="zero")
    assert found.kind == kind
    assert np.isfinite(found.heads).all()


def test_our_own_classifier_of_two_texts(root):
    folder = save_model(random_model(kind="encoder", classes=2, segments=2), root / "own")
    model = load(str(folder), device="cpu")
    seen = []
    found = ablate_label(model, "the cat", "a dog", label=0, on_progress=lambda done, most: seen.append((done, most)))
    assert [token.segment for token in found.tokens if not token.special] == [0] * 7 + [1] * 5
    assert seen[-1][0] == seen[-1][1] == found.heads.size + np.isfinite(found.larger).sum()


def test_refusals(root):
    model = load(str(save_head(root / "refusals", "bert", "text")), device="cpu")
    with pytest.raises(UserError, match="Choose a label from 0 to 2"):
        ablate_label(model, TEXT, label=3)
    with pytest.raises(UserError, match="only where tokens are labelled"):
        ablate_label(model, TEXT, label=0, position=1)
    with pytest.raises(UserError, match="mean or zero"):
        ablate_label(model, TEXT, label=0, method="resampled")
    with pytest.raises(UserError, match="no classifier"):
        ablate_label(replace(model, head=None), TEXT, label=0)


def test_a_head_that_leaves_out_blocks_is_refused(root):
    model = load(str(save_head(root / "short", "bert", "text")), device="cpu")
    embedding = model.adapter.embedding()
    short = replace(model.head, answer=lambda ids, _segments: embedding(ids).sum(-1)[:, :3])
    with pytest.raises(UserError, match="Only some of the blocks"):
        ablate_label(replace(model, head=short), TEXT, label=0)
