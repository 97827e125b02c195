"""What the heads of a trained model do: the known scores, and how well cross-attention meets a gold alignment."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from playground.attention import handling
from playground.lens.capture.recorder import recorder_for
from playground.lens.capture.site import Site
from playground.lens.inspect.head_scores import HeadFacts, head_facts
from playground.tasks.task import Batch, Probe, Task
from playground.transformer import Transformer

FACT_ROWS = 16
FACT_TOKENS = 64


def captured(model: Transformer, batch: Batch) -> list[Site]:
    """Every attention call of one forward pass."""
    recorder = recorder_for(model, None if model.config.kind == "encoder-decoder" else model.config.kind, None)
    with torch.inference_mode(), handling(recorder):
        model.read(batch.ids, batch.target_ids, segments=batch.segments, mask=batch.mask)
    return recorder.sites


def repeat_facts(model: Transformer, task: Task) -> HeadFacts:
    """A decoder's head scores on rows in which a passage of random tokens stands twice (Olsson et al. 2022)."""
    generator = torch.Generator().manual_seed(0)
    length = max(1, min(FACT_TOKENS, (model.config.context - 1) // 2))
    tokens = task.tokenizer.get_vocab_size()
    passes = []
    for _ in range(FACT_ROWS):
        passage = torch.randint(1, tokens, (length,), generator=generator)
        ids = torch.cat([torch.tensor([0]), passage, passage])
        passes.append(head_facts(captured(model, Batch(ids=ids[None])), ids.tolist()))
    return _mean(passes)


def _mean(passes: Iterable[HeadFacts]) -> HeadFacts:
    tables = list(passes)
    return HeadFacts(scores={name: np.mean([facts[name] for facts in tables], axis=0) for name in tables[0].scores})


def alignment_shares(model: Transformer, probe: Probe) -> list[list[float]]:
    """For every layer and head of cross-attention, in how many gold pairs its largest weight is on the gold position.

    The same as one less the alignment error rate of the head's largest weights (Och and Ney 2003), where every
    target position has one gold pair.
    """
    pairs = torch.tensor(probe.alignment)
    cross = [site for site in captured(model, probe.batch) if site.kind == "cross"]
    return [_hits(site.pattern(slice(None), slice(None)), pairs) for site in cross]


def _hits(weights: Tensor, pairs: Tensor) -> list[float]:
    largest = weights[:, pairs[:, 0]].argmax(-1)
    shares: list[float] = (largest == pairs[:, 1]).float().mean(-1).tolist()
    return shares
