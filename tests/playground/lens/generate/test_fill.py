"""Masked words, held against a pass with the mask written by hand."""

import numpy as np
import pytest
import torch
from tokenizers import AddedToken

from playground.errors import UserError
from playground.lens.generate.fill import each_masked, fill, mask_id
from tests.helpers.families import ENCODERS, small_model
from tests.playground.lens.generate.test_generation import own_model


def masked_model(family):
    """A small model whose vocabulary has a mask, in the place of a digit."""
    model = small_model(family)
    model.tokenizer.add_special_tokens([AddedToken("[MASK]", special=True)])
    return model


@pytest.mark.parametrize("family", ENCODERS)
def test_as_the_model_says_at_the_mask(family):
    model = masked_model(family)
    blanks = fill(model, "the <mask>at s[MASK]t")
    ids = torch.tensor([model.tokenizer.encode("the [MASK]at s[MASK]t").ids])
    expected = model.module(input_ids=ids).logits[0].double().softmax(-1).numpy()
    assert [blank.position for blank in blanks] == [4, 9]
    for blank in blanks:
        np.testing.assert_allclose(blank.distribution.model, expected[blank.position], atol=1e-6)
        assert [other.token.id for other in blank.alternatives] == np.argsort(-expected[blank.position])[:10].tolist()
        assert blank.token.text == "[MASK]"


def test_a_chosen_token_is_masked_like_a_written_one():
    model = masked_model("bert")
    (chosen,) = fill(model, "the cat", positions=[4])
    (written,) = fill(model, "the [MASK]at")
    np.testing.assert_allclose(chosen.distribution.model, written.distribution.model)
    assert (chosen.token.text, written.token.text) == ("c", "[MASK]")


def test_our_own_encoder():
    model = own_model("encoder")
    (blank,) = fill(model, "a[MASK]c", k=3)
    ids = torch.tensor([[0, 5, 3, 7, 1]])
    expected = model.module(ids)[0, 2].softmax(-1)
    assert [other.token.id for other in blank.alternatives] == expected.topk(3).indices.tolist()
    assert blank.position == 2


def test_each_token_masked_alone():
    model = masked_model("bert")
    text = "a cat sat on the mat!"
    tokens, found = each_masked(model, text)
    ids = torch.tensor([[token.id for token in tokens]])
    count = 0
    for place, logits in found:
        masked = ids.clone()
        masked[0, place] = mask_id(model)
        torch.testing.assert_close(logits, model.module(input_ids=masked).logits[0, place], atol=1e-5, rtol=1e-4)
        count += 1
    assert count == len(text)


def test_refusals():
    model = masked_model("bert")
    with pytest.raises(UserError, match="Nothing is masked"):
        fill(model, "the cat")
    with pytest.raises(UserError, match="no such token"):
        fill(model, "the", positions=[3])
    with pytest.raises(UserError, match="no tokens"):
        fill(model, "")
    with pytest.raises(UserError, match="fills in no masked words"):
        fill(small_model("gpt2"), "a[MASK]")
    with pytest.raises(UserError, match="has no mask"):
        fill(small_model("bert"), "a[MASK]")
    object.__setattr__(model, "has_output_head", False)
    with pytest.raises(UserError, match="no output head"):
        fill(model, "a[MASK]")
