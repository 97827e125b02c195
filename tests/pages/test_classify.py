"""The section Classify as a script: every head, many texts, and what a stranger's labels could do."""

import csv
import io
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.lens.generate.classification import classify
from playground.lens.generate.findings import percent
from playground.lens.intervene.label_ablation import ablate_label
from playground.models import default_registry
from tests.e2e.components.test_payload import decode
from tests.helpers.head_folders import drop_tensors, save_head
from tests.helpers.page_script import charts, run_page, words


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heads")


def folder_of(root: Path, task: str, **changes) -> str:
    folder = root / f"{task}-{abs(hash(repr(changes)))}"
    return str(folder if folder.exists() else save_head(folder, "bert", task, **changes))


def page(model: str, **parameters: str) -> AppTest:
    return run_page("generate", model=model, **{"text": "the cat sat on the mat", "generate": "classify", **parameters})


def token_views(app: AppTest) -> dict[str, list[dict]]:
    """The items of each list of tokens, by its label."""
    sent = [part.proto for part in app.get("bidi_component") if part.proto.component_name == "playground_tokens"]
    headers = [decode(part.bytes)[0] for part in sent]
    return {header["label"]: header["items"] for header in headers}


def shows_no_error(app: AppTest) -> bool:
    return not app.exception and not app.error


def test_the_labels_are_those_of_the_package(root):
    name = folder_of(root, "text")
    app = page(name)
    assert shows_no_error(app)
    answer = classify(default_registry().get(name), ["the cat sat on the mat"])[0]
    first = answer.labels[answer.best]
    assert f"Most probable label: {first} with {percent(float(answer.scores.max()))}" in words(app)
    bars = token_views(app)["Labels of the text"]
    assert [bar["text"] for bar in bars] == [answer.labels[index] for index in answer.ranked()]
    doors = {"Look at its attention", "Inside the model", "Its tokens", "Measure it on a table"}
    assert {link.proto.label for link in app.get("page_link")} == doors
    app.button(key="explain_best").click().run()
    assert f"##### Ablation for {first}" in words(app)
    assert app.query_params["explained"] == str(answer.best)
    assert "explain_best" not in {button.key for button in app.button}


def test_a_label_is_attributed_to_the_tokens(root):
    app = page(folder_of(root, "text"), explained="1")
    assert shows_no_error(app)
    coloured = token_views(app)["The text, coloured by attribution"]
    assert max(item["value"] for item in coloured) == pytest.approx(1.0)
    assert {item["hue"] for item in coloured} <= {0, 1}
    assert charts(app)[0]["label"] == "Attribution of each token"
    assert "attribute_label(model" in app.code[0].value


def test_a_label_is_ablated(root):
    name = folder_of(root, "text")
    app = page(name, explained="1", by="zero", head="1.0")
    assert shows_no_error(app)
    effects = ablate_label(default_registry().get(name), "the cat sat on the mat", label=1, method="zero")
    decided = len(effects.deciding_heads)
    assert ("No single head decides" in words(app)) == (decided == 0)
    chart = next(chart for chart in charts(app) if "on the label" in chart["label"])
    assert chart["figure"]["data"][0]["z"][1][0] == pytest.approx(float(effects.heads[1, 0]), abs=1e-5)
    assert {"Its attention", "Its numbers"} <= {link.proto.label for link in app.get("page_link")}


def test_the_page_take_it_apart_leads_to_the_labels(root):
    app = run_page("ablate", model=folder_of(root, "text"), text="the cat sat on the mat")
    assert "has no output head" in words(app) + " ".join(error.value for error in app.error)
    (link,) = [link.proto for link in app.get("page_link") if link.proto.label == "Take its labels apart"]
    assert "generate=classify" in link.query_string


def test_token_labels_stand_on_the_text(root):
    app = page(folder_of(root, "token"), text="anna went to paris", query="2", explained="3")
    assert shows_no_error(app)
    items = token_views(app)["The text with its labels"]
    assert [item["text"] for item in items if item["special"]] == ["<s>", "</s>"]
    assert [index for index, item in enumerate(items) if item["chosen"]] == [2]
    assert len(token_views(app)["Labels of the token"]) == 5
    assert "Attribution of B-LOC" in words(app)


def test_an_answer_is_outlined_in_its_passage(root):
    name = folder_of(root, "span")
    empty = page(name, text="where is anna")
    assert "second field" in words(empty)
    app = page(name, text="where is anna", pair="anna went to paris", span="1", explained="0")
    assert shows_no_error(app)
    items = token_views(app)["Question and passage, the answer outlined"]
    answers = token_views(app)["The answers"]
    outlined = " ".join(item["text"] for item in items if item["chosen"])
    assert outlined == answers[1]["text"]
    assert "Attribution of start" in words(app)


def test_a_head_that_was_never_trained_is_called_that(root):
    folder = drop_tensors(save_head(root / "untrained", "bert", "text"), "classifier")
    app = page(str(folder))
    assert not app.exception
    assert "This head was never trained" in app.error[0].value
    assert "`classifier.weight`" in app.error[0].value


def test_a_model_without_a_head_answers_at_random(root, save_model):
    name = str(save_model("gpt2"))
    app = page(name)
    assert shows_no_error(app)
    assert "has no trained classifier" in app.warning[0].value
    asked = page(name, explained="0", text="the cat")
    assert shows_no_error(asked)
    assert "`score.weight`" in words(asked)
    assert len(asked.dataframe[0].value) == 6


def test_several_lines_have_an_answer_each(root):
    app = page(folder_of(root, "text"), several="good cat\n\nbad dog")
    assert shows_no_error(app)
    rows = token_views(app)["Each text and its label"]
    assert [row["text"] for row in rows] == ["good cat", "bad dog"]
    assert "2 rows" in words(app)


def uploaded(model: str, content: bytes, **parameters: str) -> AppTest:
    app = page(model, **parameters)
    app.file_uploader(key="rows_upload_file").upload("rows.csv", content, "text/csv").run()
    return app


def test_a_table_is_there_again_after_another_page_until_it_is_removed(root):
    app = uploaded(folder_of(root, "text"), b"text\ngood cat\nbad dog\n")
    link = {name: str(app.query_params[name]) for name in app.query_params}
    again = run_page("generate", **link)
    assert "rows.csv" in words(again)
    assert "2 rows" in words(again)
    again.button(key="remove_rows_upload").click().run()
    assert "rows.csv" not in words(again)
    assert "rows_upload" not in again.query_params


def test_a_table_comes_back_with_answers(root):
    from playground.evaluation.text_table import read_text_table
    from playground.lens.generate.row_answers import answer_rows, answers_csv

    name, table = folder_of(root, "text"), "id,text,answer\n1,good cat,=1+1\n2,,x\n3," + "the cat " * 60 + ",y\n"
    app = uploaded(name, table.encode())
    assert shows_no_error(app)
    assert "3 rows · 1 without a text · 1 cut to what the model reads" in words(app)
    model, read = default_registry().get(name), read_text_table(table)
    answers = answer_rows(model, read.column("text"))
    rows = list(csv.reader(io.StringIO(answers_csv(model, answers, read.columns))))
    assert rows[0] == ["id", "text", "answer", "answer_", "score", "cut", "p(bad)", "p(good)", "p(?)"]
    assert rows[1][2] == "'=1+1"
    assert rows[2][3:] == ["", "", "no", "", "", ""]
    assert rows[3][5] == "yes"
    assert sum(map(float, rows[1][6:])) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text\n", "header and no rows"),
        (b"a,b\n1\n", "Line 2 has 1 cells"),
        (b"text\n" + b"good\n" * 1200, "the first 1,000"),
    ],
)
def test_a_table_is_bounded_and_its_faults_are_said(root, content, said):
    app = uploaded(folder_of(root, "text"), content)
    assert not app.exception
    assert said in words(app)


def test_a_long_table_is_listed_in_part(root):
    app = uploaded(folder_of(root, "text"), b"text\n" + b"good cat\n" * 60)
    assert shows_no_error(app)
    assert "The first 50 rows" in words(app)
    assert len(token_views(app)["Each text and its label"]) == 50


@pytest.mark.parametrize("task", ["token", "span"])
def test_rows_of_other_heads(root, task):
    content = b"text,context\nanna went to paris,the cat sat\n"
    app = uploaded(folder_of(root, task), content)
    assert shows_no_error(app)
    assert "1 row" in words(app)


def test_a_strangers_labels_are_no_markup(root):
    labels = {0: "![x](http://x/y.png)", 1: "**b** :red[c] $d$", 2: ""}
    app = page(folder_of(root, "text", labels=labels), explained="0")
    assert shows_no_error(app)
    assert any("`![x](http://x/y.png)`" in value.value for value in app.markdown)
    assert {bar["text"] for bar in token_views(app)["Labels of the text"]} == {*list(labels.values())[:2], "–"}


def test_a_label_turns_no_sentence_around(root):
    app = page(folder_of(root, "text", labels={0: "\u202egood", 1: "x" * 500, 2: "a\nb"}), explained="0")
    assert shows_no_error(app)
    said = next(text.value for text in app.text if text.value.startswith("Most probable"))
    assert "\u202e" not in said
    assert len(said) < 250
    assert "Attribution of `\\u202Egood`" in words(app)


def test_a_regression_shows_values(root):
    app = page(folder_of(root, "text", labels={0: "stars"}, problem_type="regression"))
    assert shows_no_error(app)
    assert "Value of stars" in words(app)
    assert token_views(app)["Labels of the text"][0]["value"] is None


def test_a_thousand_labels_are_not_all_listed(root):
    app = page(folder_of(root, "text", labels={number: f"label {number}" for number in range(1000)}))
    assert shows_no_error(app)
    assert "The 20 highest of 1,000 labels" in words(app)
    assert len(token_views(app)["Labels of the text"]) == 20


def test_books_encoder_wants_two_texts():
    app = page("books-encoder", text="She opened the door.")
    assert shows_no_error(app)
    assert "trained on two texts" in words(app)
    both = page("books-encoder", text="She opened the door.", pair="There was nobody in the garden.")
    assert "Most probable label: follows with" in words(both)


def test_a_damaged_link_shows_what_there_is(root):
    app = page(folder_of(root, "text"), explained="9.9", span="x", column="none", query="777")
    assert shows_no_error(app)
    assert "Most probable label" in words(app)
