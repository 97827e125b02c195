"""The page that predicts and writes, as a script: every section, and everything a person can get wrong."""

import threading

import pytest
import safetensors.torch
from streamlit.testing.v1 import AppTest

from playground.lens.capture.tokens import encode
from playground.lens.generate.branches import Tree, grow
from playground.lens.generate.findings import percent
from playground.lens.generate.generation import GenerationConfig
from playground.lens.generate.predictions import next_distribution
from playground.models import LoadedModel, default_registry, load
from tests.helpers.page_script import address, charts, run_page, words
from ui.sections.generate.draft import TextDraft, replay
from ui.sections.generate.fill_mask import filled
from ui.sections.generate.token_doors import answer_for
from ui.state.parameters import BRANCH, PAIR, TEXT, TOP_K
from ui.widgets.text import Texts

SECTIONS = ["next", "write", "surprisal", "lens"]


def page(**parameters: str) -> AppTest:
    return run_page("generate", **parameters)


def branch(app: AppTest) -> str:
    """The branch in the address; empty where there is none."""
    value = app.query_params.get(BRANCH, "")
    return value if isinstance(value, str) else value[0]


def settle(app: AppTest, before: str = "") -> None:
    """Let the page look again, as its browser does, until there is another branch than before."""
    for _look in range(200):
        if branch(app) not in ("", before):
            return
        app.run()
    raise AssertionError("nothing was written")


def shows_no_error(app: AppTest) -> bool:
    return not app.exception and not app.error


def test_a_new_visitor_sees_what_comes_next():
    app = page()
    assert shows_no_error(app)
    assert "4,096 of 4,096 tokens remain" in words(app)
    assert "No filter active." in words(app)


def test_what_the_filters_removed_is_said():
    app = page(text="The cat", top_k="5", min_p="1.0")
    assert shows_no_error(app)
    assert "top-k removed 4,091 tokens" in words(app)
    assert "1 of 4,096 tokens remain" in words(app)
    assert app.number_input(key=TOP_K).value == 5


def test_the_distribution_after_any_token_of_the_text():
    text = "The cat sat on the mat"
    last, early = page(text=text), page(text=text, query="1")
    assert "Most probable after 6 ␣mat" in words(last)
    assert "Click one to append it" in words(last)
    assert "Most probable after 1 The" in words(early)
    assert "Click one to continue with it from there" in words(early)
    model = default_registry().get("books-decoder", None, "auto", "auto")
    predicted = next_distribution(model, text, position=1)
    assert f"with {percent(float(predicted.model.max()))}" in words(early)
    assert f"Entropy {predicted.entropy:.2f} of at most 8.32 nats" in words(early)


def test_an_encoder_decoder_begins_with_an_empty_decoder():
    model, text = "tales-translator", "Anna gave the ball to Tom."
    first, typed = page(model=model, text=text), page(model=model, text=text, target="Anna")
    assert shows_no_error(first)
    assert "Most probable after 0 " in words(first)
    assert first.selectbox(key="bar_token").value == 0
    assert len(first.selectbox(key="bar_token").options) > 3
    assert "Most probable after 0 " not in words(typed)
    assert "Most probable after 2 " in words(page(model=model, text=text, query="2"))


def test_a_predicted_token_has_doors():
    app = page(text="The cat sat", query="1")
    links = [link.proto for link in app.get("page_link")]
    writes = next(link for link in links if link.label == "Which heads wrote it")
    assert writes.page == "ablate"
    assert ("section=writes" in writes.query_string, "query=1" in writes.query_string) == (True, True)
    app.button(key="to_lens").click().run()
    assert app.query_params["generate"] in ("lens", ["lens"])
    assert "After 1 The" in words(app)


@pytest.mark.parametrize("section", ["surprisal", "lens"])
def test_a_result_leads_on_with_its_text(section):
    links = [link.proto for link in page(text="The cat sat", generate=section).get("page_link")]
    pages = {link.label: link.page for link in links if "text=The+cat+sat" in link.query_string}
    leads = {"Look at its attention": "", "Inside the model": "inside", "Its tokens": "tokens"}
    assert pages.items() >= {**leads, "Take it apart": "ablate", "Measure this": "evaluate"}.items()


def test_a_door_names_a_token_that_can_be_typed():
    model = default_registry().get("books-decoder", None, "auto", "auto")
    cat = encode(model.tokenizer, " cat")[-1].id
    assert answer_for(model, cat, is_first=False) == {"answer": " cat"}
    assert answer_for(model, cat, is_first=True) == {}
    start = encode(model.tokenizer, "a")[0]
    assert start.special
    assert answer_for(model, start.id, is_first=False) is None


@pytest.mark.parametrize(
    ("unit", "mean"), [("nats", "nats per token, perplexity"), ("bits", "bits per token, perplexity")]
)
def test_surprisal_is_in_one_unit(unit, mean):
    app = page(text="The cat sat on the mat", generate="surprisal", unit=unit)
    assert shows_no_error(app)
    assert mean in words(app)
    assert f"Mean surprisal ({unit} per token)" in [metric.label for metric in app.metric]


def test_an_encoders_perplexity_is_called_a_pseudo_perplexity():
    app = page(model="books-encoder", text="The cat sat.", generate="surprisal")
    assert "pseudo-perplexity" in words(app)
    assert "Salazar et al. 2020" in words(app)


def test_the_lens_says_where_the_answer_appears():
    app = page(text="The cat sat on the mat", generate="lens", query="3")
    assert "After 3" in words(app)
    assert "top-1" in words(app)


@pytest.mark.parametrize("section", SECTIONS)
def test_one_token_is_enough_for_every_section(section):
    assert shows_no_error(page(text="a", generate=section))


@pytest.mark.parametrize("section", ["next", "surprisal", "lens"])
def test_a_text_without_tokens_says_what_to_do(section, small_folder):
    app = page(model=str(small_folder), text="", generate=section)
    assert shows_no_error(app)
    assert "no tokens" in words(app)


def test_writing_after_a_text_without_tokens_says_what_to_do(small_folder):
    app = page(model=str(small_folder), text="", generate="write", branch="5")
    assert shows_no_error(app)
    assert "no tokens" in words(app)


def test_steps_are_written_and_a_link_brings_them_back():
    app = page(text="The cat sat", generate="write")
    app.button(key="step").click().run()
    settle(app)
    first = branch(app)
    app.button(key="step").click().run()
    settle(app, first)
    assert shows_no_error(app)
    assert branch(app).startswith(first + ".")
    assert "2 tokens" in words(app)
    again = page(text="The cat sat", generate="write", branch=branch(app))
    assert branch(again) == branch(app)
    assert "2 tokens" in words(again)
    assert "looked" not in again.query_params
    back = page(text="The cat sat", generate="write", branch=branch(app), looked="1")
    assert "looked" in back.query_params
    beyond = page(text="The cat sat", generate="write", branch=branch(app), looked="77")
    assert "looked" not in beyond.query_params


def test_branches_that_are_not_shown_come_back_with_a_link():
    model, config = load("books-decoder"), GenerationConfig(max_new_tokens=3, seed=0)
    *_steps, (tree, end) = grow(model, Tree(text="The cat sat"), config=config)
    first, second, third = tree.ids(end)
    other = next(one.token.id for one in tree.nodes[1].generated.alternatives if one.token.id != second)
    link = {"branch": f"{first}.{second}.{third}", "branches": f"1.{other}"}
    app = page(text="The cat sat", generate="write", **link)
    assert shows_no_error(app)
    assert {name: address(app)[name] for name in link} == link
    assert [chart["label"] for chart in charts(app)].count("Tree of all branches") == 1
    # The other one shown, the first one comes back beside it.
    turned = page(text="The cat sat", generate="write", branch=f"{first}.{other}", branches=f"1.{second}.{third}")
    assert address(turned)["branches"] == f"1.{second}.{third}"


@pytest.mark.parametrize("branches", ["x", "1", "0.99999999", "1.0_x", "9.9.9", "_".join(["0.5"] * 50), "1." * 2_000])
def test_damaged_branches_are_left_out(branches):
    app = page(text="The cat sat", generate="write", branch="5", branches=branches)
    assert shows_no_error(app)


def test_playing_can_be_paused_and_begun_anew():
    app = page(text="The cat sat", generate="write")
    app.button(key="play").click().run()
    settle(app)
    app.button(key="pause").click().run()
    assert shows_no_error(app)
    assert branch(app)
    app.button(key="start_over").click().run()
    assert not branch(app)
    assert "0 tokens" in words(app)


def test_a_token_that_takes_long_shows_a_bar_and_can_be_cancelled(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(TextDraft, "take_stream", lambda self, model, config: (gate.wait(30) for _ in "x"))
    app = page(text="The cat sat", generate="write")
    app.button(key="step").click().run()
    assert app.button(key="cancel_writing")
    app.button(key="cancel_writing").click().run()
    gate.set()
    assert shows_no_error(app)
    assert "Cancelled." in words(app)
    assert not branch(app)
    assert not app.button(key="step").disabled


def test_another_text_does_not_inherit_the_branch():
    app = page(text="The cat sat", generate="write")
    app.button(key="step").click().run()
    settle(app)
    app.query_params["text"], app.session_state["text_revision"] = "The dog ran", 1
    app.run()
    assert shows_no_error(app)
    assert not branch(app)
    assert "0 tokens" in words(app)


def write(draft: TextDraft, model: LoadedModel, config: GenerationConfig) -> None:
    """Write one token."""
    stream = draft.take_stream(model, config)
    draft.append(config, stream, [next(stream)])


def test_a_draft_goes_on_as_if_it_had_been_written_at_once_and_branches():
    model = default_registry().get("books-decoder", None, "auto", "auto")
    config = GenerationConfig(max_new_tokens=50)
    draft = replay(model, "The cat sat", [[]], config)
    for _turn in range(4):
        write(draft, model, config)
    ids = draft.tree.ids(draft.node)
    other = draft.tree.nodes[draft.tree.path(draft.node)[1]].generated.alternatives[3].token.id
    draft.branch(draft.tree.path(draft.node)[1], other)
    write(draft, model, config)
    branched = draft.tree.ids(draft.node)
    assert branched[:2] == [ids[0], other]
    assert len(draft.tree.leaves()) == 2
    for wanted in (ids, branched):
        again = replay(model, "The cat sat", [wanted], config)
        assert again.tree.ids(again.node) == wanted


def test_a_branch_that_was_never_offered_is_cut_where_it_leaves_the_offered():
    model = default_registry().get("books-decoder", None, "auto", "auto")
    config = GenerationConfig(max_new_tokens=50)
    draft: TextDraft = replay(model, "The cat sat", [[]], config)
    write(draft, model, config)
    ids = draft.tree.ids(draft.node)
    offered = {other.token.id for other in draft.tree.nodes[0].generated.alternatives}
    never = next(id for id in range(4096) if id not in offered)
    assert replay(model, "The cat sat", [[never]], config).tree.nodes == ()
    assert replay(model, "The cat sat", [[*ids, 10**6]], config).tree.ids(0) == ids


def test_a_model_without_an_output_head_is_said_to_predict_nothing(save_model):
    import transformers

    folder = save_model("bert")
    transformers.AutoModel.from_pretrained(folder).save_pretrained(folder)
    app = page(model=str(folder))
    assert shows_no_error(app)
    assert "no output head" in words(app)


def test_an_encoder_whose_vocabulary_has_no_mask_says_so(save_model):
    app = page(model=str(save_model("bert")), text="the cat")
    assert shows_no_error(app)
    assert "no mask token" in words(app)


def test_an_encoder_fills_in_what_is_masked(save_model):
    import transformers

    folder = save_model("bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    tokenizer.save_pretrained(folder)
    spelled = page(model=str(folder), text="the [MASK] sat")
    assert shows_no_error(spelled)
    assert "Position 1" in words(spelled)
    clicked = page(model=str(folder), text="the cat sat", masked="0.2.99")
    assert shows_no_error(clicked)
    assert "Position 0" in words(clicked)
    assert "Position 2" in words(clicked)
    assert "Nothing is masked" in words(page(model=str(folder), text="the cat", masked="x"))


def test_an_encoder_decoder_translates_and_asks_for_the_target_that_is_judged(save_model):
    folder = str(save_model("bart"))
    translated = page(model=folder, text="the cat", generate="translate", beams="2")
    assert shows_no_error(translated)
    assert "Beam search" in words(translated)
    assert "Enter a target text" in words(page(model=folder, text="the cat", generate="surprisal"))
    assert shows_no_error(page(model=folder, text="the cat", target="the dog", generate="surprisal"))


def test_weights_that_are_no_numbers_are_said_to_be_damaged(small_folder):
    file = small_folder / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    name = next(name for name in weights if "attn" in name and weights[name].ndim > 1)
    weights[name][0] = float("nan")
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})
    app = page(model=str(small_folder), text="the cat")
    assert not app.exception
    assert "not a number" in words(app)


@pytest.mark.parametrize(
    "parameters",
    [
        {"generate": "nonsense"},
        {"temperature": "x"},
        {"top_p": "7"},
        {"top_k": "-3"},
        {"min_p": "nan"},
        {"generate": "write", "branch": "1.x", "watch_layer": "999", "seed": "-1", "new_tokens": "1e9"},
    ],
)
def test_a_damaged_address_shows_the_usual(parameters):
    assert shows_no_error(page(text="The cat", **parameters))


def test_a_followed_token_and_the_first_position_stand_in_the_address():
    text = "The cat sat on the mat, and the dog sat on the rug. The cat looked at the dog."
    app = page(text=text, generate="lens", answer=" dog", lens_first="2")
    assert shows_no_error(app)
    assert "probability of the target token" in words(app)
    assert app.slider[0].value == 2
    app.slider[0].set_value(1).run()
    assert app.query_params["lens_first"] in ("1", ["1"])


def test_a_guess_is_put_in_its_masks_place():
    model = default_registry().get("books-encoder", None, "auto", "auto")
    texts = Texts(text="The<|mask|> sat on<|mask|>.", pair="It<|mask|> there.")
    tokens = encode(model.tokenizer, texts.text, texts.pair)
    places = [place for place, token in enumerate(tokens) if token.text == "<|mask|>"]
    guess = encode(model.tokenizer, " slept")[1].id
    ids = [token.id for token in tokens]
    assert filled(model, texts, ids, places[0], guess) == (TEXT, "The slept sat on<|mask|>.")
    assert filled(model, texts, ids, places[2], guess) == (PAIR, "It slept there.")
