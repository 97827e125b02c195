"""The controls of the token's way: each is used as a person uses it, and the picture and the address follow."""

from types import SimpleNamespace

import pytest
import streamlit as st

from playground import load
from playground import trace as read
from tests.helpers.page_script import address, charts, run_page, words

TEXT = "the cat sat on"
QUERY = 3


def page(folder, **parameters):
    app = run_page("inside", model=str(folder), text=TEXT, head="1.0", query=str(QUERY), **parameters)
    assert not app.exception
    assert not app.error
    return app


def field(elements, label):
    return next(element for element in elements if element.label == label)


def select_row(monkeypatch, table, row):
    """Let the table whose key begins so have a row selected: AppTest cannot select one."""
    draw = st.dataframe

    def drawn(data, **options):
        returned = draw(data, **options)
        is_meant = str(options.get("key", "")).startswith(table)
        return SimpleNamespace(selection=SimpleNamespace(rows=[row])) if is_meant else returned

    monkeypatch.setattr(st, "dataframe", drawn)


def experts_of(folder):
    """The experts that the token goes through in layer 1, by the model's own router; and how many there are."""
    model = load(str(folder))
    router = model.module.model.layers[1].mlp.gate
    seen = []
    hook = router.register_forward_hook(lambda _module, _received, returned: seen.append(returned))
    try:
        read(model, TEXT).inside(0)
    finally:
        hook.remove()
    returned = seen[0]
    logits = returned[0] if isinstance(returned, tuple) else returned
    return sorted(logits.reshape(-1, logits.shape[-1])[QUERY].topk(2).indices.tolist())


def test_the_neuron_that_is_typed_is_traced(small_folder):
    app = page(small_folder, step="up")
    assert "neuron" not in app.query_params
    field(app.number_input, "Neuron to trace").set_value(7).run()
    assert not app.exception
    assert address(app)["neuron"] == "0.7"
    assert "Row 7 of W_up, its input" in words(app).replace("\\", "")


def test_any_other_token_that_is_typed_is_followed(small_folder):
    app = page(small_folder, step="logit")
    vocabulary = load(str(small_folder)).tokenizer
    wanted = vocabulary.convert_tokens_to_ids("dog")
    for typed, shown in (("dog cat", wanted), ("", wanted)):
        field(app.text_input, "Any other token").set_value(typed).run()
        assert not app.exception
        assert address(app)["token"] == str(shown)
        assert field(app.selectbox, "Token whose logit is followed").value == shown
    assert "The products of dog sum to" in words(app)


def test_a_row_of_the_neurons_is_traced_and_another_choice_holds_against_it(small_folder, monkeypatch):
    app = page(small_folder, step="neurons")
    listed = next(frame.value for frame in app.dataframe if "adds" in frame.value)["neuron"]
    select_row(monkeypatch, "neurons_", 4)
    app.run()
    assert not app.exception
    assert address(app)["neuron"] == f"0.{listed[4]}"
    assert field(app.number_input, "Neuron to trace").value == int(listed[4])
    # The row stays selected in the table; what is chosen elsewhere afterwards counts.
    field(app.number_input, "Neuron to trace").set_value(int(listed[1])).run()
    assert address(app)["neuron"] == f"0.{listed[1]}"


def test_a_neuron_that_was_found_is_traced(small_folder, monkeypatch):
    app = page(small_folder, step="neurons", neuron_search="cat")
    found = next(frame.value for frame in app.dataframe if "activation here" in frame.value)["neuron"]
    row = next(n for n, name in enumerate(found) if int(name) != field(app.number_input, "Neuron to trace").value)
    select_row(monkeypatch, "found_", row)
    app.run()
    assert address(app)["neuron"] == f"0.{found[row]}"
    assert f"neuron {found[row]} " in words(app)


def pictures(app):
    return {chart["label"] for chart in charts(app)}


def test_one_view_of_the_neuron_is_drawn_beside_the_table_and_stands_in_the_address(small_folder):
    raised = "Logits that neuron 5 raises most, for each unit of its activation"
    way = "Its column of the last matrix, and what becomes of it on the way to the output matrix"
    app = page(small_folder, step="neurons", neuron="0.5")
    along = {name for name in pictures(app) if name.startswith("Activation of neuron 5")}
    assert len(along) == 1
    assert not pictures(app) & {raised, way}
    app.segmented_control(key="choose_neuron_view").set_value("way").run()
    assert not app.exception
    assert address(app)["neuron_view"] == "way"
    assert pictures(app) & {*along, raised, way} == {way}
    # A link to a logit's derivation opens the view that has it, and another view can be chosen all the same.
    app = page(small_folder, step="neurons", neuron="0.5", numbers="neuron_logits:w.0.3")
    assert pictures(app) & {*along, raised, way} == {way}
    app.segmented_control(key="choose_neuron_view").set_value("text").run()
    assert pictures(app) & {*along, raised, way} == along
    assert address(app)["neuron_view"] == "text"


def test_a_link_to_a_number_of_the_neurons_column_opens_its_view_and_lists_its_origin(small_folder):
    column = "What neuron 5 writes for an activation of 1"
    app = page(small_folder, step="neurons", neuron="0.5", numbers="neurons:wd.0.3")
    assert not app.exception
    assert {column, "The neurons that add most at this token"} <= pictures(app)
    assert "W_down[3,5] = …" in words(app)
    app.segmented_control(key="choose_neuron_view").set_value("logits").run()
    assert column not in pictures(app)
    assert "Logits that neuron 5 lowers most, for each unit of its activation" in pictures(app)


def test_another_expert_of_the_tokens_way_is_chosen(save_model):
    folder = save_model("mixtral")
    app = page(folder, step="down")
    choice = field(app.selectbox, "Expert")
    assert sorted(map(int, choice.options)) == experts_of(folder)
    other = next(expert for expert in experts_of(folder) if expert != choice.value)
    number = field(app.number_input, "Neuron to trace").value
    choice.set_value(other).run()
    assert not app.exception
    assert address(app)["neuron"] == f"{other}.{number}"
    assert field(app.selectbox, "Expert").value == other
    assert field(app.number_input, "Neuron to trace").value == number


def test_a_found_neuron_of_an_expert_that_the_token_passes_by_is_said_to_be(save_model, monkeypatch):
    folder = save_model("mixtral")
    app = page(folder, step="neurons", neuron_search="cat")
    traced = (field(app.selectbox, "Expert").value, field(app.number_input, "Neuron to trace").value)
    found = next(frame.value for frame in app.dataframe if "activation here" in frame.value)["neuron"]
    way = experts_of(folder)
    row, name = next((n, name) for n, name in enumerate(found) if int(name.split(".")[0]) not in way)
    select_row(monkeypatch, "found_", row)
    app.run()
    assert not app.exception
    assert address(app)["neuron"] == name
    (said,) = [info.value for info in app.info if "not on the way" in info.value]
    assert said.startswith(f"Neuron {name} is not on the way of")
    assert f"these experts: {way[0]}, {way[1]}. Traced is {traced[0]}.{traced[1]}" in said


@pytest.mark.parametrize(("neuron", "is_said"), [("0.99999", True), ("0.7", False), ("x", False)])
def test_a_neuron_of_the_address_that_is_not_there_is_said_to_be(small_folder, neuron, is_said):
    said = words(page(small_folder, step="neurons", neuron=neuron))
    assert ("This layer has no neuron 99999. Traced is" in said) == is_said
