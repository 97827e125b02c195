"""The page Evaluate: every section on its examples, files, sources, and sentences for what cannot be measured."""

import contextlib
import io
from urllib.parse import parse_qs

import pytest
from sacrebleu.metrics import BLEU

from playground.csv_table import csv_table
from playground.evaluation.bleu import BleuParts
from playground.evaluation.edit_alignment import EditStep
from playground.evaluation.resampling import Spread
from playground.evaluation.rouge import RougeScore
from playground.lens.generate.classification import classify
from playground.lens.generate.stride import StrideScore
from playground.models import default_registry
from tests.e2e.components.test_payload import decode
from tests.helpers.head_folders import save_head
from tests.helpers.page_script import address, charts, run_page, words
from ui.cache import results
from ui.state.uploads import Upload, uploads


def shown(app, name: str) -> list[dict]:
    """What each component of that name was sent."""
    return [
        decode(part.proto.bytes)[0]
        for part in app.get("bidi_component")
        if part.proto.component_name == f"playground_{name}"
    ]


def test_the_repeated_word_is_clipped_to_two_sevenths():
    app = run_page("evaluate", section="bleu", ngram="1")
    assert "2 of 7 n-grams of order 1 count; 5 more stand in a reference" in words(app)
    lines, _edits = shown(app, "compared_lines")
    states = [chip["state"] for chip in lines["rows"][0]["chips"]]
    assert states == ["matched"] * 2 + ["clipped"] * 5
    assert [row["name"] for row in lines["rows"]] == ["Hypothesis", "Reference", "Reference"]
    theirs = BLEU().corpus_score(
        ["the the the the the the the"], [["the cat is on the mat"], ["there is a cat on the mat"]]
    )
    assert {metric.label: metric.value for metric in app.metric}["BLEU"] == f"{theirs.score:.2f}"
    assert any("nrefs:2|case:mixed|eff:no|tok:13a" in code.value for code in app.code)


@pytest.mark.parametrize(
    ("example", "lesson", "score"),
    [("copy", "turns the meaning round", 75.0), ("paraphrase", "close to 0", 4.0), ("short", "two words", 0.0)],
)
def test_an_example_fills_the_lines_and_says_what_is_missed(example, lesson, score):
    app = run_page("evaluate", section="bleu")
    app.button(key=f"lines_{example}").click().run()
    assert lesson in words(app)
    value = float(next(metric.value for metric in app.metric if metric.label == "BLEU"))
    assert value == pytest.approx(score, abs=5)


def test_two_systems_are_resampled_together():
    app = run_page("evaluate", section="bleu")
    app.button(key="lines_systems").click().run()
    assert "differs by +0.26 BLEU, but the 95% interval" in words(app)
    assert "200 lines cannot tell the two apart" in words(app)
    assert "Difference of two systems in BLEU" in {chart["label"] for chart in charts(app)}


def test_a_wrong_number_of_lines_is_a_sentence():
    app = run_page("evaluate", section="rouge", hypotheses="a\nb", references="a", references_2="")
    assert "line 2 has no partner" in words(app)
    assert not app.exception


def test_the_longest_common_subsequence_is_linked():
    app = run_page(
        "evaluate",
        section="rouge",
        rouge="rougeL",
        hypotheses="the fat cat sat",
        references="the cat sat",
        references_2="",
    )
    (lines,) = shown(app, "compared_lines")
    assert lines["links"] == [[0, 0, 0], [0, 1, 2], [0, 2, 3]]


def test_the_shifts_and_edits_of_ter_are_drawn_and_add_up():
    app = run_page("evaluate", section="bleu", hypotheses="d e a b Q", references="a b c d e", references_2="")
    assert "Shifts: 1; edits of words: 1; together 2" in words(app)
    _ngrams, shifts, edits = shown(app, "compared_lines")
    assert shifts["links"] == [[0, 0, 3], [0, 1, 4]]
    assert [chip["text"] for chip in shifts["rows"][1]["chips"]] == ["a", "b", "q", "d", "e"]
    assert [chip["state"] for chip in edits["rows"][1]["chips"]].count("substitution") == 1
    assert any(code.value == "TER = 100 · (1 + 1 + 0 + 0) / 5 = 40.00" for code in app.code)
    assert {metric.label: metric.value for metric in app.metric}["TER"] == "40.00"


def test_the_union_of_subsequences_is_drawn_and_stems_can_count():
    lines = {
        "hypotheses": "Cats slept. A dog barked.",
        "references": "The dog barked. The cat slept.",
        "references_2": "",
    }
    app = run_page("evaluate", section="rouge", rouge="rougeLsum", by_sentence="yes", stemmed="yes", **lines)
    (drawn,) = shown(app, "compared_lines")
    assert [row["name"] for row in drawn["rows"]] == [
        "Reference · 1",
        "Reference · 2",
        "Hypothesis · 1",
        "Hypothesis · 2",
    ]
    assert "ROUGE-Lsum: 4 in common, of 5 in the hypothesis" in words(app)
    assert "ROUGE-Lsum: 3 in common" in words(
        run_page("evaluate", section="rouge", rouge="rougeLsum", by_sentence="yes", **lines)
    )


def test_an_alignment_stands_in_columns():
    app = run_page("evaluate", section="edits", hypotheses="the cat sat in", references="the sat on", references_2="")
    (lines,) = shown(app, "compared_lines")
    assert [chip["state"] for chip in lines["rows"][1]["chips"]] == ["equal", "insertion", "equal", "substitution"]
    assert lines["rows"][0]["chips"][1] == {"text": "", "state": "gap"}


def test_a_translator_is_measured_on_its_held_out_sentences():
    app = run_page("evaluate", section="bleu", lines_from="translator", rows="12", cut_by="zh")
    assert "n = 12" in words(app)
    assert float(app.metric[0].value) > 90


def test_labels_with_everything_beside_them():
    app = run_page("evaluate", section="classification", threshold="0.6")
    said = words(app)
    assert "15 of 22 labels are right" in said
    assert "1 of 12 test texts stand in the training part" in said
    assert "Area under the ROC curve" in said
    assert {"Confusion matrix", "Calibration of good", "Accuracy by language"} <= {
        chart["label"] for chart in charts(app)
    }
    (view,) = shown(app, "threshold_view")
    assert view["positive"] == "good"
    assert view["thresholds"][view["start"]] == pytest.approx(0.63)
    assert view["truePositives"][-1] == 11


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("label,prediction\na,a\nb\n", "Line 3 has 1 cells, the header 2"),
        ("label,prediction\na,a\n,b\n", "Line 3 has nothing in the column"),
        ("label,prediction,score\na,a,high\nb,b,0\n", "The score in line 2 is"),
        ("gold,guess\na,a\n", "Say above which column is: Predicted label"),
        ("label,prediction,score\na,a,0.1\na,a,0.2\n", "needs rows of both classes"),
        ("label,prediction,score\na,a,7\nb,b,0\n", "which is no probability"),
    ],
)
def test_a_table_that_is_wrong_names_its_line(table, sentence):
    app = run_page("evaluate", section="classification", table=table)
    assert sentence in words(app)
    assert not app.exception


ROWS = [
    {"text": f"{word} {row}", "label": label, "prediction": label if row % 3 else "bad", "score": f"0.{9 - row}"}
    | {"language": "en" if row % 2 else "de", "part": "train" if row < 4 else "test"}
    for row, (word, label) in enumerate([("fine", "good"), ("dull", "bad")] * 4)
]
CHANGES = {"text": "fine 0", "label": "good", "prediction": "good", "score": "0.05", "language": "fr", "part": "train"}


@pytest.mark.parametrize("column", CHANGES)
def test_an_answer_is_of_the_table_that_is_shown_and_of_no_other(column):
    def said(rows):
        table = csv_table([list(rows[0]), *(list(row.values()) for row in rows)])
        app = run_page("evaluate", section="classification", table=table, sliced_by="language")
        assert not app.exception
        return words(app), [frame.value.to_csv() for frame in app.dataframe]

    other = [*ROWS[:-1], {**ROWS[-1], column: CHANGES[column]}]
    assert other != ROWS
    first, kept = said(ROWS), said(other)
    results.cache_clear()
    assert kept == said(other) != first


def test_a_loaded_classifier_is_asked_about_the_table(tmp_path):
    folder = save_head(tmp_path / "head", "bert", "text")
    model = default_registry().get(str(folder))
    texts = ["the cat sat", "the mat", "the dog sat"]
    answers = classify(model, texts)
    true = answers[0].labels[answers[0].best]
    table = "text,label\n" + "".join(f"{text},{true}\n" for text in texts)
    app = run_page("evaluate", section="classification", predicted_by="model", model=str(folder), table=table)
    right = sum(answer.labels[answer.best] == true for answer in answers)
    assert f"{right} of 3 labels are right" in words(app)
    wrong = run_page(
        "evaluate", section="classification", predicted_by="model", model=str(folder), table="text,label\na,x\nb,y\n"
    )
    assert "the table's labels are x, y" in words(wrong)


def test_a_model_that_classifies_nothing_gives_way_to_one_that_does():
    app = run_page("evaluate", section="classification", predicted_by="model", model="books-decoder")
    assert "books-decoder has no classifier" in words(app)
    app.button(key="take_classifier").click().run()
    assert address(app)["model"] == "books-encoder-sentiment"
    assert "11 of 14 labels are right" in words(app)
    # What its lesson says: these, and no others, are wrong.
    rows = next(box.options for box in app.selectbox if box.label == "Row")
    assert [row.split(" · ")[-1] for row in rows] == [
        "The film was wonderful and I would see it again.",
        "It was not bad at all.",
        "Nobody could call the speech dull.",
    ]


def test_perplexity_is_written_out_for_a_short_text():
    app = run_page("evaluate", model="books-decoder", text="The cat sat")
    code = next(block.value for block in app.code if "product" in block.value)
    assert "p(␣cat)" in code or "p(␣c" in code
    assert "books-decoder has the perplexity" in words(app)
    links = {link.proto.label: parse_qs(link.proto.query_string) for link in app.get("page_link")}
    assert set(links) == {"Look at its surprisal", "Look at its attention", "Take it apart"}
    assert links["Look at its attention"] == {"model": ["books-decoder"], "text": ["The cat sat"]}


def test_models_of_both_kinds_on_one_text():
    app = run_page("evaluate", model="books-decoder", other_models='["books-encoder"]', text="The cat sat on the mat.")
    table = app.dataframe[0].value
    assert table["measure"].tolist() == ["perplexity", "pseudo-perplexity"]


def test_the_strides_effect_is_drawn_when_it_is_asked_for():
    text = "The cat sat on the mat, and the dog sat on the rug. The cat looked at the dog."
    asked = {"model": "books-decoder", "text": text, "window": "16"}
    assert "Perplexity by stride" not in {chart["label"] for chart in charts(run_page("evaluate", **asked))}
    app = run_page("evaluate", strides="yes", **asked)
    assert "Perplexity by stride" in {chart["label"] for chart in charts(app)}
    assert "With a stride of 15 the perplexity is" in words(app)


def test_labels_that_nothing_predicts_are_said_to_be():
    for table, is_said in (("label,prediction\n1,1.0\n0,0.0\n", True), ("label,prediction\n1,1\n0,1\n", False)):
        app = run_page("evaluate", section="classification", table=table)
        assert ("spelled alike" in words(app)) == is_said


def test_a_small_file_in_another_encoding_is_kept_and_its_encoding_named():
    app = run_page("evaluate", section="rouge", lines_from="table")
    content = "hypothesis,reference\nä y z,ä y z\n".encode("latin-1")
    app.file_uploader(key="evaluate_upload_0").upload("latin.csv", content, "text/csv").run()
    assert not app.exception
    assert "This file is not in UTF-8" in words(app)
    assert "Line 2 is not UTF-8" in words(app)


LARGE = "hypothesis,reference\n" + "".join(f"{n} the cat {n**7},{n} a cat {n**7}\n" for n in range(3_000))


def test_a_table_too_large_for_the_address_comes_back_in_a_new_session():
    app = run_page("evaluate", section="rouge", lines_from="table")
    app.file_uploader(key="evaluate_upload_0").upload("large.csv", LARGE.encode(), "text/csv").run()
    assert not app.exception
    assert "large.csv" in words(app)
    again = run_page("evaluate", **address(app))
    assert "large.csv" in words(again)
    assert "table" not in again.query_params
    again.button(key="forget_upload").click().run()
    assert "large.csv" not in words(again)
    assert "table_upload" not in again.query_params


@pytest.mark.parametrize(("section", "mark"), [("rouge", "table_upload"), ("perplexity", "text_upload")])
def test_a_file_that_the_server_has_no_longer_is_said_to_be(section, mark):
    uploads().put(("another", "0" * 24), Upload(name="secret.csv", content=LARGE.encode()))
    link = {"lines_from": "table", "text_from": "file", mark: "0" * 24}
    app = run_page("evaluate", section=section, model="books-decoder", **link)
    assert not app.exception
    assert "Choose it again" in words(app)
    assert "secret" not in words(app)


def test_a_long_file_has_its_strides_drawn_and_its_program_reads_it(tmp_path, monkeypatch):
    content = ("The cat sat on the mat, and the dog – sat on the rug. " * 250).encode("cp1252")
    app = run_page("evaluate", model="books-decoder", text_from="file", strides="yes", window="512")
    app.file_uploader(key="text_upload_file").upload("my 'cat'.txt", content, "text/plain").run()
    assert not app.exception
    assert "Of its first" in words(app)
    assert "Perplexity by stride" in {chart["label"] for chart in charts(app)}
    (tmp_path / "my 'cat'.txt").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    score, strides = printed_by(app, "text_surprisal").splitlines()
    row = app.dataframe[0].value.iloc[0]
    assert float(score.split()[0]) == pytest.approx(row["value"], abs=1e-3)
    bits = eval(score.split(maxsplit=1)[1], {"Spread": Spread})
    assert bits.value == pytest.approx(row["bits per byte"], abs=1e-4)
    assert f"[{bits.low:.3f}, {bits.high:.3f}]" in row["interval"]
    by_stride = eval(strides, {"StrideScore": StrideScore})
    drawn = next(table.value for table in app.dataframe if "stride" in table.value)
    assert [one.stride for one in by_stride] == drawn["stride"].tolist()
    assert [one.perplexity for one in by_stride] == pytest.approx(drawn["perplexity"].tolist(), rel=1e-5)


def printed_by(app, call: str) -> str:
    """What the program of the page prints that makes this call."""
    program = next(block.value for block in app.code if call in block.value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "snippet", "exec"), {})
    return printed.getvalue()


def test_a_samples_program_writes_the_sample_again():
    app = run_page("evaluate", model="books-decoder", text_from="sample")
    value = float(printed_by(app, "text_surprisal").split()[0])
    assert value == pytest.approx(app.dataframe[0].value.iloc[0]["value"], abs=1e-3)


def test_the_program_of_bleu_prints_corpus_line_and_both_systems():
    app = run_page("evaluate", section="bleu")
    app.button(key="lines_systems").click().run()
    corpus, line, paired = printed_by(app, "line_scores").splitlines()
    shown_scores = {metric.label: metric.value for metric in app.metric}
    told = eval(corpus)
    for name in ("bleu", "chrf", "ter"):
        value = told[name]["score"] if name == "bleu" else told[name]
        assert f"{value:.2f}" in shown_scores.values()
        low, high = told[f"{name}_interval"]
        assert f"[{low:.2f}, {high:.2f}]" in words(app)
    assert f"= {eval(line, {'BleuParts': BleuParts}).score:.4f}" in app.code[0].value
    assert f"p = {eval(paired)['bleu']['p']:.2f}" in words(app)


def test_the_programs_of_rouge_and_errors_print_means_intervals_and_the_line():
    app = run_page("evaluate", section="rouge", hypotheses="a b c\nd e", references="a b\nd f", references_2="")
    told, line = printed_by(app, "rouge_report").splitlines()
    means = next(table.value for table in app.dataframe if "kind" in table.value).set_index("kind")
    for part, title in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
        assert eval(told)["rouge1"][part] == pytest.approx(means[title]["ROUGE-1"])
        low, high = eval(told)["rouge1"][f"{part}_interval"]
        assert f"[{low:.3f}, {high:.3f}]" in means[f"{title}, interval"]["ROUGE-1"]
    assert eval(line, {"RougeScore": RougeScore}) == RougeScore(hits=2, hypothesis_total=3, reference_total=2)
    app = run_page("evaluate", section="edits", hypotheses="a b c\nd e", references="a b\nd f", references_2="")
    told, line = printed_by(app, "error_report").splitlines()
    rate = eval(told)["error_rate"]
    assert {metric.label: metric.value for metric in app.metric}["Word error rate"] == f"{rate:.3f}" == "0.500"
    assert "95% [{:.3f}, {:.3f}]".format(*eval(told)["interval"]) in words(app)
    kinds = [step.kind for step in eval(line, {"EditStep": EditStep})]
    assert kinds == ["equal", "equal", "insertion"]


def test_the_program_of_labels_prints_every_number_of_the_page(tmp_path, monkeypatch):
    files = {}
    monkeypatch.setattr(
        "ui.sections.evaluate.classification.offer_results",
        lambda header, rows, *, name, details: files.update({name: csv_table([header, *rows()], [])}),
    )
    rows = [
        f"{'good' if n % 3 else 'bad'} film {n},{n % 3 > 0},{n % 4 > 0},{0.1 * (n % 4) + 0.3},{'ab'[n % 2]}"
        for n in range(40)
    ]
    app = run_page("evaluate", section="classification", table="text,label,prediction,score,group\n" + "\n".join(rows))
    assert not app.exception
    (tmp_path / "labels.csv").write_text(files["labels.csv"])
    monkeypatch.chdir(tmp_path)
    told = eval(printed_by(app, "label_report"))
    table = next(table.value for table in app.dataframe if "precision" in table.value).set_index("label")
    for average, title in (("macro", "macro average"), ("weighted", "weighted average"), ("micro", "micro average")):
        assert told["averages"][average]["recall"] == pytest.approx(table["recall"][title])
        low, high = told["averages"][average]["recall_interval"]
        assert f"[{low:.2f}, {high:.2f}]" in table["recall, interval"][title]
    assert f"{told['scores']['area']['value']:.3f}" in words(app)
    assert f"{told['scores']['brier']['value']:.3f}" in words(app)
    baseline = next(table.value for table in app.dataframe if "classifier" in table.value)
    accuracies = [told["baselines"][name]["accuracy"]["value"] for name in ("classifier", "tfidf", "majority")]
    assert baseline["accuracy"].tolist() == pytest.approx(accuracies)
    slices = next(table.value for table in app.dataframe if "value" in table.value).set_index("value")
    assert {name: part["accuracy"]["value"] for name, part in told["slices"].items()} == pytest.approx(
        slices["accuracy"].to_dict()
    )


@pytest.mark.parametrize(
    ("parameters", "taken"),
    [
        ({"section": "bleu"}, "the the the the the the the"),
        ({"section": "rouge"}, "the the the the the the the"),
        ({"section": "edits"}, "the the the the the the the"),
        ({"section": "classification", "table": "text,label,prediction\nfine,a,a\na wrong one,a,b\n"}, "a wrong one"),
    ],
)
def test_every_result_has_doors_with_its_text(parameters, taken):
    app = run_page("evaluate", **parameters)
    links = {link.proto.label: parse_qs(link.proto.query_string) for link in app.get("page_link")}
    for label in ("Look at its attention", "Its tokens", "Take it apart"):
        assert links[label]["text"] == [taken]
    app.button(key="measure_perplexity").click().run()
    assert "section" not in app.query_params
    assert app.query_params["text"] in (taken, [taken])
    assert "has the perplexity" in words(app)


def test_a_model_that_cannot_read_the_text_says_so_and_the_other_is_shown():
    app = run_page("evaluate", model="books-decoder", other_models='["books-encoder"]', text_from="sample")
    assert app.dataframe[0].value["model"].tolist() == ["books-decoder"]
    assert "books-encoder: The text has" in app.error[0].value
    assert not app.get("page_link")


def test_a_translator_has_no_perplexity_of_a_text():
    assert "translates" in words(run_page("evaluate", model="tales-translator"))
