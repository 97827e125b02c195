"""Against TransformerLens on small random models: patterns, z, logit lens, attribution, ablation, patching."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from playground.lens import trace
from playground.lens.attribute.attribution import attribute_logit, head_outputs, value_weighted_attention
from playground.lens.capture.activations import Activations, Component, capture, encode_text
from playground.lens.intervene.ablation import TargetToken, ablate, ablate_heads, prepare
from playground.lens.intervene.interventions import read_out
from playground.lens.intervene.patching import patch_head_positions, patch_heads, patch_positions, prepare_pair
from playground.models.loading import LoadedModel, load
from playground.training.run.hub_format import export_for_transformers
from tests.helpers.own_models import letters_tokenizer, random_model, save_model
from tests.helpers.pretrained_folders import build, save_tokenizer

CLOSE = 1e-4
WORDS = ("the cat sat on the mat and the dog", "the dog sat on the mat and the cat")


@dataclass(frozen=True, kw_only=True)
class Both:
    """The same model twice, and what both of them read."""

    ours: LoadedModel
    theirs: Any
    texts: tuple[str, str]
    clean: Activations
    ids: torch.Tensor
    cache: Any
    logits: torch.Tensor


@pytest.fixture(scope="module", params=["gpt2", "llama", "own", "own with biases"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    ours, exported, texts = _folders(request.param, tmp_path_factory.mktemp("models"))
    from transformer_lens.model_bridge import TransformerBridge

    model = load(str(ours))
    theirs = TransformerBridge.boot_transformers(str(exported), device="cpu").eval()
    clean = capture(model, encode_text(model, texts[0]), patterns=True)
    ids = torch.tensor([clean.encoded.ids])
    with torch.no_grad():
        logits, cache = theirs.run_with_cache(ids)
    return Both(ours=model, theirs=theirs, texts=texts, clean=clean, ids=ids, cache=cache, logits=logits[0])


def _folders(name: str, root: Path) -> tuple[Path, Path, tuple[str, str]]:
    """The folder that we read, the one that TransformerLens reads, and two texts of one length."""
    if name.startswith("own"):
        biased = {"norm": "layer", "positions": "learned", "feed_forward": "gelu", "bias": True}
        module = random_model(**(biased if "biases" in name else {"key_value_heads": 2}))
        export_for_transformers(module, letters_tokenizer("decoder"), root / "theirs")
        return save_model(module, root / "ours"), root / "theirs", ("The cat sat", "The dog ran")
    module = build(name)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, mean=0.0 if parameter.ndim > 1 else 0.5, std=0.3)
    module.save_pretrained(root / name)
    save_tokenizer(root / name)
    return root / name, root / name, WORDS


def close(found: Any, expected: Any) -> None:
    found, expected = (one.detach().numpy() if isinstance(one, torch.Tensor) else one for one in (found, expected))
    np.testing.assert_allclose(found, expected, atol=CLOSE, rtol=CLOSE)


def test_logits_patterns_z_and_stream(both: Both):
    clean, cache = both.clean, both.cache
    close(clean.logits, both.logits)
    for layer in range(2):
        close(clean.patterns["decoder", layer], cache[f"blocks.{layer}.attn.hook_pattern"][0])
        close(clean.z["decoder", layer], cache[f"blocks.{layer}.attn.hook_z"][0].transpose(0, 1))
        close(clean.attention["decoder", layer], cache[f"blocks.{layer}.hook_attn_out"][0])
        close(clean.feed_forward["decoder", layer], cache[f"blocks.{layer}.hook_mlp_out"][0])
        close(clean.residual["decoder", layer], cache[f"blocks.{layer}.hook_resid_pre"][0])
        close(clean.middle("decoder", layer), cache[f"blocks.{layer}.hook_resid_mid"][0])
        close(clean.after["decoder", layer], cache[f"blocks.{layer}.hook_resid_post"][0])


def test_logit_lens(both: Both):
    for layer in range(2):
        residual = both.clean.residual["decoder", layer]
        with torch.no_grad():
            expected = both.theirs.unembed(both.theirs.ln_final(both.cache[f"blocks.{layer}.hook_resid_pre"]))[0]
        close(read_out(both.ours, both.clean.parts, residual[None])[0], expected)

    traced = trace(both.ours, both.texts[0])
    lens = traced.logit_lens(k=1)
    for layer in range(2):
        residual = both.cache[f"blocks.{layer}.hook_resid_pre"]
        with torch.no_grad():
            chances = both.theirs.unembed(both.theirs.ln_final(residual))[0].softmax(-1)
        close(lens.top_probability[layer, :, 0], chances.amax(-1))
        close(lens.probability[layer], chances.gather(1, torch.tensor(lens.answers)[:, None])[:, 0])


def _direction(both: Both, position: int, token: int) -> torch.Tensor:
    """What the stream is multiplied by, from TransformerLens's own final norm scale and unembedding."""
    norm = both.theirs.ln_final
    direction = both.theirs.W_U[:, token] * norm.weight / both.cache["ln_final.hook_scale"][0, position]
    centred = getattr(norm, "bias", None) is not None
    return (direction - direction.mean() if centred else direction).detach()


@pytest.mark.parametrize(("position", "token"), [(-1, 5), (2, 9)])
def test_direct_logit_attribution(both: Both, position: int, token: int):
    attribution = attribute_logit(both.ours, both.clean, position=position, token=token)
    direction = _direction(both, position, token)
    results = torch.stack(
        [
            torch.einsum("hd,hdw->hw", both.cache[f"blocks.{layer}.attn.hook_z"][0, position], both.theirs.W_O[layer])
            for layer in range(2)
        ]
    )
    close(attribution.heads, results @ direction)
    written = torch.stack([both.cache[f"blocks.{layer}.hook_mlp_out"][0, position] for layer in range(2)])
    close(attribution.feed_forward, written @ direction)
    close(attribution.embedding, float(both.cache["blocks.0.hook_resid_pre"][0, position] @ direction))
    close(attribution.total, float(both.logits[position, token]))
    close(attribution.sum, attribution.total)


def test_the_difference_of_two_logits(both: Both):
    attribution = attribute_logit(both.ours, both.clean, position=-1, token=5, against=7)
    close(attribution.total, float(both.logits[-1, 5] - both.logits[-1, 7]))
    close(attribution.sum, attribution.total)


def test_value_weighted_attention(both: Both):
    for layer in range(2):
        values = both.cache[f"blocks.{layer}.attn.v.hook_out"][0]
        values = values.view(len(both.ids[0]), -1, both.theirs.cfg.d_head)
        values = values.repeat_interleave(4 // values.shape[1], dim=1)
        norms = torch.einsum("khd,hdw->hkw", values, both.theirs.W_O[layer]).norm(dim=-1)
        expected = both.cache[f"blocks.{layer}.attn.hook_pattern"][0] * norms[:, None]
        close(value_weighted_attention(both.clean, "decoder", layer), expected)


def test_heads_write_what_the_attention_layer_writes(both: Both):
    writes, bias = head_outputs(both.clean.parts.attention("decoder", 1), both.clean.z["decoder", 1])
    close(writes.sum(0) + bias, both.clean.attention["decoder", 1])


def _with_hook(both: Both, name: str, hook: Any, ids: torch.Tensor | None = None) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = both.theirs.run_with_hooks(both.ids if ids is None else ids, fwd_hooks=[(name, hook)])
    return logits[0]


def _expected_effect(both: Both, changed: torch.Tensor) -> tuple[float, float, float]:
    clean = both.logits.double().log_softmax(-1)
    changed_logs = changed.double().log_softmax(-1)
    rows = torch.arange(len(both.ids[0]) - 1)
    loss = (clean - changed_logs)[rows, both.ids[0, 1:]].mean()
    divergence = (clean.exp() * (clean - changed_logs)).sum(-1).mean()
    return float(loss), float(divergence), float(changed[3, 5] - both.logits[3, 5])


@pytest.mark.parametrize("method", ["zero", "mean", "resampled"])
def test_every_single_head_ablated(both: Both, method: str):
    reference = both.texts[1] if method == "resampled" else None
    experiment = prepare(
        both.ours, both.texts[0], method=method, reference=reference, target_token=TargetToken(position=3, token=5)
    )
    effects = ablate_heads(experiment)
    with torch.no_grad():
        _, other = both.theirs.run_with_cache(torch.tensor([experiment.reference.encoded.ids]))
    for layer in range(2):
        for head in range(4):

            def hook(z: torch.Tensor, hook: Any, head: int = head, layer: int = layer) -> torch.Tensor:
                z = z.clone()
                made = other[f"blocks.{layer}.attn.hook_z"][0, :, head]
                z[:, :, head] = {"zero": 0 * made, "mean": made.mean(0), "resampled": made}[method]
                return z

            loss, divergence, logit = _expected_effect(both, _with_hook(both, f"blocks.{layer}.attn.hook_z", hook))
            close(effects.loss[layer, head], loss)
            close(effects.divergence[layer, head], divergence)
            close(effects.logit[layer, head], logit)


def test_feed_forward_layers_ablated(both: Both):
    experiment = prepare(both.ours, both.texts[0], target_token=TargetToken(position=3, token=5))
    for layer in range(2):
        effect = ablate(experiment, [Component(part="feed_forward", layer=layer)])
        changed = _with_hook(both, f"blocks.{layer}.hook_mlp_out", lambda out, hook: torch.zeros_like(out))
        close((effect.loss, effect.divergence, effect.logit), _expected_effect(both, changed))


NAMES = {"residual": "hook_resid_pre", "attention": "hook_attn_out", "feed_forward": "hook_mlp_out"}


@pytest.mark.parametrize("part", sorted(NAMES))
def test_patching_by_layer_and_position(both: Both, part: str):
    pair = prepare_pair(both.ours, *both.texts, answer=5, counterfactual=7)
    recovered = patch_positions(pair, part)
    corrupted = torch.tensor([pair.corrupted.encoded.ids])
    for layer in range(2):
        name = f"blocks.{layer}.{NAMES[part]}"
        for position in range(corrupted.shape[1]):

            def hook(out: torch.Tensor, hook: Any, name: str = name, position: int = position) -> torch.Tensor:
                out = out.clone()
                out[:, position] = both.cache[name][:, position]
                return out

            changed = _with_hook(both, name, hook, corrupted)
            close(recovered[layer, position], pair.recovered(float(changed[-1, 5] - changed[-1, 7])))


def test_patching_heads(both: Both):
    pair = prepare_pair(both.ours, *both.texts, answer=5, counterfactual=7)
    recovered = patch_heads(pair)
    corrupted = torch.tensor([pair.corrupted.encoded.ids])
    for component in pair.clean.heads():
        name = f"blocks.{component.layer}.attn.hook_z"

        def hook(z: torch.Tensor, hook: Any, name: str = name, head: int | None = component.head) -> torch.Tensor:
            z = z.clone()
            z[:, :, head] = both.cache[name][:, :, head]
            return z

        changed = _with_hook(both, name, hook, corrupted)
        close(recovered[component.layer, component.head], pair.recovered(float(changed[-1, 5] - changed[-1, 7])))


def test_patching_heads_at_one_token(both: Both):
    pair = prepare_pair(both.ours, *both.texts, answer=5, counterfactual=7)
    recovered = patch_head_positions(pair, 1)
    corrupted = torch.tensor([pair.corrupted.encoded.ids])
    for head, position in np.ndindex(recovered.shape):

        def hook(z: torch.Tensor, hook: Any, head: int = head, position: int = position) -> torch.Tensor:
            z = z.clone()
            z[:, position, head] = both.cache["blocks.1.attn.hook_z"][:, position, head]
            return z

        changed = _with_hook(both, "blocks.1.attn.hook_z", hook, corrupted)
        close(recovered[head, position], pair.recovered(float(changed[-1, 5] - changed[-1, 7])))
