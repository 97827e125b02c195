"""Integrated gradients: they add up, a linear model's are known, and the model is left alone."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens.attribute.integrated_gradients import integrated_gradients
from playground.lens.capture.activations import encode_text
from playground.models.loading import load
from tests.helpers.hooks import assert_unhooked
from tests.helpers.own_models import random_model
from tests.helpers.own_models import save_model as save_own
from tests.helpers.pretrained_folders import TEXT


@pytest.mark.parametrize("baseline", ["filler", "mean", "zero"])
@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_shares_add_up_to_what_is_explained(tmp_path, kind, baseline):
    model = load(str(save_own(random_model(kind=kind, norm="layer", positions="learned"), tmp_path)))
    encoded = encode_text(model, "a cat sat", "un chat" if kind == "encoder-decoder" else None)
    attribution = integrated_gradients(model, encoded, position=-1, token=7, steps=256, baseline=baseline)
    assert len(attribution.attributions) == len(encoded.source or encoded.tokens)
    assert attribution.attributions.sum() == pytest.approx(
        attribution.change, abs=0.02 * max(1, abs(attribution.change))
    )
    assert attribution.is_converged
    with torch.inference_mode():
        logits = model.module(**encoded.arguments)[0, -1]
    assert attribution.logit == pytest.approx(float(logits[7]), abs=1e-4)
    assert_unhooked(model)


def test_a_later_token_has_no_share_in_an_earlier_prediction(tmp_path):
    model = load(str(save_own(random_model(), tmp_path)))
    attribution = integrated_gradients(model, encode_text(model, "a cat sat"), position=3, token=7, baseline="mean")
    assert abs(attribution.attributions[:4]).min() > 0
    assert not attribution.attributions[4:].any()


def test_a_linear_model_by_hand(tmp_path):
    """Blocks that write nothing and a norm of one: the token's own embedding explains all, and it alone."""
    module = random_model(positions="none", norm_position="post", norm="layer")
    for block in module.blocks:
        block.attention_norm = block.feed_forward_norm = torch.nn.Identity()
        block.attention.output.weight.zero_()
        block.feed_forward.output.weight.zero_()
    model = load(str(save_own(random_model(), tmp_path)))
    object.__setattr__(model, "module", module.eval())
    encoded = encode_text(model, "a cat")
    attribution = integrated_gradients(model, encoded, position=-1, token=7, steps=8, baseline="zero")
    expected = np.zeros(len(encoded.tokens))
    expected[-1] = float(module.embedding.weight[encoded.ids[-1]] @ module.head.weight[7])
    np.testing.assert_allclose(attribution.attributions, expected, atol=1e-4)


def test_a_family_of_transformers_and_progress(save_model):
    model = load(str(save_model("llama")))
    reports: list[tuple[int, int]] = []
    attribution = integrated_gradients(
        model,
        encode_text(model, TEXT),
        position=-1,
        token=5,
        steps=32,
        on_progress=lambda *report: reports.append(report),
    )
    assert attribution.attributions.shape == (13,)
    assert reports == sorted(reports)
    assert reports[-1] == (attribution.steps, 32)


def test_what_cannot_be_explained_is_refused(tmp_path):
    model = load(str(save_own(random_model(), tmp_path)))
    with pytest.raises(UserError, match="position"):
        integrated_gradients(model, encode_text(model, "a"), position=9, token=0)
    with pytest.raises(UserError, match="8 steps"):
        integrated_gradients(model, encode_text(model, "a"), position=0, token=0, steps=1)
