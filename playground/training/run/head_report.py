"""Head scores of a trained model, and the agreement of its cross-attention with a gold alignment."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from playground.attention import handling
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import Site
from playground.lens.inspect.head_scores import HeadScores, score_heads
from playground.tasks.task import Batch, Probe, Task
from playground.transformer import Transformer

N_ROWS = 16
MAX_PASSAGE = 64
"""Tokens of the passage that occurs twice in a row."""


def attention_sites(model: Transformer, batch: Batch) -> list[Site]:
    """The attention calls of one forward pass."""
    recorder = recorder_for(model, None if model.config.kind == "encoder-decoder" else model.config.kind, None)
    with torch.inference_mode(), handling(recorder):
        model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    return recorder.sites


def repeat_scores(model: Transformer, task: Task) -> HeadScores:
    """A decoder's head scores on rows in which a passage of random tokens occurs twice (Olsson et al. 2022)."""
    generator = torch.Generator().manual_seed(0)
    length = max(1, min(MAX_PASSAGE, (model.config.context - 1) // 2))
    tokens = task.tokenizer.get_vocab_size()
    passes = []
    for _ in range(N_ROWS):
        passage = torch.randint(1, tokens, (length,), generator=generator)
        ids = torch.cat([torch.tensor([0]), passage, passage])
        passes.append(score_heads(attention_sites(model, Batch(ids=ids[None])), ids.tolist()))
    return _mean_scores(passes)


def _mean_scores(passes: Iterable[HeadScores]) -> HeadScores:
    tables = list(passes)
    return HeadScores(scores={name: np.mean([facts[name] for facts in tables], axis=0) for name in tables[0].scores})


def alignment_shares(model: Transformer, probe: Probe) -> list[list[float]]:
    """The share of gold pairs on which a cross-attention head puts its largest weight, [layer][head].

    If every target position has one gold pair, this is 1 - the alignment error rate (Och and Ney 2003).
    """
    pairs = torch.tensor(probe.alignment)
    cross = [site for site in attention_sites(model, probe.batch) if site.kind == "cross"]
    return [_gold_shares(site.pattern(slice(None), slice(None)), pairs) for site in cross]


def _gold_shares(weights: Tensor, pairs: Tensor) -> list[float]:
    largest = weights[:, pairs[:, 0]].argmax(-1)
    shares: list[float] = (largest == pairs[:, 1]).float().mean(-1).tolist()
    return shares
