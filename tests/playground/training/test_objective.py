"""The loss is the mean over the labels that count, however many those are."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from playground.tasks.task import IGNORED, Batch
from playground.training.objective import loss_of, losses_of
from playground.transformer import Transformer, TransformerConfig

torch.set_num_threads(1)


@settings(max_examples=12)
@given(st.integers(1, 40), st.booleans(), st.integers(0, 99))
def test_few_labels_and_many_cost_the_same_as_all_logits_together(counted, has_classes, seed):
    """40 positions, of which one to all count: loss and gradients are those of the cross-entropy over all logits."""
    torch.manual_seed(seed)
    model = Transformer(
        TransformerConfig(kind="encoder", vocabulary=150, context=10, width=128, layers=1, n_heads=2, classes=3)
    )
    ids = torch.randint(0, 150, (4, 10))
    labels = torch.full((40,), IGNORED)
    chosen = torch.from_numpy(np.random.default_rng(seed).permutation(40)[:counted])
    labels[chosen] = torch.randint(0, 150, (counted,))
    batch = Batch(ids=ids, labels=labels.view(4, 10), classes=torch.tensor([0, 1, 2, 0]) if has_classes else None)
    parts = losses_of(model, batch)
    expected = functional.cross_entropy(model(ids).flatten(0, 1), labels, ignore_index=IGNORED)
    assert parts[0].item() == pytest.approx(expected.item(), rel=1e-5)
    assert len(parts) == 1 + has_classes
    found, right = (torch.autograd.grad(loss, model.parameters(), allow_unused=True) for loss in (parts[0], expected))
    for one, other in zip(found, right, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, atol=1e-6)


def test_the_head_reads_only_what_counts_where_that_is_little():
    model = Transformer(TransformerConfig(kind="encoder", vocabulary=30, context=10, width=16, layers=1, n_heads=2))
    seen = []
    model.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[0]))
    labels = torch.full((2, 10), IGNORED)
    labels[0, :3] = 4
    losses_of(model, Batch(ids=torch.zeros(2, 10, dtype=torch.long), labels=labels))
    losses_of(model, Batch(ids=torch.zeros(2, 10, dtype=torch.long), labels=labels.clamp(min=0)))
    assert seen == [3, 20]


def test_the_loss_is_the_words_and_the_weighted_classes():
    torch.manual_seed(0)
    model = Transformer(
        TransformerConfig(kind="encoder", vocabulary=30, context=10, width=16, layers=1, n_heads=2, classes=2)
    )
    ids = torch.randint(0, 30, (2, 10))
    both = Batch(ids=ids, labels=ids, classes=torch.tensor([0, 1]), class_weight=4.0)
    words, classes = losses_of(model, both)
    assert loss_of(model, both).item() == pytest.approx((words + 4 * classes).item())
    assert loss_of(model, Batch(ids=ids, labels=ids, class_weight=4.0)).item() == pytest.approx(words.item())
