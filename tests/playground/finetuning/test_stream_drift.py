"""States before and after: where the change begins, and distances by hand."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.finetuning.stream_drift import StreamDrift, stream_drift
from playground.lens.capture.activations import capture, encode_text
from tests.helpers.model_pairs import pair_of


def test_distance_and_cosine_by_hand():
    before, after = np.array([[[3.0, 4.0]]]), np.array([[[4.0, 3.0]]])
    drift = StreamDrift(kind="decoder", tokens=(), before=before, after=after)
    assert drift.distance[0, 0] == pytest.approx(2**0.5 / 5)
    assert drift.cosine[0, 0] == pytest.approx(24 / 25)


@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_the_states_part_where_the_weights_do(kind):
    pair = pair_of(kind)
    drift = stream_drift(pair, "The cat sat.")
    assert drift.before.shape == (3, len(drift.tokens), 24)
    assert not drift.distance[:2].any()
    assert drift.distance[2].max() > 0
    captured = capture(pair.after, encode_text(pair.after, "The cat sat."))
    assert drift.after[2] == pytest.approx(captured.final.double().numpy())


def test_the_last_state_is_what_the_model_reads_its_logits_from():
    pair = pair_of()
    drift = stream_drift(pair, "It rains.")
    module = pair.after.module
    ids = torch.tensor([[token.id for token in drift.tokens]])
    with torch.inference_mode():
        logits = module.head(module.norm(torch.from_numpy(drift.after[-1]).float()[None]))
        assert torch.allclose(logits, module(ids), atol=1e-4)


def test_both_stacks_of_a_translator():
    pair = pair_of("encoder-decoder")
    encoder, decoder = (stream_drift(pair, "A cat.", kind=kind) for kind in ("encoder", "decoder"))
    assert not encoder.distance.any()
    assert len(encoder.tokens) == 8
    assert decoder.distance[2].any()


def test_a_stack_that_is_not_there():
    with pytest.raises(UserError, match="no encoder"):
        stream_drift(pair_of(), "a", kind="encoder")
