"""Models of public bug reports, small and random, against transformers' eager attention."""

from typing import Any

import pytest
import torch
import transformers

from playground import attention
from playground.lens import trace
from tests.helpers.families import as_loaded, eager_twin

SIZES: dict[str, Any] = {
    **{"vocab_size": 99, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64, "pad_token_id": 0},
}
TEXT = "the cat sat on the mat, the cat sat"
REPORTED = {
    # Windows that are stated and switched off are still used (transformers 38002).
    "a window that is switched off": ("Qwen2", {"use_sliding_window": False, "sliding_window": 4}, 1.0),
    # Whether the window counts the query itself (transformers 29623).
    "a window of two": ("Mistral", {"sliding_window": 2}, 1.0),
    # Scores below the number that hides later keys, so that these are seen (TransformerLens 385).
    "scores far below zero": ("GPTNeoX", {"num_key_value_heads": None}, 60.0),
    # Soft caps of scores and logits (TransformerLens 693).
    "soft caps": ("Gemma2", {"head_dim": 8, "attn_logit_softcapping": 1.5, "final_logit_softcapping": 2.0}, 1.0),
    "heads wider than the stream's share": ("Qwen3", {"head_dim": 24}, 1.0),
    "one key head for all": ("Llama", {"num_key_value_heads": 1}, 1.0),
    "positions of a part of each head": ("Phi", {"partial_rotary_factor": 0.5, "num_key_value_heads": None}, 1.0),
    "chunks of four": ("Llama4Text", {"attention_chunk_size": 4, "head_dim": 8, "num_local_experts": 2}, 1.0),
}


@pytest.mark.parametrize("name", REPORTED)
def test_maps_logits_and_thumbnails_are_the_models(name):
    family, settings, factor = REPORTED[name]
    attention.register_with_transformers()
    config_class = getattr(transformers, f"{family}Config")
    config = config_class(**{key: value for key, value in (SIZES | settings).items() if value is not None})
    torch.manual_seed(0)
    module = transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention.IMPLEMENTATION)
    for parameter_name, parameter in module.named_parameters():
        if parameter.ndim > 1:
            is_query = "query" in parameter_name or "q_proj" in parameter_name
            torch.nn.init.normal_(parameter, std=0.3 * (factor if is_query else 1.0))
    model = as_loaded(module.eval().requires_grad_(False), "decoder", family)
    traced = trace(model, TEXT)
    with torch.inference_mode():
        expected = eager_twin(model)(torch.tensor([traced.ids]), output_attentions=True, use_cache=False)
    torch.testing.assert_close(traced.last_logits, expected.logits[0, -1], atol=1e-4, rtol=1e-3)
    for site, maps in zip(traced.sites, expected.attentions, strict=True):
        torch.testing.assert_close(site.pattern(slice(None), slice(None)), maps[0], atol=1e-4, rtol=1e-3)
    assert traced.check(sums=True).passed
