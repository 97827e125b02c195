"""Patching: everything gives the clean run, nothing the corrupted one; the examples fit together."""

import numpy as np
import pytest

from playground.errors import UserError
from playground.lens.capture.activations import Component
from playground.lens.intervene.interventions import Replacement
from playground.lens.intervene.patching import (
    Recovery,
    first_token_id,
    patch_each,
    patch_head_positions,
    patch_heads,
    patch_positions,
    prepare_pair,
)
from playground.lens.intervene.patching_examples import (
    EXAMPLES,
    REPEATED_SYMBOLS,
    examples_of,
    first_solved,
    logit_differences,
    try_examples,
)
from playground.models.loading import load
from playground.tasks.vocabulary import train_vocabulary
from tests.helpers.own_models import random_model, save_model

CLEAN, CORRUPTED = "The cat sat", "The dog sat"


@pytest.fixture(params=["decoder", "encoder", "encoder-decoder"])
def pair(request, tmp_path):
    model = load(str(save_model(random_model(kind=request.param), tmp_path)))
    targets = ("un chat", "un chat") if request.param == "encoder-decoder" else None
    return prepare_pair(model, CLEAN, CORRUPTED, answer=7, counterfactual=9, targets=targets)


def test_patching_the_whole_stream_gives_the_clean_run_and_nothing_the_corrupted_one(pair):
    kind = pair.clean.parts.kind
    rows = []
    for layer in range(2):
        component = Component(part="residual", layer=layer, kind=kind)
        rows.append([Replacement(component=component, value=pair.clean.residual[kind, layer])])
    rows.append(
        [
            Replacement(
                component=Component(part="layer", layer=layer, kind=kind),
                value=pair.corrupted.after[kind, layer] - pair.corrupted.residual[kind, layer],
            )
            for layer in range(2)
        ]
    )
    shares = patch_each(pair, rows)
    if pair.model.kind != "encoder-decoder":
        np.testing.assert_allclose(shares[:2], 1, atol=1e-3)
    np.testing.assert_allclose(shares[2], 0, atol=1e-3)


def test_patching_the_encoders_stream_gives_the_clean_run_where_the_targets_agree(pair):
    if pair.model.kind != "encoder-decoder":
        rows = [
            [Replacement(component=head, value=pair.corrupted.z[head.kind, head.layer][head.head])]
            for head in pair.corrupted.heads()
        ]
        np.testing.assert_allclose(patch_each(pair, rows), 0, atol=1e-3)
        return
    component = Component(part="residual", layer=0, kind="encoder")
    rows = [[Replacement(component=component, value=pair.clean.residual["encoder", 0])]]
    np.testing.assert_allclose(patch_each(pair, rows), 1, atol=1e-3)


def test_what_cannot_have_changed_brings_nothing_back(pair):
    """Before the first differing token both passes of a decoder are the same."""
    recovered = patch_positions(pair, "residual")
    assert recovered.shape == (2, len(pair.clean.encoded.tokens))
    if pair.model.kind == "decoder":
        assert pair.clean.encoded.ids[:5] == pair.corrupted.encoded.ids[:5]
        np.testing.assert_allclose(recovered[:, :5], 0, atol=1e-5)
        assert abs(recovered[0]).max() > 1e-2


def test_heads_at_every_token_alone_and_together(pair):
    whole = patch_heads(pair)
    assert whole.shape == (2, 4)
    by_token = patch_head_positions(pair, 1)
    assert by_token.shape == (4, len(pair.clean.encoded.tokens))
    np.testing.assert_allclose(patch_heads(pair, position=3)[1], by_token[:, 3], atol=1e-4)


def test_prompts_that_do_not_fit_are_refused(pair):
    targets = ("un chat", "un chat") if pair.model.kind == "encoder-decoder" else None
    with pytest.raises(UserError, match="tokens and the corrupted one"):
        prepare_pair(pair.model, CLEAN, CORRUPTED + "!", answer=7, counterfactual=9, targets=targets)
    with pytest.raises(UserError, match="equally"):
        prepare_pair(pair.model, CLEAN, CLEAN, answer=7, counterfactual=9, targets=targets)
    with pytest.raises(UserError, match="no tokens"):
        first_token_id(pair.model, "")


def test_the_examples_differ_in_words_and_in_answers():
    assert [example.name for example in EXAMPLES] == ["Indirect object", "Induction", "Agreement"]
    for example in EXAMPLES:
        assert len(example.clean.split()) == len(example.corrupted.split())
        assert example.clean != example.corrupted
        assert example.answer != example.counterfactual


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("books-decoder", "Indirect object"),
        ("books-encoder", "Whose hand"),
        ("tales-translator", "Who receives it"),
        ("induction", "Repeated symbols"),
    ],
)
def test_every_shipped_model_reads_its_examples(name, first):
    model = load(name)
    examples = examples_of(model)
    assert examples[0].name == first
    for example in examples:
        targets = (example.target, example.target) if example.target else None
        answers = {part: first_token_id(model, getattr(example, part)) for part in ("answer", "counterfactual")}
        assert model.adapter.unknown_id() not in answers.values()
        pair = prepare_pair(model, example.clean, example.corrupted, targets=targets, **answers)
        assert pair.clean_difference != pair.corrupted_difference


@pytest.mark.parametrize(
    ("name", "solved"),
    [
        ("books-decoder", "Induction"),
        ("books-encoder", "Whose eyes"),
        ("tales-translator", "Who receives it"),
        ("induction", "Repeated symbols"),
    ],
)
def test_of_its_examples_every_shipped_model_solves_one(name, solved):
    model = load(name)
    reports: list[tuple[int, int]] = []
    differences = try_examples(model, lambda *report: reports.append(report))
    index = first_solved(differences)
    assert index is not None
    assert examples_of(model)[index].name == solved
    clean, corrupted = differences[index]
    assert clean > 0 > corrupted
    assert reports[-1] == (len(differences), len(differences))


def test_the_default_model_prefers_the_wrong_name_in_both_indirect_objects():
    clean, corrupted = logit_differences(load("books-decoder"), EXAMPLES[0])
    assert 0 < clean < corrupted


def test_the_change_is_the_recovered_share_of_the_difference():
    recovery = Recovery(clean_difference=3.0, corrupted_difference=-1.0, recovered=np.array([[0.0, 0.25, 1.0]]))
    assert recovery.is_solved
    np.testing.assert_allclose(recovery.change, [[0.0, 1.0, 4.0]])
    assert not Recovery(clean_difference=0.05, corrupted_difference=0.29, recovered=np.zeros((1, 1))).is_solved


def test_the_repeated_symbols_change_what_the_induction_model_predicts():
    model = load("induction")
    answers = first_token_id(model, REPEATED_SYMBOLS.answer), first_token_id(model, REPEATED_SYMBOLS.counterfactual)
    pair = prepare_pair(
        model, REPEATED_SYMBOLS.clean, REPEATED_SYMBOLS.corrupted, answer=answers[0], counterfactual=answers[1]
    )
    assert pair.clean_difference > 0.5
    assert pair.corrupted_difference < -0.5


@pytest.mark.parametrize(("symbols", "context"), [("abcdefghijklmnopqrstuvwxyz", 64), ("0123456789", 14), ("abc", 8)])
@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder-decoder"])
def test_a_model_of_few_symbols_gets_an_example_in_them(tmp_path, kind, symbols, context):
    tokenizer = train_vocabulary("characters", [symbols], len(symbols) + 5, model=kind)
    folder = save_model(random_model(kind=kind, vocabulary=tokenizer.get_vocab_size(), context=context), tmp_path)
    tokenizer.save(str(folder / "tokenizer.json"))
    model = load(str(folder))
    (example,) = examples_of(model)
    targets = (example.target, example.target) if example.target else None
    answers = {part: first_token_id(model, getattr(example, part)) for part in ("answer", "counterfactual")}
    pair = prepare_pair(model, example.clean, example.corrupted, targets=targets, **answers)
    assert {token.text for token in pair.clean.encoded.tokens if not token.special} <= set(symbols)
    differing = zip(pair.clean.encoded.ids, pair.corrupted.encoded.ids, strict=True)
    assert sum(first != second for first, second in differing) == (kind != "encoder-decoder")
