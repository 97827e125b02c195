"""Beam search, held against transformers' generate and against trying every sequence."""

import itertools

import pytest
import torch

from playground.errors import UserError
from playground.lens.generate.beams import BeamConfig, beam_search
from tests.helpers.families import ENCODER_DECODERS, as_loaded, small_model
from tests.helpers.own_models import own_model

TEXT = "the cat sat on"


def last(steps):
    *_, search = steps
    return search


@pytest.mark.parametrize("family", [*ENCODER_DECODERS, "gpt2", "llama"])
@pytest.mark.parametrize(("beams", "penalty"), [(2, 1.0), (4, 1.0), (3, 0.0), (4, 2.0)])
def test_as_transformers_generates(family, beams, penalty):
    model = small_model(family)
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    # Two tokens that come often end a text, so that hypotheses compete.
    model.module.generation_config.eos_token_id = ends = [2, 5]
    expected = model.module.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=9,
        do_sample=False,
        num_beams=beams,
        length_penalty=penalty,
        num_return_sequences=beams,
        return_dict_in_generate=True,
        output_scores=True,
        pad_token_id=0,
    )
    begin = 1 if model.kind == "encoder-decoder" else ids.shape[1]
    search = last(beam_search(model, TEXT, BeamConfig(beams=beams, max_new_tokens=9, length_penalty=penalty)))
    assert search.is_done
    for hypothesis, sequence, score in zip(
        search.hypotheses, expected.sequences, expected.sequences_scores, strict=True
    ):
        written = search.ids(hypothesis.beam)
        assert written == sequence[begin : begin + len(written)].tolist()
        assert hypothesis.score == pytest.approx(float(score), abs=1e-4)
        assert search.beams[hypothesis.beam].token.id in ends or len(written) == 9


@pytest.mark.parametrize("family", ["llama", "bart"])
@pytest.mark.parametrize(
    "settings",
    [
        {"no_repeat_ngram_size": 2},
        {"bad_words_ids": [[5], [11], [45], [19]]},
        {"repetition_penalty": 1.8, "no_repeat_ngram_size": 2},
        {"sequence_bias": [[[7], 5.0]]},
        {"encoder_repetition_penalty": 1.5},
    ],
    ids=lambda settings: "+".join(settings),
)
def test_as_transformers_generates_with_the_settings_that_the_model_brings(family, settings):
    model = small_model(family)
    for name, value in {**settings, "eos_token_id": [2, *range(30, 45)]}.items():
        setattr(model.module.generation_config, name, value)
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    expected = model.module.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=9,
        do_sample=False,
        num_beams=3,
        num_return_sequences=3,
        return_dict_in_generate=True,
        output_scores=True,
        pad_token_id=0,
    )
    begin = 1 if model.kind == "encoder-decoder" else ids.shape[1]
    search = last(beam_search(model, TEXT, BeamConfig(beams=3, max_new_tokens=9)))
    for hypothesis, sequence, score in zip(
        search.hypotheses, expected.sequences, expected.sequences_scores, strict=True
    ):
        written = search.ids(hypothesis.beam)
        assert written == sequence[begin : begin + len(written)].tolist()
        assert hypothesis.score == pytest.approx(float(score), abs=1e-4)


def test_finds_the_best_of_all_pairs():
    """With as many beams as it has tokens to begin with, a search of two steps misses nothing."""
    model = own_model("encoder-decoder")
    torch.nn.init.normal_(model.module.head.weight, std=0.3)
    model.module.head.weight[12:] = -5 * model.module.head.weight[12:].abs()
    ids = torch.tensor([model.tokenizer.encode(TEXT).ids])
    search = last(beam_search(model, TEXT, BeamConfig(beams=16, max_new_tokens=2, length_penalty=0.0)))
    first = model.module(ids, torch.tensor([[0]]))[0, -1].log_softmax(-1)
    scores = {(1,): float(first[1])}
    likely = first.topk(16).indices.tolist()
    for a in set(likely) - {1}:
        second = model.module(ids, torch.tensor([[0, a]]))[0, -1].log_softmax(-1)
        scores |= {(a, b): float(first[a] + second[b]) for b in range(len(second))}
    best = max(scores, key=scores.get)
    assert tuple(search.best) == best
    assert search.hypotheses[0].score == pytest.approx(scores[best], abs=1e-4)


def test_beams_can_be_drawn():
    model = small_model("bart")
    steps = list(beam_search(model, TEXT, BeamConfig(beams=3, max_new_tokens=6)))
    for number, search in enumerate(steps):
        newest = [beam for beam in search.beams if beam.step == number]
        assert len(newest) == 6
        assert sum(beam.state == "kept" for beam in newest) in (0, 3)
        assert [beam.log_probability for beam in newest] == sorted((b.log_probability for b in newest), reverse=True)
    for earlier, later in itertools.pairwise(steps):
        assert later.beams[: len(earlier.beams)] == earlier.beams
    assert len(steps[0].best) == 1
    for beam in steps[-1].beams:
        parent = steps[-1].beams[beam.parent]
        assert beam.step == 0 or (parent.state == "kept" and parent.log_probability >= beam.log_probability)


def test_stops_where_the_context_ends():
    model = small_model("gpt2")
    search = last(beam_search(model, "a" * 62, BeamConfig(beams=2, max_new_tokens=30)))
    assert len(search.best) == 3
    with pytest.raises(UserError, match="beams"):
        BeamConfig(beams=1)
    with pytest.raises(UserError, match="masked tokens"):
        next(beam_search(as_loaded(model.module, "encoder", "bert"), "a"))
