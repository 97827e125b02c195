"""Ablation of every kind of model: invariants, sets, threads, exceptions, the smallest circuit, interactions."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from playground import attention
from playground.attention import handling
from playground.errors import UserError
from playground.lens.capture.activations import Component, capture, encode_text
from playground.lens.intervene import interventions
from playground.lens.intervene.ablation import (
    TargetToken,
    ablate,
    ablate_each,
    ablate_heads,
    ablate_layers,
    prepare,
    probabilities_without,
)
from playground.lens.intervene.circuit import minimal_circuit
from playground.lens.intervene.interaction import measure_interaction
from playground.lens.intervene.interventions import Replacement, run_interventions
from playground.models.loading import load
from tests.helpers.hooks import assert_unhooked
from tests.helpers.own_models import random_model, save_model

KINDS = {
    "decoder": {},
    "after": {"norm_position": "post", "norm": "layer", "feed_forward": "gelu", "positions": "learned"},
    "encoder": {"kind": "encoder", "norm_position": "post", "positions": "sinusoidal", "bias": True},
    "encoder-decoder": {"kind": "encoder-decoder", "key_value_heads": 2},
}
TEXT, TARGET = "The cat sat", "un chat"


@pytest.fixture(params=sorted(KINDS))
def model(request, tmp_path):
    return load(str(save_model(random_model(**KINDS[request.param]), tmp_path)))


@pytest.fixture
def decoder(tmp_path):
    return load(str(save_model(random_model(), tmp_path)))


def target_of(model) -> str | None:
    return TARGET if model.kind == "encoder-decoder" else None


def kinds_of(model) -> list[str]:
    return ["encoder", "decoder", "cross"] if model.kind == "encoder-decoder" else [model.kind]


def in_plain_torch(model, arguments, chosen) -> torch.Tensor:
    """The logits with some heads' z set to zero, by counting the calls at the seam: no parts, no batch, no resuming."""
    names = {id(module): name for name, module in model.module.named_modules()}

    def handler(call):
        z = attention.z(call).clone()
        name = names[id(call.module)]
        stack = "encoder" if name.startswith("encoder.") or model.kind == "encoder" else "decoder"
        kind = "cross" if name.endswith("cross_attention") else stack
        layer = int(name.split("blocks.")[1].split(".")[0])
        for component in chosen:
            if (component.kind, component.layer) == (kind, layer):
                z[:, component.head] = 0
        return z

    with torch.inference_mode(), handling(handler):
        return model.module(**arguments)[0]


def test_ablating_nothing_changes_nothing(model):
    effect = ablate(prepare(model, TEXT, target=target_of(model)), [])
    assert (effect.loss, effect.divergence, effect.logit, effect.divergence_at_target) == (0, 0, 0, 0)


def test_single_heads_of_every_kind_of_attention_and_sets(model):
    clean = capture(model, encode_text(model, TEXT, target_of(model)))
    sets = [[head] for kind in kinds_of(model) for head in clean.heads(kind)]
    sets.append([head for chosen in sets[::3] for head in chosen])
    rows = [[Replacement(component=head) for head in chosen] for chosen in sets]
    for number, logits in run_interventions(model, clean, rows):
        expected = in_plain_torch(model, clean.encoded.arguments, sets[number])
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


def test_resuming_and_running_the_whole_model_agree(model, monkeypatch):
    experiment = prepare(model, TEXT, target=target_of(model), method="mean")
    parts = [
        Component(part=part, layer=1, kind=experiment.clean.parts.kind)
        for part in ("feed_forward", "layer", "attention")
    ]
    resumed = ablate_each(experiment, [[part] for part in parts])
    monkeypatch.setattr(interventions, "can_resume", lambda *_: False)
    for found, expected in zip(resumed, ablate_each(experiment, [[part] for part in parts]), strict=True):
        assert found.loss == pytest.approx(expected.loss, abs=1e-5)
        assert found.divergence == pytest.approx(expected.divergence, abs=1e-5)
        assert found.logit == pytest.approx(expected.logit, abs=1e-4)
        assert found.divergence > 1e-4


def test_a_layer_taken_away_leaves_the_stream_as_it_entered(decoder):
    experiment = prepare(decoder, TEXT)
    module, ids = decoder.module, torch.tensor([experiment.clean.encoded.ids])
    with torch.inference_mode():
        expected = module.head(module.norm(module.blocks[0](module.embedding(ids))))[0]
    row = [Replacement(component=Component(part="layer", layer=1))]
    [(_, logits)] = run_interventions(decoder, experiment.clean, [row])
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)


def test_resampled_from_the_same_text_changes_nothing(model):
    clean = prepare(model, TEXT, target=target_of(model))
    experiment = dataclasses.replace(clean, method="resampled")
    kind = experiment.clean.parts.kind
    effect = ablate(experiment, [*experiment.clean.heads(), Component(part="layer", layer=1, kind=kind)])
    assert effect.divergence == pytest.approx(0, abs=1e-5)


def test_two_threads_get_what_each_would_get_alone(decoder):
    """Sixty experiments on one shared model from six threads at once, of every part."""
    experiment = prepare(decoder, TEXT, method="mean")
    sets = [[head] for head in experiment.clean.heads()]
    sets += [[Component(part=part, layer=layer)] for part in ("feed_forward", "layer") for layer in range(2)]
    alone = [ablate(experiment, chosen) for chosen in sets]
    assert len({effect.logit for effect in alone}) == len(sets)
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda chosen: ablate(experiment, chosen), sets * 5))
        plain = [threads.submit(lambda: decoder.module(**experiment.clean.encoded.arguments)[0]) for _ in range(3)]
    assert together == alone * 5
    for result in plain:
        torch.testing.assert_close(result.result(), experiment.clean.logits)
    assert_clean(decoder, experiment)


def test_an_exception_in_between_leaves_the_model_as_it_was(decoder):
    experiment = prepare(decoder, TEXT)

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        ablate_heads(experiment, on_progress=stop)
    with pytest.raises(UserError, match=r"no decoder head 0\.9"):
        ablate(prepare(decoder, TEXT, method="mean"), [Component(part="head", layer=0, head=9)])
    with pytest.raises(UserError, match="There is no head 9"):
        ablate(experiment, [Component(part="head", layer=0, head=9), Component(part="layer", layer=1)])
    assert_clean(decoder, experiment)


def assert_clean(model, experiment) -> None:
    """No hook is left on the model, and it computes what it did."""
    assert_unhooked(model)
    with torch.inference_mode():
        assert torch.equal(model.module(**experiment.clean.encoded.arguments)[0], experiment.clean.logits)


def test_the_map_has_a_cell_for_every_head_and_reports_its_progress(model):
    experiment = prepare(model, TEXT, target=target_of(model))
    reports: list[tuple[int, int]] = []
    for kind in kinds_of(model):
        effects = ablate_heads(experiment, kind, lambda done, total: reports.append((done, total)))
        assert effects.divergence.shape == (2, 4)
        assert (effects.divergence > 0).all()
        single = ablate(experiment, [Component(part="head", layer=1, head=2, kind=kind)])
        assert effects.logit[1, 2] == pytest.approx(single.logit, abs=1e-4)
    assert reports[-1] == (8, 8)


def test_the_smallest_circuit(decoder):
    experiment = prepare(decoder, TEXT)
    whole = ablate(experiment, experiment.clean.heads()).divergence
    assert minimal_circuit(experiment, 2 * whole).kept == ()
    assert len(minimal_circuit(experiment, 0.0).kept) == 8
    reports: list[tuple[int, int]] = []
    circuit = minimal_circuit(experiment, whole / 4, on_progress=lambda done, total: reports.append((done, total)))
    assert 0 < len(circuit.kept) < 8
    assert {*circuit.kept, *circuit.removed} == set(experiment.clean.heads())
    assert circuit.effect == ablate(experiment, circuit.removed)
    assert circuit.effect.divergence <= whole / 4
    assert reports == sorted(reports)
    assert reports[-1] == (16, 16)


def test_interaction_is_the_joint_effect_less_the_sum(decoder):
    experiment = prepare(decoder, TEXT)
    heads = experiment.clean.heads()[:3]
    interaction = measure_interaction(experiment, heads)
    singles = [ablate(experiment, [head]).logit for head in heads]
    assert interaction.sum_of_singles("logit") == pytest.approx(sum(singles), abs=1e-5)
    expected = ablate(experiment, heads).logit - sum(singles)
    assert interaction.of_all("logit") == pytest.approx(expected, abs=1e-4)
    pair = ablate(experiment, [heads[0], heads[2]]).logit - singles[0] - singles[2]
    assert interaction.of_pair(2, 0, "logit") == pytest.approx(pair, abs=1e-4)
    with pytest.raises(UserError, match="different components"):
        measure_interaction(experiment, [heads[0], heads[0]])


def test_what_cannot_be_measured_is_refused_in_a_sentence(decoder, tmp_path):
    with pytest.raises(UserError, match="need as many"):
        prepare(decoder, TEXT, method="resampled", reference="Another text")
    with pytest.raises(UserError, match="give one of as many tokens"):
        prepare(decoder, TEXT, method="resampled")
    with pytest.raises(UserError, match="Choose a position"):
        prepare(decoder, TEXT, target_token=TargetToken(position=99, token=0))
    headless = load(str(save_model(random_model(kind="encoder", classes=3, tied=False), tmp_path / "headless")))
    with pytest.raises(UserError, match="no output head"):
        prepare(headless, TEXT)
    with pytest.raises(UserError, match="exactly for the part head"):
        Component(part="head", layer=0)
    bare = load(str(save_model(random_model(feed_forward="none"), tmp_path / "bare")))
    with pytest.raises(UserError, match="no feed-forward"):
        ablate(prepare(bare, TEXT), [Component(part="feed_forward", layer=0)])


def test_a_text_of_one_token_has_a_divergence_but_no_loss(decoder):
    experiment = prepare(decoder, "")
    assert len(experiment.clean.encoded.tokens) == 1
    effects = ablate_heads(experiment)
    assert np.isnan(effects.loss).all()
    assert (effects.divergence > 0).all()
    assert math.isfinite(ablate(experiment, []).divergence)


def test_weights_that_are_not_numbers_are_refused(decoder):
    with torch.no_grad():
        decoder.module.blocks[1].attention.output.weight[0, 0] = float("nan")
    with pytest.raises(UserError, match="not a number"):
        prepare(decoder, TEXT)


def test_each_layer_s_parts_alone_are_what_ablating_them_gives(model):
    experiment = prepare(model, TEXT, target=target_of(model), method="mean")
    for kind in kinds_of(model):
        effects = ablate_layers(experiment, kind)
        assert effects.parts == (("attention",) if kind == "cross" else ("attention", "feed_forward", "layer"))
        assert effects.divergence.shape == (2, len(effects.parts))
        for column, part in enumerate(effects.parts):
            effect = ablate(experiment, [Component(part=part, layer=1, kind=kind)])
            assert effects.divergence[1, column] == pytest.approx(effect.divergence, abs=1e-6)
            assert effects.loss[1, column] == pytest.approx(effect.loss, abs=1e-5)
            assert effects.logit[1, column] == pytest.approx(effect.logit, abs=1e-5)


def test_the_prediction_without_a_component_has_the_logit_s_change_in_it(model):
    experiment = prepare(model, TEXT, target=target_of(model))
    component = Component(part="head", layer=1, head=0, kind=kinds_of(model)[-1])
    clean, without = probabilities_without(experiment, [component])
    assert clean.sum() == pytest.approx(1, abs=1e-5)
    assert without.sum() == pytest.approx(1, abs=1e-5)
    assert clean.argmax() == experiment.target_token.token
    divergence = float((clean * (np.log(clean) - np.log(without))).sum())
    assert divergence == pytest.approx(ablate(experiment, [component]).divergence_at_target, abs=1e-5)
