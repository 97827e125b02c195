"""The tokens that a new model reads first, to find out how its attention is seen."""

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from playground.models.loading import PROBE_TEXT
from playground.models.rehearsal import is_panic

FEWEST, MOST = 8, 256
"""Tokens: two passes of 256 take a model of a billion parameters some seconds."""
REACHES = ("sliding_window", "attention_chunk_size", "attention_window", "local_attention", "window_size", "block_size")
"""Settings that say how far a layer's attention reaches: what it leaves out, a shorter text does not show."""


def probe_ids(tokenizer: Any, module: nn.Module) -> Int[Tensor, "1 token"]:
    """Tokens of the model's vocabulary: a few words, and more where that shows what a layer leaves out."""
    vocabulary = module.get_input_embeddings().weight.shape[0]  # type: ignore[operator]
    ids = [index for index in _words(tokenizer) if index < vocabulary]
    ids = ids if len(ids) > 2 else list(range(min(vocabulary, FEWEST)))
    return torch.tensor([(ids * MOST)[: max(len(ids), _length(module.config))]])


def _words(tokenizer: Any) -> list[int]:
    """The probe's tokens; none where the tokenizer cannot read it: a vocabulary need not hold these words."""
    try:
        ids: list[int] = tokenizer(PROBE_TEXT)["input_ids"]
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        return []
    return ids


def _length(config: Any) -> int:
    """Tokens that reach behind every layer's window of at most MOST, if the model reads so many; 0 without one."""
    text = config.get_text_config(decoder=True)
    found = [value for name in REACHES for value in _stated_numbers(text, name) if 0 < value < MOST]
    most = getattr(text, "max_position_embeddings", None) or MOST
    return min(2 * max(found, default=0), MOST, most)


def _stated_numbers(config: Any, name: str) -> list[int]:
    """The whole numbers of one setting: one, one for each layer, or those of the layers' own configurations."""
    # Asked of the whole, a setting in which the layers differ (NeoMME's, Gemma 4's) raises an error.
    apart = name in (getattr(config, "per_layer_attributes", None) or ())
    stated = [getattr(layer, name, None) for layer in (config.per_layer_config if apart else [config])]
    values = [value for one in stated for value in (one if isinstance(one, list | tuple) else [one])]
    return [value for value in values if type(value) is int]
