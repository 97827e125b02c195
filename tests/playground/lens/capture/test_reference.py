"""Head outputs are held against something that the lens does not compute itself."""

import dataclasses

import pytest
import torch

from playground import attention
from playground.lens import trace
from playground.lens.capture.reference import reference_z
from tests.helpers.families import small_model

TEXT = "the cat sat on the mat"


def uncapped(call):
    """Scores without their soft cap."""
    return (
        call.query.float()
        @ call.key.float().repeat_interleave(call.queries_per_key_value_head, dim=1).transpose(-1, -2)
        * call.scaling
    )


def sinkless(call):
    """Weights in whose softmax no sink takes part."""
    return attention.masked_scores(call).softmax(-1)


@pytest.mark.parametrize(
    ("family", "name", "wrong"), [("gemma2", "scores", uncapped), ("gpt_oss", "pattern", sinkless)]
)
def test_weights_without_cap_or_sink_are_found_out(monkeypatch, family, name, wrong):
    assert trace(small_model(family), TEXT).check().passed
    monkeypatch.setattr(attention, name, wrong)
    check = trace(small_model(family), TEXT).check()
    assert not check.passed
    assert check.failed[0].name == "heads"


@pytest.mark.parametrize("family", ["gemma2", "gpt_oss"])
def test_both_references_agree(family):
    calls = []

    def keep(call):
        calls.append(call)
        return attention.z(call)

    model = small_model(family)
    with torch.inference_mode(), attention.handling(keep):
        model.module(torch.arange(4, 14)[None])
    for call in calls:
        # A module of another file has no eager function beside it: then the sums are made by logarithms.
        alone = dataclasses.replace(call, module=torch.nn.Identity())
        first, second = (reference_z(one, attention.z(one), 2) for one in (call, alone))
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(first, attention.z(call)[0, :, ::2], atol=1e-5, rtol=1e-4)
