"""BertViz's views in a real browser: drawn without a network, from the numbers given, and deaf to hostile tokens."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.ui.components.test_bertviz_views import HOSTILE, documents, maps, words
from ui.components.bertviz_views import bertviz_document, neuron_document

VIEWS = ("head", "model", "neuron")
TEXTS = {"head": "#left text", "model": ".detail text.token", "neuron": "#collapsed #leftText text"}

APP = """
import streamlit as st
from playground.lens import trace
from tests.helpers.families import small_model
from ui.components.bertviz_views import show_bertviz, source_of

st.button("again")
view = st.query_params.get("view", "head")
traced = trace(small_model("gpt2"), "A cat <img src=x onerror=alert(1)>")
with st.container(key="frame"):
    show_bertviz(view, [source_of(traced, "decoder")], key="layers")
st.write("done")
"""


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    page = context.new_page()
    page.noticed = []
    page.requests = []
    page.on("dialog", lambda dialog: (page.noticed.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: page.noticed.append(str(error)))
    page.on("console", lambda message: page.noticed.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    context.close()


def opened(page, tmp_path, document):
    """Open a document from a file; return when it is painted."""
    file = tmp_path / "document.html"
    file.write_text(document, encoding="utf-8")
    page.goto(file.as_uri())
    page.wait_for_selector("#vis svg")
    return page


def numbers(page, selector, attribute):
    script = "(lines, name) => lines.map((line) => Number(line.getAttribute(name)))"
    return np.array(page.eval_on_selector_all(selector, script, attribute))


def rows_of(page):
    """The opacities of the lines of each query in the head that the model view shows large."""
    opacity = "Number(line.getAttribute('stroke-opacity'))"
    script = f"(groups) => groups.map((group) => [...group.children].map((line) => {opacity}))"
    return page.eval_on_selector_all(".attn-line-group", script)


def test_the_head_view_draws_the_weights_of_the_chosen_layer(page, tmp_path):
    weights = maps(3, 4, 6, causal=True)
    opened(page, tmp_path, bertviz_document("head", {"decoder": weights}, query_tokens=words(6), layers=[5, 6, 7]))
    assert page.locator("#layer option").all_inner_texts() == ["5", "6", "7"]
    page.select_option("#layer", "7")
    drawn = numbers(page, "#attention line", "stroke-opacity").reshape(4, 6, 6)
    np.testing.assert_allclose(drawn * 4, weights[2], atol=5.01e-5)
    page.locator("#left text").nth(4).hover()
    assert page.locator("#attention line[visibility=visible]").count() == 4 * 6
    assert page.noticed == []


def test_the_model_view_draws_every_head_and_opens_one(page, tmp_path):
    weights = maps(2, 3, 5)
    opened(
        page,
        tmp_path,
        bertviz_document("model", {"encoder": weights}, query_tokens=words(5), layers=[4, 8], heads=[0, 2, 9]),
    )
    page.locator("#attn_background_1_2 ~ rect").click()
    assert page.locator("text.detail").text_content() == "Layer 8, Head 9"
    for row, drawn in enumerate(rows_of(page)):
        np.testing.assert_allclose(drawn, weights[1, 2, row, : len(drawn)], atol=5.01e-5)
        assert np.all(weights[1, 2, row, len(drawn) :] < 5.01e-5)
    assert page.noticed == []


def test_the_neuron_view_computes_the_softmax_it_shows(page, tmp_path):
    queries, keys = 2 * np.random.default_rng(3).normal(size=(2, 1, 2, 5, 8))
    scores = np.where(np.tri(5, dtype=bool), queries @ keys.swapaxes(-1, -2) / np.sqrt(8), -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    document = neuron_document(weights, queries, keys, tokens=words(5), causal=True, layers=[11])
    opened(page, tmp_path, document)
    assert page.locator("#layer option").all_inner_texts() == ["11"]
    page.select_option("#att_head", "1")
    page.locator("#collapsed #leftText text").nth(3).hover()
    page.locator("#collapsed #leftText g").nth(3).locator("rect").nth(1).click()
    page.locator("#expanded #leftText text").nth(3).hover()
    dots = numbers(page, "#dotproducts rect", "data-value")
    np.testing.assert_allclose(dots[:4], scores[0, 1, 3, :4], atol=0.02)
    assert page.noticed == []


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_tokens_are_shown_as_text(page, tmp_path, view):
    opened(page, tmp_path, documents(HOSTILE)[view])
    if view == "model":
        page.locator("#attn_background_0_1 ~ rect").click()
    shown = page.locator(TEXTS[view]).evaluate_all("texts => texts.map((text) => text.textContent)")
    wanted = [token.replace("Ġ", " ").replace("▁", " ") if view == "neuron" else token for token in HOSTILE]
    assert shown[: len(HOSTILE)] == wanted
    page.wait_for_timeout(200)
    assert page.locator("img, #bertviz script").count() == 0
    assert page.noticed == []
    assert len(page.requests) == 1


def test_markup_that_slipped_in_would_not_run(page, tmp_path):
    opened(page, tmp_path, documents(words(4))["head"])
    page.evaluate(
        """() => {
            const box = document.body.appendChild(document.createElement("div"));
            box.innerHTML = "<img src=x onerror=alert(1)><a href='javascript:alert(2)'>x</a>";
            const script = document.body.appendChild(document.createElement("script"));
            script.textContent = "alert(3)";
            box.querySelector("a").click();
        }"""
    )
    page.wait_for_timeout(300)
    assert [text for text in page.noticed if "Content Security Policy" not in text] == []
    assert len(page.noticed) >= 3


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dark", [False, True])
def test_tokens_stand_out_from_the_ground_in_both_themes(page, tmp_path, view, dark):
    weights = maps(1, 2, 4)
    if view == "neuron":
        vectors = np.ones((1, 2, 4, 3))
        document = neuron_document(weights, vectors, vectors, tokens=words(4), causal=False, dark=dark)
    else:
        document = bertviz_document(view, {"encoder": weights}, query_tokens=words(4), dark=dark)
    opened(page, tmp_path, document)
    if view == "model":
        page.locator("#attn_background_0_0 ~ rect").click()
    page.mouse.move(1000, 800)
    picture = Image.open(BytesIO(page.locator(TEXTS[view]).nth(1).screenshot())).convert("L")
    pixels = np.asarray(picture, dtype=float)
    ground, ink = np.median(pixels), pixels.max() if dark else pixels.min()
    assert ground < 40 if dark else ground > 230
    assert abs(ink - ground) > 120


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory):
    script = tmp_path_factory.mktemp("bertviz") / "app.py"
    script.write_text(APP, encoding="utf-8")
    return serve(script)


@pytest.mark.parametrize("view", VIEWS)
def test_on_a_page_without_a_network(page, address, view):
    page.route(lambda url: not url.startswith(address), lambda route: route.abort())
    page.goto(f"{address}/?view={view}")
    frame = page.frame_locator(".st-key-frame iframe")
    frame.locator("#vis svg").wait_for()
    assert page.locator(".st-key-frame iframe").get_attribute("title") == f"BertViz's {view} view"
    assert [url for url in page.requests if not url.startswith((address, "about:", "data:", "blob:"))] == []
    assert [text for text in page.noticed if "alert" in text or "bertviz" in text.lower()] == []


def test_a_rerun_does_not_draw_again(page, address):
    page.goto(f"{address}/?view=head")
    frame = page.frame_locator(".st-key-frame iframe")
    frame.locator("#vis svg").wait_for()
    frame.locator("#layer").select_option("1")
    frame.locator("body").evaluate("body => body.dataset.same = 'yes'")
    page.get_by_role("button", name="again").click()
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    page.wait_for_timeout(1000)
    assert frame.locator("body").get_attribute("data-same") == "yes"
    assert frame.locator("#layer").input_value() == "1"
