"""Every box of a drawing leads to the step of the whole token that shows its numbers."""

import pytest

from playground.architecture import architecture_of
from tests.helpers.families import small_model
from ui.sections.inside.box_steps import box_steps
from ui.state.parameters import STEP

STEPS = {
    "gpt2": ["embedding", "embedding", "norm", "projection", "feed_forward_norm", "up", "final_norm", "output_head"],
    "bert": [
        *("embedding", "embedding", "embedding", "embedding"),
        *("projection", "residual", "up", "feed_forward_residual"),
        *("output_head", "output_head", "output_head"),
    ],
    "gemma2": [
        "embedding",
        *("norm", "projection", "residual", "feed_forward_norm", "up", "feed_forward_residual"),
        *("final_norm", "output_head"),
    ],
    "gpt_neox": ["embedding", "norm", "projection", "feed_forward_norm", "up", "final_norm", "output_head"],
    "gpt_oss": ["embedding", "norm", "projection", "feed_forward_norm", "router", "final_norm", "output_head"],
    "t5": [
        *("embedding", *("norm", "projection", "feed_forward_norm", "up") * 2, "final_norm"),
        *("embedding", *("norm", "projection", "norm", "projection", "feed_forward_norm", "up") * 2),
        *("final_norm", "output_head"),
    ],
}


@pytest.mark.parametrize("family", STEPS)
def test_a_box_leads_to_its_step(family):
    architecture = architecture_of(small_model(family))
    assert box_steps(architecture) == STEPS[family]
    assert set(box_steps(architecture)) <= set(STEP.values)
