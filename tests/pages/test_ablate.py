"""Take it apart as a script: every section on our own model, and what cannot be answered."""

import pytest
import safetensors.torch
import torch
import transformers
from streamlit.testing.v1 import AppTest

from playground import load, trace
from tests.helpers.own_models import random_model
from tests.helpers.own_models import save_model as save_own_model
from tests.helpers.page_script import charts, run_page, words
from tests.helpers.pretrained_folders import build, save_tokenizer
from ui import jobs

TEXT = "The cat sat on the mat"
RUN = "Zx81-kqV_w7TfA2bGm9cHe"


def page(**parameters: str) -> AppTest:
    return run_page("ablate", **{"text": TEXT, **parameters})


def figures(app: AppTest) -> int:
    return len(charts(app))


def test_a_new_visitor_sees_what_each_head_is_worth():
    app = page()
    assert not app.exception
    assert not app.error, words(app)
    assert figures(app) == 1


def test_a_chosen_set_and_the_smallest_one_come_back_with_the_address(small_folder):
    app = page(
        model=str(small_folder), text="the cat sat on", parts="decoder.0.1,decoder.1.layer", smallest="yes", limit="3"
    )
    assert not app.exception
    assert not app.error, words(app)
    assert len(app.metric) == 6
    assert "8 heads are sufficient" in words(app)


@pytest.mark.parametrize(
    ("section", "more", "count"),
    [
        ("writes", {}, 5),
        ("patch", {"clean": "the cat sat on", "corrupted": "the dog sat on", "patch_answer": "the", "other": "dog"}, 1),
        (
            "patch",
            {
                "clean": "the cat sat",
                "corrupted": "the dog sat",
                "patch_answer": "the",
                "other": "dog",
                "patch": "head",
            },
            1,
        ),
        ("flow", {}, 1),
        ("flow", {"method": "flow"}, 1),
        pytest.param("flow", {"method": "gradients"}, 1, marks=pytest.mark.slow),
        ("whole", {"parts": "decoder.0.0,decoder.0.1,decoder.1.feed_forward"}, 2),
        ("heads", {}, 1),
        ("heads", {"pattern": "painted", "painted": "2-1,3-2"}, 1),
    ],
)
def test_every_section_draws_its_pictures_from_the_address(small_folder, section, more, count):
    app = page(model=str(small_folder), text="the cat sat on", section=section, **more)
    assert not app.exception
    assert not app.error, words(app)
    assert figures(app) == count


def test_patching_prompts_of_different_lengths_is_answered_with_both_numbers(small_folder):
    prompts = {"clean": "the cat sat on", "corrupted": "the dog", "patch_answer": "the", "other": "dog"}
    app = page(model=str(small_folder), section="patch", **prompts)
    assert not app.exception
    assert "4 tokens and the corrupted one 2" in words(app)


@pytest.mark.parametrize(
    ("section", "count", "message"),
    [
        ("ablate", 0, "choose another metric"),
        ("writes", 5, ""),
        ("flow", 1, ""),
        ("whole", 0, "Choose from 2 to 12 components"),
        ("heads", 0, "No query of this text has a key"),
    ],
)
def test_one_token_has_figures_or_a_message(small_folder, section, count, message):
    app = page(model=str(small_folder), text="the", section=section, judge="loss", pattern="previous")
    assert not app.exception
    assert figures(app) == count
    assert message in words(app)


@pytest.mark.parametrize("section", ["ablate", "writes", "whole"])
def test_a_model_without_an_output_head_says_so(save_model, section):
    folder = save_model("bert")
    build("bert").base_model.save_pretrained(folder)
    app = page(model=str(folder), text="the cat sat", section=section)
    assert not app.exception
    assert "no output head" in words(app)


@pytest.mark.parametrize("section", ["ablate", "flow"])
def test_damaged_weights_are_said_to_be(small_folder, section):
    path = small_folder / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    name = next(name for name in tensors if name.endswith("ln_f.weight"))
    tensors[name] = torch.full_like(tensors[name], float("nan"))
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    app = page(model=str(small_folder), text="the cat sat", section=section)
    assert not app.exception
    assert "not a number" in words(app)


def test_an_empty_text_and_a_long_one_say_what_to_do(small_folder):
    assert "no tokens" in words(page(model=str(small_folder), text=""))
    assert "Shorten it" in words(page(text="the cat " * 300))


PROMPTS = {"clean": "RHXlEUzcDL" * 9, "corrupted": "RHXlEqzcDL" * 9, "patch_answer": "U", "other": "q"}


@pytest.mark.parametrize(
    ("section", "more"),
    [("ablate", {}), ("writes", {}), ("patch", PROMPTS), ("flow", {"method": "gradients"}), ("heads", {})],
)
def test_a_text_beyond_the_context_is_cut_where_the_person_agrees(section, more):
    app = page(model="induction", text="RHXlEUzcDL" * 9, section=section, **more)
    for _prompt in ("clean", "corrupted") if section == "patch" else ("text",):
        assert "at most 64 fit" in app.warning[0].value
        next(button for button in app.button if button.label == "Truncate to 64 tokens").click().run()
    assert not app.exception
    assert not app.error, words(app)
    assert not app.warning
    assert "first 64 tokens" in words(app)
    assert figures(app)


def test_a_text_that_the_context_alone_would_cut_above_the_page_s_limit_is_refused(save_model):
    app = page(model=str(save_model("gpt2", n_positions=512)), text="the cat " * 400)
    assert not app.warning
    assert "800 tokens; this page takes up to 256" in words(app)


def test_cancelled_work_rests_until_it_is_wanted_again(monkeypatch):
    monkeypatch.setattr(jobs, "is_cancelled", lambda work: True)
    app = page(text="Cancelled before it began")
    assert not app.exception
    assert "Cancelled" in words(app)
    assert not figures(app)
    monkeypatch.undo()
    next(button for button in app.button if button.label == "Compute it").click().run()
    assert figures(app) == 1


@pytest.mark.parametrize("damaged", ["nonsense", "encoder.9.9,,x", "~broken"])
def test_a_damaged_address_falls_back(small_folder, damaged):
    names = ("parts", "by", "judge", "position", "limit", "section")
    app = page(model=str(small_folder), text="the cat sat", **dict.fromkeys(names, damaged))
    assert not app.exception
    assert not app.error, words(app)
    assert figures(app) == 1
    assert not app.metric
    defaults = ["ablate", "mean", "divergence", "0.1"]
    assert [control.value for control in app.segmented_control] == defaults
    assert app.selectbox(key="bar_token").value == 2
    assert app.multiselect[0].value == []


@pytest.mark.parametrize(
    ("section", "more"),
    [
        ("ablate", {}),
        ("writes", {}),
        ("patch", {}),
        ("patch", {"patch": "head_position", "patch_layer": "1"}),
        ("flow", {}),
        ("heads", {}),
        ("heads", {"search_kind": "cross", "pattern": "painted", "painted": "1-2"}),
    ],
)
@pytest.mark.parametrize("kind", ["encoder", "encoder-decoder"])
def test_our_own_kinds_are_taken_apart(tmp_path, monkeypatch, kind, section, more):
    monkeypatch.setenv("PLAYGROUND_RUNS", str(tmp_path))
    save_own_model(random_model(kind=kind), tmp_path / RUN / "snapshots" / "000500")
    prompts = {"clean": "the cat sat", "corrupted": "the dog sat", "patch_answer": "cat", "other": "dog"}
    app = page(model=f"run/{RUN}/500", text="the cat sat", target="the cat", section=section, **prompts, **more)
    assert not app.exception
    assert not app.error, words(app)
    assert figures(app) or "Tick the keys" in words(app)


@pytest.mark.parametrize(
    ("name", "section", "more"),
    [
        ("tales-translator", "patch", {}),
        ("books-encoder", "patch", {}),
        ("tales-translator", "heads", {}),
        ("tales-translator", "ablate", {"by": "resampled"}),
        ("induction", "patch", {}),
        ("induction", "ablate", {"by": "resampled"}),
        ("induction", "writes", {}),
        ("induction", "flow", {}),
        ("induction", "whole", {"parts": "decoder.0.0,decoder.0.1"}),
        ("induction", "heads", {}),
    ],
)
def test_our_shipped_models_begin_with_prompts_of_their_own(name, section, more):
    app = run_page("ablate", model=name, section=section, **more)
    assert not app.exception
    assert not app.error, words(app)
    assert not app.warning
    assert figures(app)


@pytest.mark.parametrize(("section", "count"), [("ablate", 1), ("writes", 5), ("heads", 1)])
def test_an_encoder_reads_a_sentence_pair(section, count):
    app = page(model="books-encoder", text="The cat sat.", pair="It slept.", section=section)
    assert not app.exception
    assert not app.error, words(app)
    assert figures(app) == count


def test_a_head_that_attends_only_to_the_first_token_is_ranked_and_answered(small_folder):
    path = small_folder / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    for name in tensors:
        if "c_attn" in name:
            tensors[name] = torch.zeros_like(tensors[name])
    width = tensors["transformer.h.0.attn.c_attn.bias"].shape[0] // 3
    tensors["transformer.wpe.weight"].zero_()
    tensors["transformer.wpe.weight"][0, 0] = 100.0
    for layer in (0, 1):
        tensors[f"transformer.h.{layer}.attn.c_attn.bias"][:width] = 50.0
        tensors[f"transformer.h.{layer}.attn.c_attn.weight"][0, width : 2 * width] = 50.0
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})
    assert trace(load(str(small_folder)), "the cat sat on").attention(layer=0, head=1)[:, 0].min() > 0.99
    app = page(model=str(small_folder), text="the cat sat on", section="heads", pattern="first")
    assert not app.exception
    assert not app.error, words(app)
    assert figures(app) == 1
    for section in ("ablate", "writes", "flow"):
        other = page(model=str(small_folder), text="the cat sat on", section=section)
        assert not other.exception
        assert figures(other) or "nothing" in words(other)


def said(app: AppTest) -> str:
    """The sentences above the pictures, which are no markdown."""
    return "\n".join(text.value for text in app.text)


@pytest.mark.parametrize(
    ("section", "more", "sentence"),
    [
        ("ablate", {}, "Costliest single ablations, KL divergence (nats): of the heads, head 0.1 (+0."),
        ("writes", {}, "Largest contributions to the logit of “"),
        ("heads", {"pattern": "induction"}, "Best: head 1.1 with 0.5"),
        ("whole", {"parts": "decoder.0.0,decoder.1.4"}, "KL divergence (nats): jointly "),
        ("flow", {}, "Carried by "),
    ],
)
def test_a_sentence_above_the_picture_says_what_it_shows(section, more, sentence):
    app = page(text="the cat sat on the mat and the dog sat on the", section=section, **more)
    assert not app.exception
    assert sentence in said(app), said(app)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("books-decoder", "Anna Smith met Peter Brown. Anna"),
        ("books-encoder", "She opened <|mask|> eyes."),
        ("tales-translator", "french: Anna gives the red ball to Ben."),
    ],
)
def test_patching_opens_on_the_first_example_that_the_model_solves(name, clean):
    app = run_page("ablate", model=name, section="patch")
    assert not app.exception
    assert f"{name} solves this pair" in words(app)
    assert "Patching recovers most at layer " in said(app)
    assert figures(app) == 1
    assert f"text: {clean!r}" in charts(app)[0]["provenance"]


def test_a_pair_that_the_model_does_not_solve_is_shown_as_a_change_in_logits():
    app = run_page(
        "ablate",
        section="patch",
        clean="When Mary and John went to the store, John gave a drink to",
        corrupted="When Mary and John went to the store, Mary gave a drink to",
        patch_answer=" Mary",
        other=" John",
    )
    assert not app.exception
    assert "books-decoder does not solve this pair" in words(app)
    assert "logits" in said(app)
    heat = charts(app)[0]["figure"]["data"][0]
    assert heat["colorbar"]["title"]["text"] == "change of the logit difference (logits)"
    assert max(abs(value) for row in heat["z"] for value in row) < 0.3


def test_the_mean_is_the_default_and_says_why(small_folder):
    app = page(model=str(small_folder), text="the cat sat")
    control = next(control for control in app.segmented_control if control.label == "Ablation")
    assert control.value == "mean"
    assert "Wang et al. 2022" in control.help
    assert "its own mean" in words(page(model=str(small_folder), text="the"))


def test_a_joint_set_says_what_is_predicted_with_and_without_it():
    app = page(text="Mary and John went to the shop. When Mary and John came home, Mary and", parts="decoder.1.4")
    assert "As it is: “␣John” 41" in said(app)
    assert "Without them: “␣the”" in said(app)


def test_a_door_ablates_the_head_of_the_largest_contribution_and_selects_it():
    app = page(text="Mary and John went to the shop. When Mary and John came home, Mary and", section="writes")
    next(button for button in app.button if button.label == "Without it").click().run()
    assert not app.exception
    assert app.query_params["parts"] == "decoder.1.4"
    assert app.query_params["head"] == "1.4"
    assert "section" not in app.query_params
    assert app.multiselect[0].value == ["decoder.1.4"]


def test_options_survive_a_visit_to_another_section():
    app = page(answer=" dog", by="zero", judge="loss", limit="1", section="ablate", parts="decoder.0.1")
    sections = app.segmented_control(key="section")
    sections.set_value("heads").run()
    app.segmented_control(key="section").set_value("ablate").run()
    assert not app.exception
    assert app.text_input(key="answer").value == " dog"
    held = [control.value for control in app.segmented_control]
    assert held == ["ablate", "zero", "loss", "1"]
    assert app.multiselect[0].value == ["decoder.0.1"]


def test_patching_keeps_the_other_sections_target_and_has_its_own():
    own = {"text": "french: Tom gives the red ball to Anna.", "target": "Tom donne"}
    app = run_page("ablate", model="tales-translator", section="patch", **own)
    assert not app.exception
    assert "tales-translator solves this pair" in words(app)
    assert app.query_params["target"] == "Tom donne"
    assert app.query_params["text"] == own["text"]
    app.segmented_control(key="section").set_value("heads").run()
    assert "target: 'Tom donne'" in charts(app)[0]["provenance"]


def test_a_link_from_when_the_sections_shared_a_target_patches_with_it():
    prompts = {
        "clean": "french: Tom gives the red ball to Ben.",
        "corrupted": "french: Tom gives the red book to Ben.",
        "patch_answer": "balle",
        "other": "livre",
        "target": "Tom donne la",
    }
    app = run_page("ablate", model="tales-translator", section="patch", **prompts)
    assert not app.exception
    assert "target: 'Tom donne la'" in charts(app)[0]["provenance"]
    assert app.query_params["patch_target"] == "Tom donne la"
    app.run()
    assert "target: 'Tom donne la'" in charts(app)[0]["provenance"]


@pytest.fixture
def mixed_folder(tmp_path):
    """LFM2: block 1 attends, blocks 0 and 2 are convolutions."""
    sizes = {"vocab_size": 64, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 3}
    sizes |= {"num_attention_heads": 4, "num_key_value_heads": 2, "layer_types": ["conv", "full_attention", "conv"]}
    torch.manual_seed(0)
    transformers.Lfm2ForCausalLM(transformers.Lfm2Config(**sizes)).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("section", "more", "count", "said"),
    [
        ("ablate", {"parts": "decoder.1.2,decoder.0.mixer"}, 1, "mixer 0"),
        ("writes", {"head": "1.3"}, 5, "Head 1.3"),
        ("flow", {}, 0, "Choose integrated gradients"),
        ("heads", {}, 1, "head"),
    ],
)
def test_a_mixed_stack_is_taken_apart_by_its_blocks_numbers(mixed_folder, section, more, count, said):
    app = page(model=str(mixed_folder), text="the cat sat on", section=section, **more)
    assert not app.exception
    assert not app.error, words(app)
    assert figures(app) == count
    assert said in words(app) or said in str([list(control.options) for control in app.multiselect])
