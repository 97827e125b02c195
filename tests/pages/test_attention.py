"""The attention page as a script: alone, through app.py, and with everything a person can get wrong."""

import re
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import safetensors.torch
import torch
from streamlit.testing.v1 import AppTest

from playground import load
from playground.lens.capture.tokens import encode
from playground.models.catalogue import SHIPPED
from tests.helpers.page_script import address, words
from ui.downloads import downloads
from ui.sections.attention import comparison, several_texts
from ui.sections.attention.examples import examples, other_text
from ui.state.parameters import EXCLUDE_FIRST, HIDE_SPECIAL, MODEL
from ui.warm import warm_up

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ["app.py", "pages/attention.py"]


def run(script: str = "app.py", **parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / script), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def components(app: AppTest) -> list[str]:
    """The components of the attention view that are on the page, in their order."""
    names = [part.proto.component_name.removeprefix("playground_") for part in app.get("bidi_component")]
    return [name for name in names if name not in ("live_text", "page_frame")]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_page_shows_the_embedded_model_without_a_question(script):
    app = run(script)
    assert not app.exception
    assert not app.error
    assert [title.value for title in app.title] == ["Attention"]
    assert app.selectbox(key=MODEL).value == "books-decoder"
    assert "Verified: max. error" in words(app)
    assert warm_up().error is None


def test_a_text_without_tokens_says_what_to_do(small_folder):
    app = run(model=str(small_folder), text="")
    assert not app.exception
    assert "no tokens" in words(app)


def test_two_texts_of_which_one_is_empty_say_what_to_do(small_folder):
    app = run(model=str(small_folder), text="the cat", mode="Two texts", other_text="")
    assert not app.exception
    assert "no tokens" in words(app)


@pytest.mark.parametrize("mode", ["One text", "Two texts", "BertViz"])
@pytest.mark.parametrize("hide", ["true", "false"])
def test_an_empty_text_has_one_sentence_and_no_picture(mode, hide):
    """The start token alone is nothing to verify and nothing to see."""
    app = run(text="", hide_special=hide, set_aside="true", mode=mode, other_text="a")
    assert not app.exception
    assert not app.error
    assert [info.value for info in app.info] == ["The text has no tokens yet. Type something above."]
    assert "Verified" not in words(app)
    assert components(app) == []
    assert not app.get("iframe")


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("/no/such/folder", "There is no folder /no/such/folder; check the path."),
        ("https://example.org/model", "is an address"),
    ],
)
def test_a_wrong_model_is_answered_with_a_sentence(model, sentence):
    app = run(model=model)
    assert not app.exception
    assert sentence in words(app)


def test_a_shared_server_opens_no_folders(small_folder, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOSTED", "1")
    app = run(model=str(small_folder))
    assert "opens no folders" in words(app)
    assert not app.toggle


def test_a_model_that_is_not_here_is_offered_and_the_hub_out_of_reach_is_named():
    app = run(model="nobody/nothing")
    assert not app.exception
    assert "is not on this machine" in words(app)
    assert app.button(key="fetch_nobody/nothing").label == "Download"
    # AppTest cannot run again with a name that is typed into a select box, so the click is made for it.
    download = downloads().start("nobody/nothing", None)
    for _ in range(200):
        if not download.running:
            break
        time.sleep(0.05)
    app = run(model="nobody/nothing")
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value == download.error
    assert "hub" in download.error


def test_a_long_text_offers_to_be_truncated():
    app = run(text="word " * 900)
    assert "512" in app.warning[0].value
    app.button[-1].click().run()
    assert not app.exception
    assert not app.warning
    assert "first 512 tokens" in words(app)
    assert "Verified: max. error" in words(app)
    again = run(text="word " * 900, cut=str(app.query_params["cut"]))
    assert not again.warning
    assert "first 512 tokens" in words(again)
    other = run(text="Word " * 900, cut=str(app.query_params["cut"]))
    assert other.warning


def test_of_two_models_only_the_one_that_cuts_the_text_says_so():
    app = run(text="the " * 200, mode="models", other_model="books-encoder")
    assert "at most 128" in app.warning[0].value
    app.button[-1].click().run()
    assert not app.exception
    assert not app.warning
    captions = [caption.value for caption in app.caption if "Only the first" in caption.value]
    assert captions == ["Only the first 128 tokens are shown."]


@pytest.mark.parametrize("mode", ["Two texts", "Two models"])
def test_two_traces_stand_side_by_side(mode):
    app = run(mode=mode)
    assert not app.exception
    assert "difference" in components(app)
    assert app.subheader[0].value == "Heads that differ most"
    assert not app.error
    assert ("Most alike: head " if mode == "Two models" else "differs most between the texts") in words(app)


def test_the_closest_heads_of_two_models_are_shown_apart():
    app = run(mode="models", other_model="books-encoder")
    found = re.search(r"Most alike: head (\d+\.\d+) of books-decoder and head (\d+\.\d+) of books-encoder", words(app))
    next(button for button in app.button if button.label == "Show these two").click().run()
    assert not app.exception
    assert address(app)["head"] == found[1]
    assert address(app)["other_head"] == found[2]
    assert not next(toggle for toggle in app.toggle if toggle.label == "Link heads").value


@pytest.mark.parametrize(
    ("parameters", "right"),
    [
        (
            {"mode": "texts", "other_text": "The very old cat sat on the mat."},
            ("text", "The very old cat sat on the mat."),
        ),
        ({"mode": "models", "other_model": "books-encoder"}, ("model", "books-encoder")),
    ],
)
def test_each_side_of_a_comparison_has_its_doors(parameters, right):
    app = run(head="1.2", **parameters)
    assert not app.exception
    queries = [parse_qs(link.proto.query_string) for link in app.get("page_link") if link.proto.label == "Its numbers"]
    assert [query["head"] for query in queries] == [["1.2"], ["1.2"]]
    name, value = right
    assert [query.get(name) == [value] for query in queries] == [False, True]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_is_compared_with_one_that_reads_its_text(name):
    app = run(mode="models", model=name)
    assert not app.exception
    assert not app.error
    assert app.subheader[0].value == "Heads that differ most"
    assert [model.value for model in app.selectbox if model.label == "Other model"] != [name]


def test_a_head_that_differs_opens_on_both_sides(monkeypatch):
    """A click on the second bar, once."""
    drawn, clicks = [], [1]

    def picked(items, **_options):
        drawn.append(items)
        return clicks.pop() if clicks else None

    monkeypatch.setattr(comparison, "token_view", picked)
    app = run(mode="texts", other_text="The very old cat sat on the mat.", head="0.0")
    assert not app.exception
    values = [item.value for item in drawn[0]]
    assert values == sorted(values, reverse=True)
    head = drawn[0][1].text.removeprefix("Head ")
    assert [app.query_params[name] for name in ("head", "other_head")] == [head, head]


def test_the_other_text_begins_as_a_copy_with_one_word_changed():
    app = run(mode="texts", text="The cat sat on the mat.")
    default, areas = "The dog sat on the mat.", [part.proto for part in app.get("bidi_component")]
    assert any(default in str(area) for area in areas)
    assert "other_text" not in app.query_params


def test_one_goes_on_from_a_head():
    app = run(head="1.3", text="The cat sat on the mat.")
    links = {link.proto.label: link.proto for link in app.get("page_link")}
    assert {"Its numbers", "Without it", "What it writes"} <= set(links)
    assert "parts=decoder.1.3" in links["Without it"].query_string
    assert "section=ablate" in links["Without it"].query_string
    assert "head=1.3" in links["Its numbers"].query_string
    assert "section=writes" in links["What it writes"].query_string


def test_the_heads_like_it_are_listed_and_open():
    app = run(head="1.1")
    button = next(button for button in app.button if str(button.key).startswith("like_"))
    button.click().run()
    assert not app.exception
    assert app.query_params["head"] == str(button.key).removeprefix("like_")


def test_examples_are_those_that_a_model_reads():
    small = examples(load("books-encoder"))
    assert "Cat and dog" in small
    assert not {"Digits", "Sum", "English to French", "Long text"} & set(small), "toy tasks, and more than 128 tokens"
    assert list(examples(load("induction"))) == ["Repeated symbols", "Digits"]
    long = examples(load("books-decoder"))["Long text"]
    assert len(encode(load("books-decoder").tokenizer, long)) <= 512


@pytest.mark.parametrize("name", ["books-decoder", "books-encoder", "tales-translator", "induction"])
def test_a_changed_word_keeps_the_number_of_tokens(name):
    model = load(name)
    for text in examples(model).values():
        other = other_text(model, text)
        assert other != text
        assert len(encode(model.tokenizer, other)) == len(encode(model.tokenizer, text))


@pytest.mark.parametrize("view", ["head", "model", "neuron"])
def test_bertviz_draws_the_trace(view):
    app = run(mode="BertViz", bertviz=view)
    assert not app.exception
    assert not app.error
    (frame,) = app.get("iframe")
    assert frame.proto.alt == f"BertViz's {view} view"
    assert "sat" in frame.proto.srcdoc


@pytest.mark.parametrize("mode", ["Two texts", "texts"])
def test_a_link_from_before_opens_the_same_mode(mode):
    app = run(mode=mode)
    assert app.query_params["mode"] in ("texts", ["texts"])
    assert "difference" in components(app)


def test_options_come_from_the_address():
    app = run(hide_special="true", set_aside="true")
    assert app.toggle(key=HIDE_SPECIAL).value is True
    assert app.toggle(key=EXCLUDE_FIRST).value is True
    assert not app.exception


def test_chosen_tokens_and_words_stand_in_address_and_export():
    app = run(head="1.1", query="2", chosen="2.4-5", gather="sum", units="words")
    assert not app.exception
    assert {name: app.query_params[name] for name in ("query", "chosen", "gather", "units")} == {
        "query": "2",
        "chosen": "2.4-5",
        "gather": "sum",
        "units": "words",
    }
    (python,) = [code.value for code in app.code if "head_map" in code.value]
    assert "gathered = weights.take([2, 4, 5], axis=0).sum(0)" in python
    assert "word_maps(weights[None], queries, keys)[0]" in python
    elsewhere = run(head="1.1", query="3", chosen="2.4-5")
    assert "chosen" not in elsewhere.query_params, "another page has moved the token"


def test_a_damaged_address_is_no_error():
    app = run(text="~%%%", head="x.y", pin="query.", scale="cubic", mode="nothing", device="toaster")
    assert not app.exception
    assert "Verified: max. error" in words(app)


def test_corrupt_weights_and_pickle_are_refused_with_a_sentence(small_folder, tmp_path):
    (small_folder / "model.safetensors").write_bytes(b"\x10" * 64)
    app = run(model=str(small_folder))
    assert not app.exception
    assert "damaged" in words(app) or "safetensors" in words(app)
    torch.save({}, small_folder / "pytorch_model.bin")
    (small_folder / "model.safetensors").unlink()
    assert "pickle" in words(run(model=str(small_folder)))


def test_numbers_that_are_not_finite_are_named(small_folder):
    path = small_folder / "model.safetensors"
    weights = safetensors.torch.load_file(path)
    name = next(name for name in weights if "attn" in name and weights[name].ndim > 1)
    weights[name][0, 0] = float("nan")
    safetensors.torch.save_file(weights, path, metadata={"format": "pt"})
    app = run(model=str(small_folder), text="The cat")
    assert not app.exception
    (error,) = app.error
    assert f"holds NaN, which is not a number: 1 of the 768 numbers in `{name}`." in error.value


def test_a_heads_scores_over_several_texts_have_a_mean_and_an_interval():
    app = run(head="0.1", several="The cat sat on the mat.\nThe dog sat on the rug.\nA tree stood by the river.")
    assert not app.exception
    table = next(frame.value for frame in app.dataframe if "95% interval" in frame.value.columns)
    row = table[table["Score"] == "previous token"].iloc[0]
    assert row["Texts"] == 3
    low, high = (float(end) for end in row["95% interval"].split(" … "))
    assert low < float(row["Mean"]) < high
    assert "Head 0.1 over 3 texts" in words(app)


class Uploaded:
    """What a file uploader holds."""

    def __init__(self, content: bytes) -> None:
        self.file_id, self._content = str(hash(content)), content

    def getvalue(self) -> bytes:
        return self._content


@pytest.mark.parametrize(
    ("content", "count"), [("The cat sat.\n\nÜber den Fluß.".encode("utf-16"), 2), (b"one\r\ntwo\r\nthree", 3)]
)
def test_a_file_of_texts_is_read_line_by_line(monkeypatch, content, count):
    monkeypatch.setattr(several_texts.st, "file_uploader", lambda *_arguments, **_options: Uploaded(content))
    app = run(head="0.1")
    assert not app.exception
    assert f"Head 0.1 over {count} texts" in words(app)


def test_a_file_that_is_no_text_is_refused(monkeypatch):
    monkeypatch.setattr(several_texts.st, "file_uploader", lambda *_arguments, **_options: Uploaded(b"\x00\xff\x00"))
    assert "not text" in " ".join(error.value for error in run(head="0.1").error)
