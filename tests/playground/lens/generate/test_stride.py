"""The stride of a sliding window: as scored window by window by hand, and monotone in what a token may see."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens.generate.stride import stride_scores
from playground.models import load

TEXT = "The keeper lit the lamp every evening, and every evening the boats turned home to the harbour."


@pytest.fixture(scope="module")
def model():
    return load("books-decoder")


def test_each_stride_is_that_of_windows_by_hand(model):
    scores = stride_scores(model, TEXT, window=8, strides=[2, 7])
    ids = model.tokenizer.encode(TEXT).ids
    for score in scores:
        surprisals, first, start = [], 1, 0
        while first < len(ids):
            end = min(start + 8, len(ids))
            with torch.no_grad():
                logs = model.module(torch.tensor([ids[start:end]]))[0].log_softmax(-1)
            surprisals += [-float(logs[position - start - 1, ids[position]]) for position in range(first, end)]
            first, start = end, start + score.stride
        assert score.perplexity == pytest.approx(np.exp(np.mean(surprisals)), rel=1e-5)
        assert score.least_context == 8 - score.stride
    assert scores[0].passes > scores[1].passes
    assert scores[0].perplexity < scores[1].perplexity


def test_progress_counts_every_pass_and_a_cancel_ends_the_work(model):
    seen = []
    scores = stride_scores(
        model, TEXT, window=8, strides=[4, 7], on_progress=lambda done, total: seen.append((done, total))
    )
    total = sum(score.passes for score in scores)
    assert seen == [(done, total) for done in range(1, total + 1)]

    def cancel(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stride_scores(model, TEXT, window=8, strides=[4], on_progress=cancel)


def test_only_a_decoder_has_a_window():
    with pytest.raises(UserError, match="is none"):
        stride_scores(load("books-encoder"), TEXT, window=8, strides=[4])
