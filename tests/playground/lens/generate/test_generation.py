"""Writing token by token, held against transformers' own generate and its eager attention."""

import dataclasses
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, processors
from transformers import AutoModelForCausalLM, BloomConfig, BloomForCausalLM, LlamaConfig, Phi3Config

from playground.errors import UserError
from playground.lens import trace
from playground.lens.generate.branches import ROOT, Tree, grow
from playground.lens.generate.continuation import Continuation
from playground.lens.generate.generation import GenerationConfig, generate
from playground.lens.generate.predictions import GREEDY, Sampling
from playground.models import load
from tests.helpers.families import DECODERS, ENCODER_DECODERS, as_loaded, eager_twin, small_model
from tests.helpers.own_models import own_model

TEXT = "the cat sat on"
GREEDILY = GenerationConfig(max_new_tokens=8, sampling=GREEDY)


def greedy_ids(model):
    return [new.token.id for new in generate(model, TEXT, GREEDILY)]


@pytest.mark.parametrize("family", [*DECODERS, *ENCODER_DECODERS])
def test_greedy_as_transformers_generates(family):
    model = small_model(family)
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    expected = model.module.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False, num_beams=1, use_cache=True
    )[0].tolist()
    expected = expected[1:] if model.kind == "encoder-decoder" else expected[ids.shape[1] :]
    assert greedy_ids(model) == expected


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral", "gemma2", "gpt_oss", "t5", "bart"])
@torch.no_grad()
def test_attention_weights_are_the_eager_rows(family):
    model = small_model(family)
    written = list(generate(model, TEXT, GREEDILY))
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    new = torch.tensor([[token.token.id for token in written]])
    twin = eager_twin(model)
    if model.kind == "encoder-decoder":
        start = torch.full((1, 1), model.module.config.decoder_start_token_id)
        whole = torch.cat([start, new], 1)
        output = twin(input_ids=ids, decoder_input_ids=whole, output_attentions=True)
        maps = {"decoder": output.decoder_attentions, "cross": output.cross_attentions}
    else:
        whole = torch.cat([ids, new], 1)
        maps = {"decoder": twin(input_ids=whole, output_attentions=True).attentions}
    begin = whole.shape[1] - new.shape[1] - 1
    for token in written:
        query = begin + token.number
        assert set(token.attention) == set(maps)
        for kind, layers in maps.items():
            keys = query + 1 if kind == "decoder" else ids.shape[1]
            expected = torch.stack([layer[0, :, query, :keys] for layer in layers]).numpy()
            np.testing.assert_allclose(token.attention[kind], expected, atol=1e-5)


def test_a_family_outside_the_seam_shows_its_own_maps():
    config = BloomConfig(vocab_size=99, hidden_size=32, n_layer=2, n_head=4, attn_implementation="eager")
    torch.manual_seed(0)
    model = as_loaded(BloomForCausalLM(config).eval().requires_grad_(False), "decoder", "bloom")
    object.__setattr__(model, "attention", "eager")
    written = list(generate(model, TEXT, GREEDILY))
    ids = torch.tensor([[*model.tokenizer.encode(TEXT).ids, *(new.token.id for new in written)]])
    maps = torch.stack(model.module(input_ids=ids, output_attentions=True).attentions)[:, 0]
    logits = model.module(input_ids=ids).logits[0]
    for new in written:
        query = len(TEXT) - 1 + new.number
        np.testing.assert_allclose(new.attention["decoder"], maps[:, :, query, : query + 1], atol=1e-5)
        assert new.token.id == int(logits[query].argmax())


def test_two_threads_write_with_one_model():
    model = small_model("llama")
    texts = ["the cat sat on", "a dog ran to", "hello there you", "my old friend"]
    alone = [[new.token.id for new in generate(model, text, GREEDILY)] for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: [new.token.id for new in generate(model, text, GREEDILY)], texts))
    assert together == alone


@pytest.mark.parametrize("kind", ["decoder", "encoder-decoder"])
def test_our_own_write_as_they_read(kind):
    model = own_model(kind)
    written = list(generate(model, TEXT, GREEDILY))
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    for token in written:
        before = [other.token.id for other in written[: token.number]]
        if kind == "decoder":
            logits = model.module(torch.cat([ids, torch.tensor([before], dtype=torch.long)], 1))
        else:
            logits = model.module(ids, torch.tensor([[0, *before]]))
        expected = logits[0, -1].softmax(-1)
        assert token.token.id == int(expected.argmax())
        assert token.probability == pytest.approx(float(expected.max()), abs=1e-5)
        assert token.surprisal == pytest.approx(-float(expected.max().log()), abs=1e-4)
        for weights in token.attention.values():
            np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


def test_a_seed_writes_the_same_wherever_it_is_taken_up():
    model = small_model("gpt2")
    config = GenerationConfig(max_new_tokens=10, seed=3, sampling=Sampling(temperature=1.5))
    whole = [new.token.id for new in generate(model, TEXT, config)]
    later = GenerationConfig(max_new_tokens=6, seed=3, sampling=Sampling(temperature=1.5))
    assert [new.token.id for new in generate(model, TEXT, later, prefix=whole[:4])] == whole[4:]
    others = [
        [new.token.id for new in generate(model, TEXT, GenerationConfig(max_new_tokens=10, seed=seed))]
        for seed in range(3)
    ]
    assert all(a != b for a, b in itertools.combinations(others, 2))


def test_samples_only_what_the_filters_leave():
    model = small_model("gpt2")
    config = GenerationConfig(max_new_tokens=12, sampling=Sampling(top_k=3, temperature=2), alternatives=3)
    for token in generate(model, TEXT, config):
        assert token.rank < 3
        assert sum(other.sampled for other in token.alternatives) == pytest.approx(1)
        assert token.filters[0].n_removed == 96


def test_stop_reasons():
    model = small_model("gpt2")
    long = list(generate(model, "a" * 60, GenerationConfig(max_new_tokens=40)))
    assert len(long) == 5  # the last of 64 places predicts one more
    assert [token.stop_reason for token in long] == [None] * 4 + ["context"]
    assert [token.stop_reason for token in generate(model, "a", GenerationConfig(max_new_tokens=2))] == [None, "length"]
    first = greedy_ids(model)[0]
    model.module.generation_config.eos_token_id = [first]
    assert model.adapter.end_ids() == {first}
    (only,) = generate(model, TEXT, GREEDILY)
    assert only.stop_reason == "end"


def test_what_the_settings_forbid_is_not_written():
    model = small_model("marian")
    first = greedy_ids(model)[0]
    model.module.generation_config.bad_words_ids = [[first]]
    assert first not in greedy_ids(model)
    model.module.generation_config.forced_bos_token_id = 7
    assert greedy_ids(model)[0] == 7


def test_branches_are_paths_of_a_tree():
    model = small_model("gpt2")
    *_, (tree, node) = grow(model, Tree(text=TEXT), ROOT, GREEDILY)
    assert tree.ids(node) == greedy_ids(model)
    other = tree.nodes[2].generated.alternatives[1].token.id
    tree, branch = tree.branch(2, other)
    assert tree.ids(branch) == [*greedy_ids(model)[:2], other]
    assert tree.branch(2, other) == (tree, branch)
    *_, (tree, leaf) = grow(model, tree, branch, GenerationConfig(max_new_tokens=3, sampling=GREEDY))
    assert tree.children(1) == [2, branch]
    assert tree.leaves() == [node, leaf]
    assert len(tree.ids(leaf)) == 6
    assert tree.surprisal(leaf) == pytest.approx(sum(tree.nodes[i].generated.surprisal for i in tree.path(leaf)))
    # The branch goes on as the model would have gone on had it written that token itself.
    ids = torch.tensor([[*model.tokenizer.encode(TEXT).ids, *tree.ids(leaf)]])
    assert int(model.module(ids[:, :-1]).logits[0, -1].argmax()) == tree.ids(leaf)[-1]
    with pytest.raises(UserError, match="alternatives"):
        tree.branch(2, 10**6)
    with pytest.raises(UserError, match="no token"):
        tree.path(99)
    with pytest.raises(UserError, match="generated yet"):
        tree.branch(ROOT, 1)


def test_rows_are_kept_in_their_order():
    model = small_model("llama")
    continuation = Continuation(model, TEXT)
    continuation.feed(continuation.first)
    continuation.keep_rows(torch.tensor([0, 0, 0]))
    continuation.feed(torch.tensor([[5], [6], [7]]))
    continuation.keep_rows(torch.tensor([2, 0, 0]))
    logits = continuation.feed(torch.tensor([[8], [9], [10]]))
    for row, (before, after) in enumerate([(7, 8), (5, 9), (5, 10)]):
        ids = torch.tensor([[*continuation.first, before, after]])
        torch.testing.assert_close(logits[row], model.module(ids).logits[0, -1], atol=1e-4, rtol=1e-4)


def test_a_text_of_one_token_is_continued():
    assert len(list(generate(small_model("gpt2"), "a", GREEDILY))) == 8


def test_refusals():
    with pytest.raises(UserError, match="no tokens"):
        next(generate(small_model("gpt2"), ""))
    with pytest.raises(UserError, match="masked tokens"):
        next(generate(small_model("bert"), "a"))
    headless = small_model("gpt2")
    object.__setattr__(headless, "has_output_head", False)
    with pytest.raises(UserError, match="no output head"):
        next(generate(headless, "a"))
    broken = small_model("gpt2")
    broken.module.transformer.ln_f.weight[0] = float("nan")
    with pytest.raises(UserError, match="not a number"):
        next(generate(broken, "a"))
    with pytest.raises(UserError, match="at most 64"):
        next(generate(small_model("gpt2"), "a" * 65))
    for changes in ({"max_new_tokens": 0}, {"seed": -1}, {"alternatives": 0}):
        with pytest.raises(UserError):
            GenerationConfig(**changes)


SETTINGS = {
    "what the prompt says, again": {"encoder_repetition_penalty": 1.5},
    "nothing of the prompt": {"encoder_no_repeat_ngram_size": 1},
    "a bad word of two tokens": {"bad_words_ids": [[7], [8, 9], [10, 11]]},
    "repetition": {"repetition_penalty": 1.7},
    "no repeated pair": {"no_repeat_ngram_size": 2},
    "a shortest length": {"min_new_tokens": 6},
    "suppressed tokens": {"suppress_tokens": list(range(5, 30)), "begin_suppress_tokens": [40, 41, 42]},
    "a bias": {"sequence_bias": [[[20], 9.0], [[21, 22], 5.0]]},
}


@pytest.mark.parametrize("family", ["llama", "bart"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_that_the_model_brings_is_followed(family, setting):
    model = small_model(family)
    for name, value in SETTINGS[setting].items():
        setattr(model.module.generation_config, name, value)
    if family == "bart":
        model.module.generation_config.forced_bos_token_id = 50
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    expected = model.module.generate(ids, max_new_tokens=8, do_sample=False, num_beams=1)[0].tolist()
    expected = expected[1:] if model.kind == "encoder-decoder" else expected[ids.shape[1] :]
    assert greedy_ids(model) == expected
    if family == "bart":
        written = trace(model, TEXT).target_ids[1:]
        assert written[: len(expected)] == [id for id in expected if id not in model.adapter.end_ids()]


def test_settings_that_are_not_followed_are_named():
    model = small_model("bart")
    settings = model.module.generation_config
    settings.forced_eos_token_id, settings.num_beams, settings.temperature = 2, 4, 0.7
    assert dict(model.adapter.unfollowed_settings()) == {"forced_eos_token_id": 2, "num_beams": 4}
    settings.do_sample, settings.num_beams, settings.top_p, settings.top_k = True, 1, 0.9, 0
    expected = {"forced_eos_token_id": 2, "temperature": 0.7, "top_p": 0.9}
    assert dict(model.adapter.unfollowed_settings()) == expected
    assert load("books-decoder").adapter.unfollowed_settings() == {}


def test_lengths_of_the_models_own_are_named():
    model = small_model("llama")
    settings = model.module.generation_config
    settings.max_length, settings.length_penalty, settings.early_stopping = 8, 2.0, True
    assert dict(model.adapter.unfollowed_settings()) == {"early_stopping": True, "length_penalty": 2.0, "max_length": 8}
    # It is one of the processors of logits, which are.
    settings.max_length, settings.length_penalty, settings.early_stopping, settings.guidance_scale = 20, 1.0, False, 1.5
    assert dict(model.adapter.unfollowed_settings()) == {}


@pytest.mark.parametrize(
    ("name", "value", "neutral"),
    [
        ("penalty_alpha", 0.6, 0.0),
        ("dola_layers", "low", None),
        ("token_healing", True, False),
        ("max_time", 0.5, None),
        ("cache_implementation", "quantized", "static"),
    ],
)
def test_what_writes_otherwise_than_by_the_likeliest_token_is_named(name, value, neutral):
    model = small_model("llama")
    setattr(model.module.generation_config, name, value)
    assert dict(model.adapter.unfollowed_settings()) == {name: value}
    setattr(model.module.generation_config, name, neutral)
    assert dict(model.adapter.unfollowed_settings()) == {}


@pytest.mark.parametrize("family", ["bart", "t5"])
def test_a_start_that_is_stated_for_each_text_begins_this_one(family):
    """`generate` takes a list, one for each text of a batch."""
    model = small_model(family)
    settings = model.module.generation_config
    settings.decoder_start_token_id, settings.forced_bos_token_id, settings.forced_eos_token_id = [5], None, None
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    expected = model.module.generate(ids, max_new_tokens=6, do_sample=False, num_beams=1)[0].tolist()
    assert [model.adapter.start_id(), *greedy_ids(model)][: len(expected)] == expected
    assert trace(model, TEXT).target_ids[0] == 5


def test_the_processors_are_made_once_for_a_text(monkeypatch):
    model = small_model("llama")
    model.module.generation_config.repetition_penalty = 1.7
    made = []
    make = type(model.module)._get_logits_processor
    monkeypatch.setattr(
        type(model.module), "_get_logits_processor", lambda self, *a, **k: made.append(1) or make(self, *a, **k)
    )
    assert len(greedy_ids(model)) > 3
    assert len(made) == 1


class _StaleCache(torch.nn.Module):
    """A layer whose answer depends on how the tokens came: whole, or one by one."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x) + (0.5 if x.shape[1] == 1 else 0.0)


def test_a_cache_that_answers_otherwise_is_not_used():
    model = small_model("llama", seed=3)
    assert model.adapter.keeps_cache()
    model = small_model("llama", seed=4)
    model.module.model.layers[1].mlp = _StaleCache(model.module.model.layers[1].mlp)
    assert not model.adapter.keeps_cache()


def test_a_text_that_its_tokenizer_closes_stays_open_for_a_decoder():
    model = small_model("gpt2")
    template = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    closing = Tokenizer.from_str(model.tokenizer.to_str())
    closing.post_processor = template
    model = dataclasses.replace(model, tokenizer=closing)
    open_ids = [1, *model.tokenizer.encode(TEXT, add_special_tokens=False).ids]
    assert Continuation(model, TEXT).prompt == trace(model, TEXT).ids == open_ids
    assert trace(model, "").ids == [1]
    expected = model.module(torch.tensor([open_ids])).logits[0, -1]
    torch.testing.assert_close(trace(model, TEXT).last_logits, expected)


@pytest.mark.parametrize("kind", ["longrope", "dynamic"])
def test_positions_that_change_beyond_a_length_are_read_anew(kind):
    """Past it all keys are turned otherwise: a cache would keep the old ones."""
    rope = {"rope_type": kind, "rope_theta": 10_000.0, "factor": 4.0}
    rope |= {"short_factor": [1.0] * 4, "long_factor": [1.0, 2.0, 4.0, 8.0]} if kind == "longrope" else {}
    config = {"longrope": Phi3Config, "dynamic": LlamaConfig}[kind](
        **{"vocab_size": 80, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2},
        **{"num_attention_heads": 4, "pad_token_id": 0, "max_position_embeddings": 64 if kind == "longrope" else 8},
        original_max_position_embeddings=16,
        rope_parameters=rope,
    )
    torch.manual_seed(0)
    module = AutoModelForCausalLM.from_config(config, attn_implementation="playground").eval()
    model = as_loaded(module, "decoder", config.model_type)
    continuation = Continuation(model, "the cat sat")
    ids, logits = list(continuation.prompt), continuation.feed(continuation.prompt)[0]
    for _ in range(12):
        with torch.inference_mode():
            whole = module(torch.tensor([ids]), use_cache=False).logits[0, -1]
        torch.testing.assert_close(logits.softmax(-1), whole.softmax(-1), atol=1e-5, rtol=1e-4)
        ids.append(int(logits.argmax()))
        logits = continuation.feed(ids[-1:])[0]
