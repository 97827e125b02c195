"""The page Fine-tune on its shipped example: every effect, the form of a new run, and links that bring it back."""

import json
import re
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from playground.jobs import executor
from playground.tasks.finetune.labels import LabelsConfig
from playground.tasks.finetune.passages import PassagesConfig
from playground.tasks.finetune.rows import SplitRows, read_split
from playground.training.finetune import FinetuneConfig, TrainedParts
from playground.training.run.folder import run
from tests.helpers.chat_tokenizer import save_chat_model
from tests.helpers.page_script import address, charts, run_page, words
from tests.helpers.small_finetuning import finetune_config
from ui.sections.finetune.draft import settings_of
from ui.state.address import unpack


def page(**parameters: str):
    app = run_page("finetune", **parameters)
    assert not app.exception, app.exception
    return app


def shown(app) -> set[str]:
    return {chart["label"] for chart in charts(app)}


def number(app, label: str) -> float:
    return next(box.value for box in app.number_input if box.label == label)


def form(**values: object) -> str:
    return json.dumps(values)


@pytest.fixture(autouse=True)
def own_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(executor.LocalExecutor, "_keep_spare", lambda self: None)
    executor.default_executor.cache_clear()
    yield
    executor.default_executor().close()
    executor.default_executor.cache_clear()


def test_the_first_sight_is_the_example_before_and_after():
    app = page()
    said = words(app)
    assert "The shipped example · Sentiment of templated sentences · trained: LoRA" in said
    assert "of 500 held-out rows are right" in said
    assert "Held-out accuracy" in shown(app)
    names = list(app.dataframe[0].value["system"])
    assert names == ["fine-tuned", "TF-IDF + logistic regression", "most frequent label"]


def test_the_change_of_every_matrix_is_of_the_rank_that_was_trained():
    app = page(effect="weights")
    said = words(app)
    assert "has rank 8 of 192 beyond rounding" in said
    assert "B is " in said
    assert {"Change of each weight", "LoRA A", "LoRA B"} <= shown(app)
    lines = next(code.value for code in app.code if "W'[" in code.value).splitlines()
    before, added, after = (float(word) for word in lines[-1].partition("=")[2].replace("=", " ").split())
    assert before + added == pytest.approx(after, abs=3e-6)


def test_a_link_brings_the_weight_back():
    name = "blocks.2.attention.output.weight"
    assert f"The change of {name} has rank" in words(page(effect="weights", weight=name))
    assert "has rank 8 of 192" in words(page(effect="weights", weight="no such weight"))


def test_heads_open_as_difference_maps():
    app = page(effect="heads", several="He was kind.\nThe room was cold.")
    assert "Changed most over 2 texts: head" in words(app)
    assert {"Change of each head", "Heads that changed most"} <= shown(app)


def test_the_states_of_a_text():
    app = page(effect="states", text="The staff was very kind.")
    assert "the state has moved by" in words(app)
    assert {"Distance of each state from the one before", "Mean distance and cosine after each layer"} <= shown(app)


def test_forgetting_has_an_interval():
    app = page(effect="forgetting", general="It rains.\nA cat.\nWe go.\nWho is it?\nThe sea.")
    assert "bits per byte" in words(app)
    assert "Difference in bits per byte" in shown(app)
    assert "5 to 200 passages" in words(page(effect="forgetting", general="One."))


def test_two_models_that_are_no_pair_are_refused_in_a_sentence():
    assert "not one architecture" in words(page(before="books-encoder", after="books-decoder"))
    assert "There is no folder" in words(page(before="books-encoder", after="/no/such/folder"))


def test_a_new_run_says_what_it_trains_and_costs():
    app = page(show="new", finetuning=form(base="books-encoder", method="head"))
    said = words(app)
    assert "Trainable **" in said
    assert "of all parameters" in said
    assert not next(button for button in app.button if button.label == "Start").disabled


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"method": "last", "parts": {"layers": 99}}, "The model has 5 layers; choose at most as many"),
        ({"base": "/no/such/model/here"}, "There is no folder"),
        ({"data": {"kind": "labels.table", "text": "text,label\na,x\nb,x\n"}}, "at least two labels are needed"),
        ({"data": {"kind": "passages"}}, "Type or upload a text to learn from."),
        ({"parts": {"rank": 192}, "method": "lora"}, "choose a smaller rank"),
        ({"method": "biases"}, "This model has no biases to train; choose LoRA"),
        ({"data": {"kind": "passages", "text": "It rains. " * 400}}, "does not predict the next token"),
    ],
)
def test_what_cannot_be_trained_is_told(values, sentence):
    app = page(show="new", finetuning=form(**values))
    assert sentence in words(app)
    assert all(button.disabled for button in app.button if button.label == "Start")


@pytest.mark.parametrize(
    ("base", "kind"), [("books-encoder", "labels.table"), ("books-decoder", "prompts"), ("tales-translator", "pairs")]
)
def test_the_table_that_stands_in_the_field_can_be_learned(base, kind):
    app = page(show="new", finetuning=form(base=base, method="all", data={"kind": kind}))
    assert "Trainable **" in words(app)
    assert not next(button for button in app.button if button.label == "Start").disabled


def test_answers_that_are_missing_and_pairs_too_long_are_told():
    table = "prompt,answer\nWho?,She.\nWhat?,\nWhere?,Here.\nWhen?,Now.\nHow?," + "so " * 200
    data = {"kind": "prompts", "text": table}
    said = words(page(show="new", finetuning=form(base="books-decoder", data=data)))
    assert "Pairs to train on: 3. Held out: 1." in said
    assert "Rows without a text, a label or an answer are left out: 1, the first in line 3." in said
    assert "Pairs longer than a row are left out: 1 of the 4 looked at." in said


@pytest.mark.parametrize(("kind", "text"), [("prompts", "prompt\na\nb\nc\n"), ("labels.table", "label\na\nb\na\nb\n")])
def test_one_column_is_not_learned_from_itself(kind, text):
    app = page(show="new", finetuning=form(base="books-decoder", data={"kind": kind, "text": text}))
    assert "two columns are needed" in words(app)
    assert app.button(key="start_nothing").disabled


def test_more_labels_than_are_named_end_in_dots():
    rows = [f"text {number},label{number % 14}" for number in range(140)]
    app = page(show="new", finetuning=form(data={"kind": "labels.table", "text": "\n".join(["text,label", *rows])}))
    assert re.search(r"label7 \d+, …\), 28 held out", words(app))


def test_labels_that_are_long_or_unseen_leave_the_sentence_readable():
    names = ["a label that goes on" * 40, "x\u202ey", "消极"]
    table = "文本,label\n" + "".join(f"text {number},{names[number % 3]}\n" for number in range(30))
    said = words(page(show="new", finetuning=form(data={"kind": "labels.table", "text": table})))
    found = re.search(r"texts to train on \((.*)\), 6 held out", said)
    assert found
    assert re.fullmatch(r"a label that goe… \d+, x‹202e›y \d+, 消极 \d+", found[1])


def test_a_new_fine_tuning_begins_with_the_model_of_the_other_pages():
    def base(app):
        return next(box.value for box in app.selectbox if box.label == "Model to fine-tune")

    app = page(show="new", model="induction")
    assert base(app) == "induction"
    assert "base" not in json.loads(address(app)["finetuning"])  # another model may be the shared one next time
    assert base(page(show="new")) == "books-encoder"
    assert base(page(show="new", model="induction", finetuning=form(base="books-decoder"))) == "books-decoder"


def test_numbers_that_do_not_go_together_stand_in_the_fields_with_what_is_wrong():
    app = page(show="new", finetuning=form(method="head", train={"steps": 4, "layer_decay": 1}))
    assert (number(app, "Steps"), number(app, "Layer-wise decay of the rate")) == (4, 1.0)
    assert "warm" in words(app)
    assert app.button(key="start_nothing").disabled


@pytest.mark.parametrize(
    "train",
    [{"steps": wrong} for wrong in (-5, 1.5, "4", True, 10**30)] + [{"schedule": "gossip"}, {"x": 1}],
)
def test_settings_that_are_none_are_told_and_the_defaults_shown(train):
    app = page(show="new", finetuning=form(method="head", train=train))
    assert "this version does not know" in words(app)
    assert number(app, "Steps") == 300


def test_another_method_takes_no_settings_of_the_last():
    app = page(show="new", finetuning=form(method="lora", parts={"rank": 4}, train={"steps": 77}))
    assert (number(app, "Rank r of LoRA"), number(app, "Steps")) == (4, 77)
    next(control for control in app.segmented_control if control.label == "What is trained").set_value("head").run()
    assert "does not know" not in words(app)


@pytest.mark.parametrize("damaged", ["[", "7", '{"base": 7, "data": [], "parts": 3}', '{"method": "gossip"}'])
def test_a_damaged_address_shows_the_defaults(damaged):
    assert "Trainable **" in words(page(show="new", finetuning=damaged))


def test_the_series_ask_before_they_start():
    assert any("Start 6 runs" in button.label for button in page(show="labels").button)
    assert any("Start 7 runs" in button.label for button in page(show="ranks").button)
    assert "No runs yet" in words(page(show="ranks", rank_runs="gone,../x"))


def test_a_link_brings_ranks_and_counts_back():
    assert any("Start 2 runs" in button.label for button in page(show="ranks", ranks="1,8,77").button)
    app = page(show="labels", label_counts="50,100", label_seeds="2")
    assert any("Start 8 runs" in button.label for button in app.button)
    assert "Choose at least one rank." in words(page(show="ranks", ranks="-"))


def test_the_result_can_be_taken_along():
    app = page(show="files")
    labels = {button.proto.label for button in app.get("download_button")}
    assert {"Download ZIP: adapter for peft", "Download ZIP: merged model", "Download ZIP: for transformers"} <= labels
    assert "Model name, here and in Python: books-encoder-sentiment" in words(app)


@pytest.fixture
def chatted(tmp_path) -> SplitRows:
    """A run on prompts with a chat template, and its pairs."""
    base = str(save_chat_model(tmp_path / "chat"))
    parts = TrainedParts(method="head")
    config = replace(finetune_config(tmp_path, "decoder", "prompts"), base=base, parts=parts, length=200)
    for _step in run(config, tmp_path / "runs" / "chatted"):
        pass
    return read_split(tmp_path / "runs" / "chatted")


def as_trained(prompt: str, answer: str | None = None) -> str:
    asked = f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
    return asked if answer is None else f"{asked}{answer}<|im_end|>"


def test_samples_read_the_prompts_in_the_frame_of_their_training(chatted):
    app = page(run="chatted", effect="samples", prompts="Who is it?")
    assert "chat template, as in training" in words(app)
    assert "Who is it?" in [text.value for text in app.text]
    program = next(code.value for code in app.code if "sample_pairs(" in code.value)
    assert repr(as_trained("Who is it?")) in program


def test_heads_read_held_out_prompts_with_their_answers(chatted):
    prompt, answer = chatted.held_out.texts[0], chatted.held_out.labels[0]
    app = page(run="chatted", effect="heads", several=f"{prompt}\nWho is it?")
    assert "in the tokenizer's chat template, a held-out one with its answer" in words(app)
    program = next(code.value for code in app.code if "head_drift(" in code.value)
    assert repr([as_trained(prompt, answer), as_trained("Who is it?")]) in program
    links = [link.proto for link in app.get("page_link") if re.fullmatch(r"\d\.\d", link.proto.label)]
    maps = [unpack(parse_qs(link.query_string)["text"][0], "", 9999) for link in links]
    assert maps
    assert set(maps) <= {as_trained(prompt, answer), as_trained("Who is it?")}


def test_heads_and_states_begin_with_held_out_pairs(chatted):
    prompt, answer = chatted.held_out.texts[0], chatted.held_out.labels[0]
    program = next(code.value for code in page(run="chatted", effect="heads").code if "head_drift(" in code.value)
    pairs = zip(chatted.held_out.texts, chatted.held_out.labels, strict=True)
    assert all(repr(as_trained(*pair)) in program for pair in pairs)
    app = page(run="chatted", effect="states")
    assert "A held-out prompt and its answer, as they are read in training." in words(app)
    program = next(code.value for code in app.code if "stream_drift(" in code.value)
    assert repr(as_trained(prompt, answer)) in program
    app = page(run="chatted", effect="states", text="the cat sat")
    assert "A held-out prompt" not in words(app)


def test_without_a_template_a_blank_line_stands_before_the_answer(tmp_path):
    config = finetune_config(tmp_path, "decoder", "prompts", parts=TrainedParts(method="all"))
    for _step in run(config, tmp_path / "runs" / "plain"):
        pass
    rows = read_split(tmp_path / "runs" / "plain").held_out
    app = page(run="plain", effect="heads", several=rows.texts[0])
    assert "a blank line behind it, then the answer of a held-out one" in words(app)
    program = next(code.value for code in app.code if "head_drift(" in code.value)
    assert repr([f"{rows.texts[0]}\n\n{rows.labels[0]}"]) in program


def test_a_run_that_is_gone():
    app = page(run="gone")
    assert "no such run" in words(app)
    app.button(key="close_run").click().run()
    assert "no such run" not in words(app)
    assert "run" not in app.query_params
    assert "No run is open" in words(page(show="run"))


@pytest.mark.parametrize("method", ["lora", "last", "head"])
def test_a_run_s_settings_fill_the_form(method):
    """What the door of a run carries makes the same config."""
    table = "text,label\na cat sat,x\na dog ran,y\nthe cat ran,x\nthe dog sat,y\nno cat,x\nno dog,y\n"
    config = FinetuneConfig(
        base="books-encoder",
        task=LabelsConfig(source="table", text=table, text_column="text", label_column="label"),
        parts=TrainedParts(method=method, **({"rank": 4, "matrices": ("query",)} if method == "lora" else {})),
        steps=70,
        learning_rate=1e-3,
    )

    def form_of_a_run(settings: str) -> None:
        import streamlit as st

        from ui.sections.finetune.draft import choose_finetuning

        st.query_params["finetuning"] = settings
        st.session_state["config"] = choose_finetuning().config

    app = AppTest.from_function(form_of_a_run, args=(settings_of(config),), default_timeout=60).run()
    assert not app.exception
    assert app.session_state["config"] == config


def test_a_long_text_is_in_no_address():
    config = FinetuneConfig(base="books-decoder", task=PassagesConfig(text="word " * 5000))
    assert json.loads(settings_of(config))["data"] == {"kind": "passages"}


@pytest.mark.parametrize(
    ("family", "task", "finding", "columns"),
    [
        ("decoder", "prompts", "A byte of held-out text costs", ["bits per byte", "perplexity"]),
        ("decoder", "passages", "A byte of held-out text costs", ["bits per byte", "perplexity"]),
        ("encoder-decoder", "pairs", "held-out sources reach BLEU", ["source", "reference", "before", "after"]),
    ],
)
def test_models_that_write_are_measured_on_held_out_rows(tmp_path, family, task, finding, columns):
    config = finetune_config(tmp_path, family, task, parts=TrainedParts(method="all"))
    config = replace(config, task=replace(config.task, held_out=0.5))
    for _step in run(config, tmp_path / "runs" / "written"):
        pass
    app = page(run="written", effect="scores")
    assert finding in words(app)
    assert {"Held-out rows before and after", "Difference over the held-out rows"} <= shown(app)
    assert set(columns) <= set(app.dataframe[0].value.columns)
    assert "paired bootstrap resamples of them." in words(app)
    program = next(code.value for code in app.code if "compare_held_out(" in code.value)
    assert "run_path(runs_folder(), 'written')" in program


def test_too_few_held_out_rows_are_told(tmp_path):
    for _step in run(finetune_config(tmp_path, "decoder", "prompts"), tmp_path / "runs" / "few"):
        pass
    assert "need at least 5 rows" in words(page(run="few", effect="scores"))
