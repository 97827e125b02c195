"""Heads against transformers' own pipelines, on saved random models of many families."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import UserError
from playground.lens.capture.tokens import EmptyTextError, TooLongError
from playground.lens.generate.answer_spans import find_answers
from playground.lens.generate.classification import classify, scores_of
from playground.lens.generate.encoded_rows import _shares, encode_row
from playground.lens.generate.token_labels import label_tokens
from playground.lens.trace import trace
from playground.models import LoadedModel, load
from tests.helpers.head_folders import ENDINGS, FAMILIES, PAIRS, WORDS, drop_tensors, save_head

TEXTS = ["the cat sat on the mat", "anna went to paris", "good", "the dog lay under the tree and sat"]
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heads")


MODELS: dict[str, LoadedModel] = {}
"""What this module has loaded, by folder."""


def loaded(root: Path, family: str, task: str, **changes) -> LoadedModel:
    folder = root / f"{family}-{task}-{abs(hash(repr(sorted(changes.items()))))}"
    if str(folder) not in MODELS:
        MODELS[str(folder)] = load(str(save_head(folder, family, task, **changes)), device="cpu")
    return MODELS[str(folder)]


def pipeline(model: LoadedModel, task: str, ending: str, **options):
    import transformers

    module = getattr(transformers, f"AutoModelFor{ending}").from_pretrained(model.folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model.folder)
    return transformers.pipeline(task, model=module, tokenizer=tokenizer, device="cpu", **options)


@pytest.mark.parametrize("family", [*FAMILIES, *PAIRS])
def test_labels_equal_the_pipelines(root, family):
    model = loaded(root, family, "text")
    theirs = pipeline(model, "text-classification", "SequenceClassification", top_k=None)(TEXTS)
    ours = classify(model, TEXTS)
    assert model.attention == "interface"
    for expected, answer in zip(theirs, ours, strict=True):
        ranked = [(answer.labels[index], answer.scores[index]) for index in answer.ranked()]
        assert [label for label, _ in ranked] == [entry["label"] for entry in expected]
        assert [score for _, score in ranked] == pytest.approx([entry["score"] for entry in expected], abs=TOLERANCE)


@pytest.mark.parametrize("family", ["bert", "electra"])
def test_two_texts_equal_the_pipelines(root, family):
    model = loaded(root, family, "text")
    ask = pipeline(model, "text-classification", "SequenceClassification", top_k=None)
    theirs = ask({"text": TEXTS[0], "text_pair": TEXTS[1]})
    (ours,) = classify(model, TEXTS[:1], TEXTS[1:2])
    expected = {entry["label"]: entry["score"] for entry in theirs}
    assert dict(zip(ours.labels, ours.scores, strict=True)) == pytest.approx(expected, abs=TOLERANCE)
    assert not np.allclose(ours.scores, classify(model, TEXTS[:1])[0].scores)


@pytest.mark.parametrize("family", [*FAMILIES, "t5"])
def test_token_labels_equal_the_pipelines(root, family):
    model = loaded(root, family, "token")
    options = {"aggregation_strategy": "simple"}
    ask = pipeline(model, "token-classification", "TokenClassification")
    for text in TEXTS:
        single, grouped = ask(text, ignore_labels=[]), ask(text, **options)
        ours = label_tokens(model, text)
        inner = [position for position, is_in in enumerate(ours.is_labelled) if is_in]
        assert [ours.labels[ours.best(position)] for position in inner] == [entry["entity"] for entry in single]
        scores = [ours.probabilities[position].max() for position in inner]
        assert scores == pytest.approx([entry["score"] for entry in single], abs=TOLERANCE)
        assert [(one.label, one.start, one.end) for one in ours.entities] == [
            (entry["entity_group"], entry["start"], entry["end"]) for entry in grouped
        ]
        assert [one.score for one in ours.entities] == pytest.approx(
            [entry["score"] for entry in grouped], abs=TOLERANCE
        )


@pytest.mark.parametrize("family", [*FAMILIES, *PAIRS])
def test_answers_equal_every_span_tried(root, family):
    """transformers 5 has no such pipeline any more: its own model, and every span of the passage by hand."""
    import transformers

    model, question, passage = loaded(root, family, "span"), "who sat", "anna sat on the mat under the tree"
    ours = find_answers(model, question, passage, k=3, longest=4)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model.folder)
    module = transformers.AutoModelForQuestionAnswering.from_pretrained(model.folder).eval()
    read = tokenizer(question, passage, return_tensors="pt", return_offsets_mapping=True)
    names = [name for name in ("input_ids", "token_type_ids") if name in read]
    with torch.inference_mode():
        output = module(**{name: read[name] for name in names})
    places = [index for index, sequence in enumerate(read.sequence_ids(0)) if sequence == 1]
    counted = [0, *places] if read.sequence_ids(0)[0] is None else places
    starts, ends = (logits[0, counted].double().softmax(-1) for logits in (output.start_logits, output.end_logits))
    at = {position: index for index, position in enumerate(counted)}
    spans = {
        (first, last): float(starts[at[first]] * ends[at[last]])
        for first in places
        for last in places
        if 0 <= last - first < 4
    }
    best = sorted(spans, key=lambda span: -spans[span])[:3]
    assert [(answer.first, answer.last) for answer in ours.answers] == best
    assert [answer.score for answer in ours.answers] == pytest.approx([spans[span] for span in best], abs=TOLERANCE)
    offsets = read["offset_mapping"][0].tolist()
    assert ours.answers[0].text == passage[offsets[best[0][0]][0] : offsets[best[0][1]][1]]
    if counted[0] == 0:
        assert ours.no_answer == pytest.approx(float(starts[0] * ends[0]), abs=TOLERANCE)
    else:
        assert ours.no_answer == 0


@pytest.mark.parametrize(
    ("changes", "scale"),
    [
        ({"labels": {0: "only"}}, "sigmoid"),
        ({"problem_type": "multi_label_classification"}, "sigmoid"),
        ({"problem_type": "regression", "labels": {0: "stars"}}, "none"),
        ({"problem_type": "single_label_classification"}, "softmax"),
        ({"labels": {number: f"label {number}" for number in range(1000)}}, "softmax"),
        ({"labels": {0: "=1+1", 1: "=1+1"}}, "softmax"),
    ],
)
def test_every_kind_of_label_equals_the_pipeline(root, changes, scale):
    model = loaded(root, "bert", "text", **changes)
    (theirs,) = pipeline(model, "text-classification", "SequenceClassification", top_k=None)(TEXTS[:1])
    (ours,) = classify(model, TEXTS[:1])
    assert ours.scale == scale
    assert sorted(ours.scores) == pytest.approx(sorted(entry["score"] for entry in theirs), abs=TOLERANCE)
    assert ours.labels[ours.best] == theirs[0]["label"]


@pytest.mark.parametrize(
    ("family", "task", "kind"),
    [("t5", "token", "encoder"), *((family, task, "encoder-decoder") for family in PAIRS for task in ("text", "span"))],
)
def test_a_model_below_a_head_is_what_it_is_and_can_be_looked_into(root, family, task, kind):
    """The attention below the head is that of the head's own pass: a classifier's decoder reads the source, shifted."""
    import transformers

    model = loaded(root, family, task)
    assert model.kind == kind
    traced = trace(model, "the cat sat")
    module = getattr(transformers, f"AutoModelFor{ENDINGS[task]}").from_pretrained(
        model.folder, attn_implementation="eager"
    )
    read = transformers.AutoTokenizer.from_pretrained(model.folder)("the cat sat", return_tensors="pt")
    with torch.inference_mode():
        output = module(input_ids=read["input_ids"], output_attentions=True)
    names = {"encoder": "encoder_attentions", "decoder": "decoder_attentions", "cross": "cross_attentions"}
    reported = (
        {"encoder": output.attentions} if kind == "encoder" else {k: getattr(output, v) for k, v in names.items()}
    )
    for name, layers in reported.items():
        for layer, weights in enumerate(layers):
            ours = traced.attention(layer=layer, head=1, kind=name)
            assert ours == pytest.approx(weights[0, 1].numpy(), abs=TOLERANCE)
    assert traced.inside(0, "encoder").head(0, 1).head == 0


def test_labels_without_names_have_numbers(root):
    folder = save_head(root / "unnamed", "bert", "text")
    text = (folder / "config.json").read_text()
    head = text[: text.index('"id2label"')] + text[text.index('"initializer_range"') :]
    (folder / "config.json").write_text(head.replace('"label2id"', '"_"'))
    # transformers then assumes two labels, and three are in the weights.
    with pytest.raises(UserError, match="other sizes than its config"):
        load(str(folder), device="cpu")
    model = loaded(root, "bert", "text", labels={0: "LABEL_0", 1: "LABEL_1"})
    assert classify(model, ["good"])[0].labels == ("LABEL_0", "LABEL_1")


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9), min_size=1, max_size=8))
def test_a_text_is_answered_alike_alone_and_among_others(root, drawn):
    model = loaded(root, "gpt2", "text")
    texts = [" ".join(words) for words in drawn]
    together = classify(model, texts)
    alone = classify(model, [texts[-1]])[0]
    assert [answer.text for answer in together] == texts
    assert together[-1].scores == pytest.approx(alone.scores, abs=1e-6)


@given(st.integers(1, 40), st.integers(0, 40), st.integers(2, 30))
def test_a_pair_is_cut_to_the_room_and_the_longer_one_first(first, second, room):
    kept = _shares(first, second, room)
    assert sum(kept) == min(first + second, room)
    assert kept[0] <= first
    assert kept[1] <= second
    assert not (kept[0] < first and kept[0] + 1 < kept[1])
    assert not (kept[1] < second and kept[1] + 1 < kept[0])


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_a_long_text_is_cut_as_transformers_cuts_it(root, family):
    model, text = loaded(root, family, "text"), " ".join(WORDS * 10)
    with pytest.raises(TooLongError):
        classify(model, [text])
    theirs = pipeline(model, "text-classification", "SequenceClassification", top_k=None)
    (answered,) = theirs([text], truncation=True, max_length=model.context)
    expected = {entry["label"]: entry["score"] for entry in answered}
    (ours,) = classify(model, [text], truncate=True)
    assert ours.is_cut
    assert dict(zip(ours.labels, ours.scores, strict=True)) == pytest.approx(expected, abs=TOLERANCE)


def test_a_long_pair_keeps_its_question(root):
    model = loaded(root, "bert", "span")
    row = encode_row(model, "who sat", " ".join(WORDS * 10), truncate=True)
    assert row.is_cut
    assert [sequence for sequence in row.sequences if sequence == 0] == [0, 0]
    assert len(row.ids) == model.context
    assert row.ids[-1] == 2
    with pytest.raises(UserError, match="leaves no room"):
        encode_row(model, " ".join(WORDS * 10), "anna sat", truncate=True)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_a_text_of_nothing_is_refused(root, text):
    with pytest.raises(EmptyTextError):
        classify(loaded(root, "bert", "text"), ["good", text])


def test_a_head_is_asked_for_what_it_labels(root):
    with pytest.raises(UserError, match="asked with label_tokens"):
        classify(loaded(root, "bert", "token"), ["good"])
    with pytest.raises(UserError, match="no classifier"):
        classify(load("books-decoder", device="cpu"), ["good"])


def test_what_is_not_a_number_is_refused(root):
    model = loaded(root, "llama", "text")
    weight = model.module.get_input_embeddings().weight
    kept = weight.clone()
    try:
        weight.fill_(float("inf"))
        with pytest.raises(UserError, match="not a number"):
            classify(model, ["good"])
    finally:
        weight.copy_(kept)


def test_softmax_and_sigmoid_by_hand():
    logits = torch.tensor([0.0, float(np.log(3.0))])
    assert scores_of(logits, "softmax").tolist() == pytest.approx([0.25, 0.75])
    assert scores_of(logits, "sigmoid").tolist() == pytest.approx([0.5, 0.75])


@pytest.mark.parametrize(
    ("family", "task", "part"),
    [("bert", "text", "classifier"), ("bert", "text", "pooler"), ("gpt2", "text", "score"), ("bert", "span", "qa_out")],
)
def test_a_head_that_was_never_trained_says_so(tmp_path, family, task, part):
    model = load(str(drop_tensors(save_head(tmp_path / "m", family, task), part)), device="cpu")
    assert model.head is not None
    assert not model.head.is_trained
    assert all(part in name for name in model.head.untrained)
