"""The page inside a head as a script: its sections, the address, and everything a person can get wrong."""

import json
import re
import time
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
import safetensors.torch
from streamlit.testing.v1 import AppTest

from playground import load
from playground import trace as read
from playground.lens.inspect.steps.embedding import entered_vector
from playground.lens.inspect.steps.logit_slopes import logit_slopes
from playground.lens.inspect.steps.neurons import NeuronName, feed_forward_of, output_row, promoted_tokens
from playground.lens.inspect.steps.step import StepInputs
from tests.helpers.page_script import plain_captions, run_page
from ui.sections.inside.step_choice import nearest_step
from ui.sections.inside.steps import draw_steps
from ui.state.parameters import TOY_CAUSAL, TOY_TEXT


def page(**parameters: str) -> AppTest:
    return run_page("inside", **parameters)


def words(app: AppTest) -> str:
    kinds: list[Any] = [app.error, app.info, app.success, app.markdown, app.caption, app.subheader, app.latex]
    return "\n".join([*(str(element.value) for elements in kinds for element in elements), *plain_captions(app)])


def headings(app: AppTest) -> list[str]:
    return [heading.value for heading in app.subheader]


def test_the_built_in_model_is_followed_through_every_step():
    app = page(text="The cat sat", step="all")
    assert not app.exception
    assert not app.error
    assert len(headings(app)) == 21
    assert headings(app)[3] == "4. Rotary positions"
    assert headings(app)[-1] == "21. Probabilities"
    assert "Verified: max. error" in words(app)
    assert "Verified: logits to" in words(app)
    assert "weights sum to 1.000000" in words(app)
    assert any("query_key_value" in code.value for code in app.code)


def test_every_step_of_a_text_of_2048_tokens_is_answered(save_model):
    folder = str(save_model("llama", max_position_embeddings=2048))
    text = " ".join(["the cat sat on"] * 512)
    app = page(model=folder, text=text, head="1.0", step="all")
    assert not app.exception
    assert not app.error
    assert len(headings(app)) == 21
    assert "2,048 keys are visible to this query" in words(app)
    assert "The 20 largest of 2,048 attention weights are shown" in words(app)
    # Seconds of the processor, not of the clock: other tests run beside this one.
    for step in ("softmax", "neurons", "probabilities"):
        begin = time.process_time()
        app = page(model=folder, text=text, head="1.0", step=step)
        assert not app.exception
        assert len(headings(app)) == 1
        assert time.process_time() - begin < MOST_SECONDS


MOST_SECONDS = 6
"""A step of a long text that has been read, with the page around it: a second on a machine that is free."""


def test_a_model_that_adds_its_positions_turns_nothing(small_folder):
    app = page(model=str(small_folder), text="the cat sat on the mat", head="1.2", query="3", step="all")
    assert not app.exception
    assert len(headings(app)) == 20
    assert "Verified: max. error" in words(app)
    assert "before layer 1 " in words(app)
    assert "4 of 6 keys are visible to this query; no bias." in words(app)


def test_shared_keys_are_said_to_be_shared(save_model):
    app = page(model=str(save_model("llama")), text="the cat sat", head="0.3", step="projection")
    assert not app.exception
    assert "heads 2, 3 share one set of keys and values, key/value head 1" in words(app)
    assert ":gray-badge[q0 q1 → k0 v0] :orange-badge[q2 q3 → k1 v1]" in words(app)


def test_an_encoder_that_norms_afterwards_says_so(save_model):
    app = page(model=str(save_model("bert")), text="the cat sat", pair="a dog", step="residual")
    assert not app.exception
    assert "most such models norm it afterwards" in words(app)
    app = page(model=str(save_model("bert")), text="the cat sat", pair="a dog", step="norm")
    assert "norms after the layer, not before" in words(app)
    assert "Verified: max. error" in words(app)


def test_numbers_that_are_none_are_answered(small_folder):
    file = small_folder / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    weights["transformer.h.0.attn.c_attn.weight"][:] = float("nan")
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})
    app = page(model=str(small_folder), text="the cat")
    assert not app.exception
    assert "not a number" in words(app)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"step": "up"}, "what some of them add is not a finite number"),
        ({"step": "stream"}, "to the logit of"),
        ({"step": "neurons", "neuron_view": "way", "numbers": "neuron_logits:da.0.3"}, "d1[3] = "),
    ],
)
def test_infinite_numbers_before_finite_logits_are_answered(save_model, address, said):
    file = (folder := save_model("llama")) / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    weights["model.layers.0.mlp.down_proj.weight"][:] = 3e38
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})
    app = page(model=str(folder), text="the cat sat", head="0.0", **address)
    assert not app.exception
    assert said in words(app)


def test_an_encoder_decoder_shows_its_cross_attention(save_model):
    app = page(model=str(save_model("bart")), text="the cat sat", target="a dog", kind="cross", step="projection")
    assert not app.exception
    assert "keys and values come from the encoder" in words(app)
    assert "Verified: max. error" in words(app)


def test_a_text_of_one_token_and_no_text_are_answered(small_folder):
    app = page(model=str(small_folder), text="cat", step="softmax")
    assert not app.exception
    assert "All 1 weights sum to 1.000000" in words(app)
    app = page(model=str(small_folder), text="")
    assert not app.exception
    assert "no tokens" in words(app)


@pytest.mark.parametrize("address", [{"head": "99.99"}, {"head": "x"}, {"query": "-3"}, {"query": "10000"}])
def test_a_damaged_address_shows_a_place_that_is_there(small_folder, address):
    app = page(model=str(small_folder), text="the cat", step="mask", **address)
    assert not app.exception
    assert "All 2 keys are visible to this query; no bias." in words(app)


def test_the_toy_example_sat_attends_to_mat_and_the_weights_sum_to_one():
    app = page(section="hand")
    assert not app.exception
    assert "The attention weights of 2 sat sum to 1.000000; the largest is on 5 mat" in words(app)


def test_the_toy_example_has_a_causal_mask():
    app = page(section="hand")
    app.toggle(key=TOY_CAUSAL).set_value(True).run()
    assert not app.exception
    assert "the largest is on 1 cat" in words(app)


def test_toy_vectors_come_back_from_the_address():
    vectors = [[[1.0], [0.0]], [[0.0], [5.0]], [[1.0], [2.0]]]
    app = page(section="hand", words="left right", vectors=json.dumps(vectors), query="0")
    assert not app.exception
    assert "The attention weights of 0 left sum to 1.000000; the largest is on 1 right (99.3%)." in words(app)


@pytest.mark.parametrize("vectors", ["{", "[]", "3", "[[[1]],[[1]],[[1]]]", '[["a"]]', "[[[1e9]],[[1]],[[1]]]"])
def test_toy_damaged_vectors_are_passed_over(vectors):
    app = page(section="hand", vectors=vectors)
    assert not app.exception
    assert "the largest is on 5 mat" in words(app)


@pytest.mark.parametrize("text", [" ", "a " * 40])
def test_toy_too_few_or_too_many_words_are_answered(text):
    app = page(section="hand")
    app.text_input(key=TOY_TEXT).set_value(text).run()
    assert not app.exception
    assert "write 1 to 16" in words(app)


def test_the_models_positions_are_shown_with_their_place(small_folder):
    app = page(section="positions", model=str(small_folder))
    assert not app.exception
    assert headings(app) == ["Learned"]
    assert "wpe" in words(app)


@pytest.mark.parametrize(
    ("scheme", "title"), [("sinusoidal", "Sinusoidal"), ("rotary", "Rotary"), ("alibi", "ALiBi"), ("x", "Rotary")]
)
def test_positions_of_chosen_sizes(scheme, title):
    app = page(section="positions", scheme=scheme, length="16", width="8")
    assert not app.exception
    assert headings(app) == [title]


def test_a_models_heads_are_compared_with_a_single_head(small_folder):
    app = page(section="many", model=str(small_folder), text="the cat sat")
    assert not app.exception
    assert any("with a single head it is always 0" in text.value for text in app.text)


def test_the_norm_and_a_traced_dimension_are_shown(small_folder):
    app = page(model=str(small_folder), text="the cat sat", dimension="3", step="all")
    assert not app.exception
    assert "Layer norm: subtract the mean" in words(app)
    for matrix in ("W_Q", "W_K", "W_V", "W_O"):
        assert f"Row 3 of {matrix}, its input" in words(app).replace("\\", "")
    assert (
        page(model=str(small_folder), text="the cat", dimension="999", step="down")
        .number_input(key="inside_dimension_16")
        .value
        == 15
    )


def test_every_number_that_is_drawn_has_a_name_and_a_derivation(small_folder):
    trace = read(load(str(small_folder)), "the cat sat on")
    head = trace.inside(1).head(2, 3)
    inputs = StepInputs(head=head, keys=(0, 2, 3), key_labels=list("abcd"), query_label="d", dimension=3)
    for drawn in draw_steps(inputs):
        for picture in drawn.pictures:
            rows = [part for part in picture.figure.data if part.type == "heatmap"]
            for row, cells in enumerate(rows):
                for column, value in enumerate(cells.z[0]):
                    number = picture.number((row, 0, column))
                    assert picture.cell(number) == (row, 0, column)
                    derivation = picture.table.rows[row].derive(column)
                    same = derivation.value == value or derivation.value == pytest.approx(float(value), abs=1e-5)
                    assert same, (drawn.step.name, number, derivation)
                    assert derivation.is_known or number.symbol == "r"


def test_keys_stand_beside_values_and_three_products_share_an_axis(small_folder):
    head = read(load(str(small_folder)), "the cat sat on").inside(1).head(2, 3)
    inputs = StepInputs(head=head, keys=(0, 1, 2, 3), key_labels=list("abcd"), query_label="d", dimension=3)
    (drawn,) = (step for step in draw_steps(inputs) if step.step.name == "projection")
    query, keys, values, products = drawn.pictures
    assert (query.shape[0], keys.shape[0], values.shape[0], products.shape[0]) == (1, 4, 4, 9)
    assert keys.stands_beside(values)
    assert not query.stands_beside(keys)
    assert not values.stands_beside(products)
    assert [table.label for table in drawn.step.tables[3:]] == products.table.label.split(" · ")
    colours = [part.colorscale[-1][1] for part in products.figure.data]
    assert len(set(colours)) == 3
    assert colours == [colour for colour in colours[::3] for _row in range(3)]


@pytest.mark.parametrize(("family", "added"), [("gpt2", "wpe"), ("bert", "position_embeddings")])
def test_what_enters_the_first_block_names_what_was_added(save_model, family, added):
    head = read(load(str(save_model(family))), "the cat sat on").inside(1).head(2, 3)
    # As many positions as words: the tables have one shape, and must not pass for each other.
    assert head.entering is not None
    assert head.entering.names[-1] == "embedding"
    np.testing.assert_allclose(head.entering.vectors[-1], head.embedded, atol=1e-6)
    summary = entered_vector(head).summary()
    assert added in summary.template
    assert (" / " in summary.template) == (family == "bert")
    parts = summary.numbers[:, -len(head.entering.names) :].sum(1)
    expected = head.entered if family == "gpt2" else summary.numbers[:, 0]
    np.testing.assert_allclose(parts, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("number", "formula"),
    [
        ("projection:k.1.3", "k[1,3] = Σ W_K[3,i] · x̂[1,i] + b_K[3]"),
        ("norm:n.0.3", "x̂[3] = (r[3] − μ)"),
        ("norm:r.0.3", "r[3] = x[3] + Σ attention[3]"),
        ("scores:s.2.0", "s[2] = Σ q[i] · k[2,i]"),
        ("softmax:a.2.0", "a[2] = exp(m[2]"),
        ("mix:z.0.1", "z[1] = Σ a[j] · v[j,1]"),
        ("residual:h.0.1", "= Σ o_h[1] + b_O[1]"),
    ],
)
def test_a_number_in_the_address_lists_all_its_terms(small_folder, number, formula):
    app = page(model=str(small_folder), text="the cat sat on", head="1.2", numbers=number)
    assert not app.exception
    assert not app.error
    assert formula in words(app)
    assert "terms below sum to" in words(app)
    assert len(app.dataframe) == 1
    table = app.dataframe[0].value
    (total,) = re.findall("terms below sum to ([−0-9.e-]+)[.] ", words(app))
    assert table["value"].sum() == pytest.approx(float(total.replace("−", "-")), abs=1e-6)


@pytest.mark.parametrize("damaged", ["projection:k.99.4", "k.1.4", "norm:k.1.4", "~x", "projection:q.0.9999,,:"])
def test_a_number_that_is_not_shown_is_passed_over(small_folder, damaged):
    app = page(model=str(small_folder), text="the cat sat on", head="1.2", numbers=damaged)
    assert not app.exception
    assert not app.error
    assert not app.dataframe
    assert len(headings(app)) == 1
    assert not [button for button in app.button if button.key and button.key.startswith("close_")]
    assert "terms below sum to" not in words(app)


def test_toy_heads_are_compared_with_a_single_head():
    app = page(section="hand")
    assert not app.exception
    assert "with a single head it is always 0" in words(app)


def test_one_step_is_shown_and_stands_in_the_address(small_folder):
    app = page(model=str(small_folder), text="the cat sat", step="activation")
    assert not app.exception
    assert headings(app) == ["13. Activation"]
    assert "activations are above 0" in words(app)
    assert headings(page(model=str(small_folder), text="the cat sat", step="nonsense")) == ["1. Embedding and position"]


def doors(app: AppTest) -> dict[str, dict[str, str]]:
    """The links of the page: page and parameters by label."""
    links = [link.proto for link in app.get("page_link")]
    return {
        link.label: {"page": link.page, **{key: values[-1] for key, values in parse_qs(link.query_string).items()}}
        for link in links
    }


@pytest.mark.parametrize("step", ["embedding", "projection", "scores", "softmax", "mix", "output", "residual"])
def test_each_step_of_a_head_leads_to_its_map_to_the_model_without_it_and_to_what_it_writes(small_folder, step):
    found = doors(page(model=str(small_folder), text="the cat sat", head="1.2", query="1", step=step))
    places = {"Its attention map": {}, "Without this head": {"parts": "decoder.1.2"}, "What it writes": {}}
    assert set(found) == set(places)
    for label, more in places.items():
        assert found[label].items() >= {"head": "1.2", "query": "1", "kind": "decoder", **more}.items()
    assert found["What it writes"]["section"] == "writes"


@pytest.mark.parametrize("step", ["feed_forward_norm", "up", "activation", "down", "feed_forward_residual", "neurons"])
def test_each_step_of_the_mlp_leads_to_the_model_without_it_and_to_what_it_writes(small_folder, step):
    found = doors(page(model=str(small_folder), text="the cat sat", head="1.2", query="1", step=step))
    assert found["Without this MLP"]["parts"] == "decoder.1.feed_forward"
    assert found["What it writes"].items() >= {"section": "writes", "query": "1"}.items()


@pytest.mark.parametrize("step", ["stream", "final_norm", "logit", "probabilities"])
def test_what_follows_the_layers_leads_to_what_wrote_the_traced_token(small_folder, step):
    found = doors(page(model=str(small_folder), text="the cat sat", query="1", step=step, token="7"))
    assert set(found) == {"What wrote this logit", "In the logit lens"}
    answer = load(str(small_folder)).tokenizer.decode([7])
    assert [found[label]["answer"] for label in found] == [answer, answer]
    assert found["In the logit lens"]["generate"] == "lens"


def test_a_model_without_a_step_shows_the_nearest(small_folder):
    app = page(model=str(small_folder), text="the cat sat", step="output_head")
    assert headings(app) == ["19. Logits"]
    names = ["embedding", "projection", "up", "stream", "logit"]
    nearest = {
        "rotation": "projection",
        "router": "up",
        "final_norm": "stream",
        "output_head": "logit",
        "": "embedding",
    }
    assert {name: nearest_step(name, names) for name in nearest} == nearest
    assert nearest_step("probabilities", names[:-1]) == "stream"
    assert nearest_step("router", ["embedding"]) == "embedding"
    assert nearest_step("activation", ["embedding", "stream"]) == "stream"


@pytest.mark.parametrize(
    ("number", "formula"),
    [
        ("feed_forward_norm:n.0.3", "x̂[3] = (r[3] − μ)"),
        ("feed_forward_norm:r.0.3", "r[3] = x[3] + attn 0[3]"),
        ("up:wu.5.3", "W_up[5,3]"),
        ("up:pu.5.3", "W_up[5,3] · x̂[3]"),
        ("down:o.0.3", "o[3] = Σ W_down[3,n] · a[n] + b_down[3]"),
        ("feed_forward_residual:u.0.3", "r′[3] = r[3] + o[3]"),
        ("stream:d.0.0", "= Σ part[i] · direction[i]"),
        ("stream:f.0.3", "f[3] = Σ part[3]"),
        ("final_norm:n.0.3", "x̂[3] = (f[3] − μ)"),
        ("probabilities:p.5.0", "p[5] = exp(ℓ[5]"),
    ],
)
def test_a_number_after_attention_lists_all_its_terms(small_folder, number, formula):
    app = page(model=str(small_folder), text="the cat sat on", numbers=number, neuron="0.5", token="5")
    assert not app.exception
    assert not app.error
    assert formula in words(app)
    is_learned = number.startswith("up:w")
    assert ("no product makes it here" in words(app)) == is_learned
    if not is_learned:
        # No module returns one product; what modules return is held against the formula.
        assert ("recomputed: no module" if number.startswith("up:p") else "difference: ") in words(app)
        assert app.dataframe


def test_neurons_name_their_tokens_and_are_searched(small_folder):
    app = page(model=str(small_folder), text="the cat sat on", step="neurons", head="1.0", neuron_search="cat")
    assert not app.exception
    assert not app.error
    assert "of layer 1 adds most" in app.text[0].value
    (listed,) = [frame.value for frame in app.dataframe if "adds" in frame.value]
    assert len(listed) == 20
    added = listed["adds"].to_numpy()
    assert (np.diff(added) <= 0).all()
    assert "neurons have this text" in words(app)
    (found,) = [frame.value for frame in app.dataframe if "activation here" in frame.value]
    assert all("cat" in token for token in found["token"])


@pytest.mark.parametrize(
    ("family", "number", "formulas"),
    [
        ("gpt2", "neuron_text:a.2.0", ["a[2] = ", "u[2] = Σ W_up[5,i] · x̂[2,i]"]),
        ("llama", "neuron_text:a.0.0", ["a[0] = u[0] · (g[0]", "g[0] = Σ W_gate[5,i] · x̂[0,i]"]),
        ("mixtral", "neuron_text:a.1.0", ["p[e0] · a[1] = ", "u[1] = Σ W_up[5,i] · x̂[1,i]"]),
        ("gpt2", "neuron_logits:w.0.3", ["W_down[3,5] = …"]),
        ("gpt2", "neuron_logits:da.0.3", ["d1[3] = ", "w[3] / "]),
        ("bert", "neuron_logits:db.0.3", ["d2[3] = Σ W_head[3,i] · d1[i]"]),
    ],
)
def test_a_neurons_numbers_answer_a_click(save_model, family, number, formulas):
    app = page(
        model=str(save_model(family)), text="the cat sat on", step="neurons", neuron="0.5", numbers=number, head="1.0"
    )
    assert not app.exception
    assert not app.error
    for formula in formulas:
        assert formula in words(app)
    is_learned = number.startswith("neuron_logits:w")
    assert ("recomputed: no module" in words(app)) != is_learned
    is_along_text = number.startswith("neuron_text")
    assert ("Activation of neuron" in words(app)) == is_along_text
    assert ("Later layers are held at what they wrote" in words(app)) != is_along_text


def test_a_promoted_tokens_logit_answers_a_click(small_folder):
    token = read(load(str(small_folder)), "the cat sat on").whole_token(3)
    rows = output_row(feed_forward_of(token, 1).body, NeuronName(0, 5))[None]
    best = int(promoted_tokens(logit_slopes(token, 1), rows, 1).promoted[0, 0])
    numbers = f"neuron_logits:lp.{best}.0"
    app = page(
        model=str(small_folder), text="the cat sat on", step="neurons", neuron="0.5", numbers=numbers, head="1.0"
    )
    assert not app.exception
    assert f"Δℓ[{best}] = Σ W_U[{best},i] · d1[i]" in words(app)


def test_a_neuron_of_an_expert_that_the_token_does_not_go_through_is_shown(save_model):
    folder = str(save_model("mixtral"))
    token = read(load(folder), "the cat sat on").whole_token(3)
    chosen = [branch.expert for branch in feed_forward_of(token, 1).branches()]
    silent = next(number for number in range(4) if number not in chosen)
    app = page(model=folder, text="the cat sat on", step="neurons", neuron=f"{silent}.7", head="1.0", query="3")
    assert not app.exception
    assert f"does not go through expert {silent}, whose neuron 7" in words(app)
    assert f"Activation of neuron {silent}.7 times" in words(app)


@pytest.mark.parametrize("family", ["gpt2", "mixtral"])
def test_the_neurons_program_prints_what_the_page_shows(save_model, family, capsys):
    app = page(
        model=str(save_model(family)), text="the cat sat on", step="neurons", neuron_search="cat", head="1.0", query="2"
    )
    (program,) = [code.value for code in app.code if "# transformer-playground: " in code.value]
    exec(program, {})
    printed = capsys.readouterr().out
    names = next(frame.value for frame in app.dataframe if "activation here" in frame.value)["neuron"]
    parts = [str(name).split(".") if family == "mixtral" else ["0", str(name)] for name in names]
    for expert, number in parts:
        assert f"NeuronName(expert={expert}, number={number})" in printed
    assert printed.count("FoundNeuron(") == len(parts)


def test_a_neuron_and_a_token_of_the_address_are_traced(small_folder):
    app = page(model=str(small_folder), text="the cat sat on", step="up", neuron="0.7")
    assert not app.exception
    assert "Row 7 of W_up, its input" in words(app).replace("\\", "")
    app = page(model=str(small_folder), text="the cat sat on", step="logit", token="6")
    assert not app.exception
    assert app.selectbox(key="inside_traced").value == 6
    for damaged in ({"neuron": "0.99999", "token": "999999"}, {"neuron": "x", "token": "-1"}):
        app = page(model=str(small_folder), text="the cat sat on", step="neurons", **damaged)
        assert not app.exception
        assert not app.error


@pytest.mark.parametrize("family", ["mixtral", "qwen2_moe"])
def test_a_mixtures_experts_are_shown(save_model, family):
    app = page(model=str(save_model(family)), text="the cat sat on", step="router")
    assert not app.exception
    assert not app.error
    assert "The token goes through 2 of 4 experts" in words(app)
    app = page(model=str(save_model(family)), text="the cat sat on", step="down")
    assert not app.exception
    assert not app.error
    assert any("expert" in caption for caption in plain_captions(app))


def test_a_model_without_an_output_head_ends_with_its_last_state(save_model):
    folder = save_model("bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertModel"]}))
    app = page(model=str(folder), text="the cat sat", step="logit")
    assert not app.exception
    assert not app.error
    assert "no output head" in words(app)
    assert "Verified: last state to" in words(app)
    assert headings(app) == ["17. Residual stream over all layers"]
    assert doors(app) == {}


def test_one_layer_that_runs_several_times_has_every_step_of_every_time(save_model):
    folder = str(save_model("albert"))
    attention = page(model=folder, text="the cat sat", step="scores", head="1.2")
    assert not attention.exception
    assert not attention.error
    assert "several times" not in words(attention)
    assert headings(attention) == ["4. Scores"]
    app = page(model=folder, text="the cat sat", step="stream")
    assert not app.exception
    (heading,) = headings(app)
    assert heading.endswith(". Residual stream over all layers")
    assert int(heading.split(".")[0]) > 12
    assert "Verified: logits to" in words(app)


def test_the_kinds_of_an_encoder_decoder_have_feed_forward_layers_of_their_own(save_model):
    folder = str(save_model("t5"))
    for kind in ("encoder", "cross"):
        app = page(model=folder, text="the cat sat", target="a dog", kind=kind, step="probabilities")
        assert not app.exception
        assert not app.error
        assert ("Probabilities" in headings(app)[0]) == (kind != "encoder")
