"""Attribution of labels: completeness, a linear head by hand, and the refusals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens.attribute.label_attribution import attribute_label
from playground.lens.generate.classification import classify
from playground.models import load
from tests.helpers.head_folders import save_head
from tests.helpers.own_models import random_model, save_model

TEXT = "the cat sat on the mat"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labels")


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_the_attributions_add_up_to_the_labels_logit(root, family):
    model = load(str(save_head(root / family, family, "text")), device="cpu")
    label = classify(model, [TEXT])[0]
    found = attribute_label(model, TEXT, label=label.best)
    assert found.result.logit == pytest.approx(float(label.logits[label.best]), abs=1e-5)
    assert found.result.is_converged
    assert found.result.attributions.sum() == pytest.approx(found.result.change, abs=0.05 * max(1, found.result.change))
    assert len(found.tokens) == len(found.result.attributions)
    assert found.label == label.labels[label.best]


def test_a_linear_head_by_hand(root):
    """With a head that is linear in the embeddings, a token's attribution is its part of the sum."""
    model = load(str(save_head(root / "linear", "bert", "text")), device="cpu")
    assert model.head is not None
    direction = torch.linspace(-1, 1, 16)
    embedding = model.adapter.embedding()

    def linear(ids, segments):
        return (embedding(ids) @ direction).sum(1, keepdim=True).expand(-1, 3)

    model = replace(model, head=replace(model.head, answer=linear))
    found = attribute_label(model, TEXT, label=1, baseline="zero")
    ids = torch.tensor([token.id for token in found.tokens])
    assert found.result.attributions == pytest.approx((embedding(ids) @ direction).numpy(), abs=1e-5)


def test_the_label_of_one_token(root):
    model = load(str(save_head(root / "tokens", "bert", "token")), device="cpu")
    found = attribute_label(model, TEXT, label=2, position=3)
    assert found.position == 3
    assert abs(found.result.completeness_gap) < 0.1 * max(1.0, abs(found.result.change))
    other = attribute_label(model, TEXT, label=2, position=4)
    assert not np.allclose(found.result.attributions, other.result.attributions)


def test_our_own_classifier(root):
    folder = save_model(random_model(kind="encoder", classes=2, segments=2), root / "own")
    model = load(str(folder), device="cpu")
    found = attribute_label(model, "the cat", "a dog", label=0, steps=64)
    assert [token.segment for token in found.tokens if not token.special] == [0] * 7 + [1] * 5


@pytest.mark.parametrize(("family", "task", "position"), [("bart", "span", 1), ("t5", "token", 1), ("bert", "span", 1)])
def test_a_stack_that_embeds_with_a_module_of_its_own(root, family, task, position):
    """BART and T5 call another module than the one that they name; its vectors are the same."""
    model = load(str(save_head(root / f"{family}-{task}", family, task)), device="cpu")
    found = attribute_label(model, TEXT, "the dog lay", label=1, position=position)
    assert found.result.is_converged
    assert abs(found.result.change) > 1e-4


def test_embeddings_in_another_order_are_refused(root):
    model = load(str(save_head(root / "xlnet", "xlnet", "text")), device="cpu")
    with pytest.raises(UserError, match="gradients cannot follow"):
        attribute_label(model, TEXT, label=0)


@pytest.mark.parametrize(("label", "position"), [(3, None), (-1, None), (0, 2)])
def test_what_is_not_there_is_refused(root, label, position):
    model = load(str(save_head(root / "refused", "bert", "text")), device="cpu")
    with pytest.raises(UserError, match="Choose a label"):
        attribute_label(model, TEXT, label=label, position=position)


def test_a_model_without_a_head_is_refused():
    with pytest.raises(UserError, match="no label to explain"):
        attribute_label(load("books-decoder", device="cpu"), TEXT, label=0)
