"""The logit lens, held against eager hidden states with the final norm and head applied by hand."""

import numpy as np
import pytest
import torch

from playground.errors import UserError
from playground.lens import trace
from playground.lens.attribute.logit_lens import LogitLens
from tests.helpers.families import DECODERS, eager_twin, small_model
from tests.helpers.own_models import own_model

TEXT = "the cat sat"
NORMS = {"gpt2": "transformer.ln_f", "gpt_neox": "gpt_neox.final_layer_norm", "opt": "model.decoder.final_layer_norm"}


def hidden_states(twin, ids, **arguments):
    """What enters each block and what leaves the last, before any norm, by plain hooks on the eager model."""
    return twin(input_ids=ids, output_hidden_states=True, **arguments).hidden_states


@pytest.mark.parametrize("family", DECODERS)
@torch.no_grad()
def test_norm_and_head_by_hand(family):
    model = small_model(family)
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    lens = trace(model, TEXT).logit_lens(k=4)
    twin = eager_twin(model)
    norm = twin.get_submodule(NORMS.get(family, "model.norm"))
    states = hidden_states(twin, ids)
    # transformers norms the last of its hidden states already.
    rows = [*(twin.get_output_embeddings()(norm(state)) for state in states[:-1]), twin(input_ids=ids).logits]
    cap = getattr(twin.config, "final_logit_softcapping", None)
    rows[:-1] = [cap * torch.tanh(row / cap) if cap else row for row in rows[:-1]]
    expected = torch.stack(rows)[:, 0].log_softmax(-1)
    answers = expected[-1].argmax(-1)
    assert lens.answers.tolist() == answers.tolist()
    for row, logs in enumerate(expected):
        p = logs.exp()
        np.testing.assert_allclose(lens.probability[row], p.gather(1, answers[:, None])[:, 0], atol=1e-5)
        np.testing.assert_allclose(lens.top_probability[row], p.topk(4).values, atol=1e-5)
        np.testing.assert_allclose(lens.entropy[row], -(p * logs).sum(-1), atol=1e-4)
        kl = (expected[-1].exp() * (expected[-1] - logs)).sum(-1)
        np.testing.assert_allclose(lens.divergence[row], kl, atol=1e-4)


@torch.no_grad()
def test_an_encoders_head_has_layers_of_its_own():
    model = small_model("bert")
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    twin = eager_twin(model)
    states = hidden_states(twin, ids)
    expected = torch.stack([twin.cls(state)[0].softmax(-1) for state in states])
    lens = trace(model, TEXT).logit_lens(k=99)
    np.testing.assert_allclose(lens.top_probability, expected.sort(descending=True).values, atol=1e-5)


@pytest.mark.parametrize("family", ["t5", "bart", "marian"])
@torch.no_grad()
def test_an_encoder_decoders_target(family):
    model = small_model(family)
    t = trace(model, TEXT, "hello")
    lens = t.logit_lens()
    ids, target = torch.tensor([t.ids]), torch.tensor([t.target_ids])
    output = eager_twin(model)(input_ids=ids, decoder_input_ids=target)
    assert lens.probability.shape == (3, len(t.target_ids))
    np.testing.assert_allclose(lens.probability[-1], output.logits[0].softmax(-1).amax(-1), atol=1e-5)
    assert (lens.rank[-1] == 0).all()


@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_our_own(kind):
    model = own_model(kind)
    t = trace(model, TEXT, *(["hello"] if kind == "encoder-decoder" else []))
    lens = t.logit_lens()
    noted = []
    handles = [block.register_forward_hook(lambda *call: noted.append(call[-1])) for block in model.module.blocks]
    arguments = [torch.tensor([t.ids]), *([torch.tensor([t.target_ids])] if t.target_ids else [])]
    final = model.module(*arguments)
    for handle in handles:
        handle.remove()
    first = model.module.head(model.module.norm(noted[0]))[0].softmax(-1)
    answers = final[0].argmax(-1)
    np.testing.assert_allclose(lens.probability[1], first.gather(1, answers[:, None])[:, 0], atol=1e-5)
    assert lens.answers.tolist() == answers.tolist()


def test_leaves_no_hook_behind():
    model = small_model("bert")
    trace(model, TEXT).logit_lens()
    for module in model.module.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_follows_a_chosen_token():
    t = trace(small_model("gpt2"), TEXT)
    lens = t.logit_lens(k=99, answers=[7])
    place = np.argwhere(lens.top == 7)
    assert len(place) == lens.rank.size
    for row, position, rank in place:
        assert lens.rank[row, position] == rank
    with pytest.raises(UserError, match="one for each"):
        t.logit_lens(answers=[1, 2])
    with pytest.raises(UserError, match="one for each"):
        t.logit_lens(answers=[99])


def test_where_the_answer_settles_by_hand():
    empty = np.zeros((4, 4))
    rank = np.array([[0, 3, 0, 1], [0, 0, 2, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    lens = LogitLens(
        answers=np.zeros(4),
        probability=empty,
        rank=rank,
        top=empty,
        top_probability=empty,
        entropy=empty,
        divergence=empty,
    )
    assert lens.settled.tolist() == [0, 1, 2, -1]


def test_a_text_of_one_token():
    lens = trace(small_model("llama"), "a").logit_lens()
    assert lens.settled.shape == (1,)


def test_refusals():
    model = small_model("gpt2")
    with pytest.raises(UserError, match="no tokens"):
        trace(model, "").logit_lens()
    model.module.transformer.ln_f.weight[0] = float("nan")
    with pytest.raises(UserError, match="not a number"):
        trace(model, TEXT).logit_lens()
    object.__setattr__(model, "has_output_head", False)
    with pytest.raises(UserError, match="no output head"):
        trace(model, TEXT).logit_lens()
