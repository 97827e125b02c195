"""The trace against transformers' eager attention, family by family."""

import itertools
import threading

import numpy as np
import pytest
import torch

from playground import load
from playground.attention import AttentionCall, handling, z
from playground.errors import UserError
from playground.lens import trace
from playground.lens.capture.tokens import TooLongError
from playground.lens.trace import Trace
from playground.models.loading import LoadedModel
from tests.helpers.families import DECODERS, ENCODER_DECODERS, ENCODERS, eager_twin, small_model

TEXT = "The cat sat on the mat, the cat sat."
TOLERANCE = 1e-5


@torch.inference_mode()
def eager_maps(model: LoadedModel, ids: list[int], target_ids: list[int]) -> dict[str, list[np.ndarray]]:
    arguments = {"input_ids": torch.tensor([ids]), "output_attentions": True}
    if target_ids:
        arguments["decoder_input_ids"] = torch.tensor([target_ids])
    output = eager_twin(model)(**arguments)
    if target_ids:
        patterns = {
            "encoder": output.encoder_attentions,
            "decoder": output.decoder_attentions,
            "cross": output.cross_attentions,
        }
    else:
        patterns = {model.kind: output.attentions}
    return {kind: [layer[0].numpy() for layer in layers] for kind, layers in patterns.items()}


@pytest.mark.parametrize("family", [*DECODERS, *ENCODERS, *ENCODER_DECODERS])
def test_every_map_equals_eager_attention(family):
    model = small_model(family)
    traced = trace(model, TEXT, "A mat!") if family in ENCODER_DECODERS else trace(model, TEXT)
    expected = eager_maps(model, traced.ids, traced.target_ids)
    assert set(traced.kinds) == set(expected)
    for kind, layers in expected.items():
        assert len(traced.layers(kind)) == len(layers)
        for layer, maps in enumerate(layers):
            for head in range(maps.shape[0]):
                difference = np.abs(traced.attention(layer, head, kind) - maps[head]).max()
                assert difference < TOLERANCE, (kind, layer, head, difference)


def storages(traced: Trace) -> dict[int, int]:
    """The bytes of each storage that a trace's tensors lie in, by where it lies."""
    sites = [(site.z, site.logsumexp, site.maps) for site in traced.sites]
    calls = [(site.call.query, site.call.key, site.call.value, site.call.bias) for site in traced.sites if site.call]
    tensors = [*itertools.chain(*sites, *calls), traced.last_logits]
    kept = [tensor.untyped_storage() for tensor in tensors if tensor is not None]
    return {storage.data_ptr(): storage.nbytes() for storage in kept}


@pytest.mark.parametrize("family", [*DECODERS, *ENCODERS, *ENCODER_DECODERS])
def test_a_trace_holds_no_more_memory_than_it_says(family):
    traced = trace(small_model(family), TEXT)
    assert sum(storages(traced).values()) <= traced.bytes + 64 * len(traced.sites)


@pytest.mark.parametrize("family", [*DECODERS, *ENCODERS, *ENCODER_DECODERS])
def test_the_check_recomputes_the_models_own_output(family):
    check = trace(small_model(family), TEXT).check()
    assert check.difference is not None
    assert check.difference < TOLERANCE
    assert check.rows == check.queries


def test_the_check_notices_a_wrong_output():
    traced = trace(small_model("llama"), TEXT)
    with torch.inference_mode():
        traced.sites[0].z[0, 3] += 0.5
    assert traced.check().difference == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral", "gemma2", "gpt_oss", "bert", "t5"])
@pytest.mark.parametrize("cells", [5, 36, 48])
def test_the_overview_is_the_pooled_map(family, cells):
    traced = trace(small_model(family), TEXT)
    for kind in traced.kinds:
        overview = traced.overview(cells=cells, kind=kind)
        for site in traced.layers(kind):
            for head in range(site.n_heads):
                exact = pooled(traced.attention(site.layer, head, kind), cells)
                assert np.abs(overview[site.layer, head] - exact * 255).max() <= 0.51


def pooled(weights: np.ndarray, cells: int) -> np.ndarray:
    rows, columns = (min(cells, length) for length in weights.shape)
    row_bounds = [r * weights.shape[0] // rows for r in range(rows + 1)]
    column_bounds = [c * weights.shape[1] // columns for c in range(columns + 1)]
    return np.array(
        [
            [weights[a:b, c:d].max() for c, d in itertools.pairwise(column_bounds)]
            for a, b in itertools.pairwise(row_bounds)
        ]
    )


def test_steps_lead_from_query_to_z():
    traced = trace(small_model("llama"), TEXT)
    steps = traced.steps(1, 3, 7)
    assert np.allclose(steps.scores, steps.products * steps.scaling, atol=1e-6)
    assert np.isneginf(steps.masked[8:]).all()
    assert steps.weights.sum() == pytest.approx(1, abs=1e-6)
    assert np.allclose(steps.weights, traced.attention(1, 3)[7], atol=1e-7)
    assert np.abs(steps.z - steps.model_z).max() < TOLERANCE


def test_two_threads_with_different_handlers_get_what_each_would_get_alone():
    model = small_model("llama")
    plain = trace(model, TEXT).last_logits

    def without(head: int):
        def handler(call: AttentionCall) -> torch.Tensor:
            output = z(call).clone()
            output[:, head] = 0
            return output

        ids = torch.tensor([trace_ids])
        with torch.inference_mode(), handling(handler):
            return model.module(ids).logits[0, -1]

    trace_ids = trace(model, TEXT).ids
    alone = [without(0), without(3)]
    together: dict[int, list[torch.Tensor]] = {0: [], 3: []}

    def repeat(head: int) -> None:
        together[head] = [without(head) for _ in range(10)]

    threads = [threading.Thread(target=repeat, args=(head,)) for head in (0, 3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all(torch.equal(tensor, alone[0]) for tensor in together[0])
    assert all(torch.equal(tensor, alone[1]) for tensor in together[3])
    assert not torch.equal(alone[0], alone[1])
    assert torch.equal(trace(model, TEXT).last_logits, plain)


def test_an_exception_in_the_middle_leaves_nothing_behind():
    model = small_model("gpt2")
    before = trace(model, TEXT).last_logits

    def stop(done: int) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        trace(model, TEXT, on_layer=stop)
    assert torch.equal(trace(model, TEXT).last_logits, before)


def test_too_long_a_text_says_how_long_and_can_be_cut():
    model = small_model("gpt2")
    with pytest.raises(TooLongError, match=r"100 tokens; at most 64") as error:
        trace(model, "a" * 100)
    assert (error.value.count, error.value.limit) == (100, 64)
    assert len(trace(model, "a" * 100, truncate=True).ids) == 64


def test_an_empty_text_has_no_tokens_and_says_so():
    traced = trace(small_model("gpt2"), "")
    assert (traced.tokens, traced.sites) == ([], ())
    with pytest.raises(UserError, match="no tokens"):
        traced.attention(0, 0)


@pytest.mark.parametrize(("layer", "head", "kind"), [(2, 0, None), (0, 4, None), (0, 0, "cross"), (-1, 0, None)])
def test_a_place_that_is_not_there_is_refused(layer, head, kind):
    with pytest.raises(UserError):
        trace(small_model("gpt2"), TEXT).attention(layer, head, kind)


def test_pairs_and_targets_are_for_the_models_that_take_them():
    with pytest.raises(UserError, match="sentence pairs"):
        trace(small_model("gpt2"), "a", pair="b")
    with pytest.raises(UserError, match="without a target"):
        trace(small_model("bert"), "a", "b")


def test_an_encoder_decoder_writes_its_own_target():
    traced = trace(small_model("bart"), TEXT)
    assert traced.kinds == ("encoder", "decoder", "cross")
    assert 1 <= len(traced.target_ids) <= 64
    assert traced.attention(0, 0, "cross").shape == (len(traced.target_ids), len(traced.ids))


@pytest.mark.parametrize(("family", "position"), [("gpt2", -1), ("gpt2", 3), ("llama", -5), ("bert", 0)])
def test_next_tokens_are_probabilities_over_the_whole_vocabulary(family, position):
    model = small_model(family)
    traced = trace(model, TEXT)
    with torch.inference_mode():
        expected = model.module(torch.tensor([traced.ids])).logits[0, position].softmax(-1)
    assert [p for _, p in traced.next_tokens(position, k=5)] == pytest.approx(
        expected.topk(5).values.tolist(), abs=1e-6
    )
    assert sum(p for _, p in traced.next_tokens(position, k=10_000)) == pytest.approx(1, abs=1e-5)
    with pytest.raises(UserError, match="no position 99"):
        traced.next_tokens(99)


@pytest.mark.parametrize("family", ["bloom", "falcon", "deberta-v2", "xlnet"])
def test_families_outside_the_interface_are_shown_as_they_report_themselves(family, save_model):
    traced = trace(load(str(save_model(family))), "the cat sat on the mat")
    assert traced.check().difference is None
    assert not traced.check().passed
    weights = traced.attention(1, 2)
    assert weights.shape == (len(traced.ids), len(traced.ids))
    assert np.allclose(weights.sum(1), 1, atol=1e-5)
    with pytest.raises(UserError, match="only its finished maps"):
        traced.steps(0, 0, 0)


def test_maps_that_are_not_between_tokens_are_refused(save_model):
    model = load(str(save_model("bloom")))
    report = model.module.forward

    def blocks(**arguments):
        output = report(**arguments)
        output.attentions = tuple(maps[..., :2] for maps in output.attentions)
        return output

    model.module.forward = blocks
    with pytest.raises(UserError, match="bloom does not report one weight for each pair"):
        trace(model, "the cat sat on the mat")


def test_a_target_is_read_as_in_training(save_model):
    """BART's labels are <s> … </s>; its decoder reads the start token and all of them but the end."""
    model = load(str(save_model("bart")))
    start = model.module.config.decoder_start_token_id
    labels = model.tokenizer(text_target="the mat")["input_ids"]
    expected = labels[:-1] if labels[-1] == model.module.config.eos_token_id else labels
    assert trace(model, "the cat sat", "the mat").target_ids == [start, *expected]
