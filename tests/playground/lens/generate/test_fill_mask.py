"""Masked words, held against a pass with the mask written by hand."""

import numpy as np
import pytest
import torch
from tokenizers import AddedToken

from playground.errors import UserError
from playground.lens.generate.fill_mask import each_masked, fill_masks, mask_id
from tests.helpers.families import ENCODERS, small_model
from tests.helpers.own_models import own_model


def masked_model(family):
    """A small model whose vocabulary has a mask, in the position of a digit."""
    model = small_model(family)
    model.tokenizer.add_special_tokens([AddedToken("[MASK]", special=True)])
    return model


@pytest.mark.parametrize("family", ENCODERS)
def test_as_the_model_says_at_the_mask(family):
    model = masked_model(family)
    masked_positions = fill_masks(model, "the <mask>at s[MASK]t")
    ids = torch.tensor([model.tokenizer.encode("the [MASK]at s[MASK]t").ids])
    expected = model.module(input_ids=ids).logits[0].double().softmax(-1).numpy()
    assert [masked.position for masked in masked_positions] == [4, 9]
    for masked in masked_positions:
        np.testing.assert_allclose(masked.distribution.model, expected[masked.position], atol=1e-6)
        assert [other.token.id for other in masked.alternatives] == np.argsort(-expected[masked.position])[:10].tolist()
        assert masked.token.text == "[MASK]"


def test_a_chosen_token_is_masked_like_a_written_one():
    model = masked_model("bert")
    (chosen,) = fill_masks(model, "the cat", positions=[4])
    (written,) = fill_masks(model, "the [MASK]at")
    np.testing.assert_allclose(chosen.distribution.model, written.distribution.model)
    assert (chosen.token.text, written.token.text) == ("c", "[MASK]")


def test_our_own_encoder():
    model = own_model("encoder")
    (masked,) = fill_masks(model, "a[MASK]c", k=3)
    ids = torch.tensor([[0, 5, 3, 7, 1]])
    expected = model.module(ids)[0, 2].softmax(-1)
    assert [other.token.id for other in masked.alternatives] == expected.topk(3).indices.tolist()
    assert masked.position == 2


def test_each_token_masked_alone():
    model = masked_model("bert")
    text = "a cat sat on the mat!"
    tokens, found = each_masked(model, text)
    ids = torch.tensor([[token.id for token in tokens]])
    count = 0
    for position, logits in found:
        masked = ids.clone()
        masked[0, position] = mask_id(model)
        torch.testing.assert_close(logits, model.module(input_ids=masked).logits[0, position], atol=1e-5, rtol=1e-4)
        count += 1
    assert count == len(text)


def test_refusals():
    model = masked_model("bert")
    with pytest.raises(UserError, match="Nothing is masked"):
        fill_masks(model, "the cat")
    with pytest.raises(UserError, match="no such token"):
        fill_masks(model, "the", positions=[3])
    with pytest.raises(UserError, match="no tokens"):
        fill_masks(model, "")
    with pytest.raises(UserError, match="not masked ones"):
        fill_masks(small_model("gpt2"), "a[MASK]")
    with pytest.raises(UserError, match="has no mask"):
        fill_masks(small_model("bert"), "a[MASK]")
    object.__setattr__(model, "has_output_head", False)
    with pytest.raises(UserError, match="no output head"):
        fill_masks(model, "a[MASK]")
