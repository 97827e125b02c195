"""Pictures for notebooks: what they hold is the trace's own, and nothing of a stranger's text becomes markup."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import load, show, trace
from playground.errors import UserError
from playground.lens.capture.forward import Pass
from playground.lens.generate.surprisal import text_surprisal
from playground.lens.inspect.steps.neurons import feed_forward_of, rank_neurons
from playground.lens.trace import Trace
from playground.training.run.folder import run
from tests.helpers.placed_payloads import exact_maps, framed, payloads
from tests.helpers.small_training import train_config

TEXT = "the cat sat on the mat and the cat sat"


@pytest.fixture(scope="module")
def traced():
    return trace(load("books-decoder"), TEXT)


def test_a_trace_shows_every_head_with_its_own_numbers(traced):
    page = framed(traced._repr_html_())
    maps = exact_maps(page)
    sites = traced.layers()
    assert len(maps) == len(sites) * sites[0].n_heads
    for (_name, layer, head), shown in maps.items():
        np.testing.assert_array_equal(shown, traced.attention(layer, head))
    (scores,) = [arrays["scores"] for header, arrays in payloads(page) if header["kind"] == "scores"]
    np.testing.assert_array_equal(scores, np.stack(list(traced.head_scores().scores.values())))


def test_a_text_without_tokens_shows_nothing_and_asks_for_one():
    empty = Trace(load("books-decoder"), Pass(source=(), target=(), sites=(), last_logits=None))
    assert empty._repr_html_() is None
    with pytest.raises(UserError, match="no tokens"):
        show.heads(empty)


def test_of_a_long_text_the_chosen_head_is_exact_and_the_page_stays_small(traced):
    long = trace(traced.model, "one two three " * 160, truncate=True)
    view = show.heads(long, layer=1, head=2)
    assert list(exact_maps(view.html)) == [("view.decoder", 1, 2)]
    assert len(view.html) < 3_000_000


def test_the_page_runs_its_own_scripts_only(traced):
    page = show.heads(traced).html
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in policy.split("script-src")[1]
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_arguments_choose_the_head_and_the_theme(traced):
    view = show.heads(traced, layer=2, head=1, drawing="arcs", theme="dark")
    (grid, _arrays) = payloads(view.html)[0]
    assert grid["initial"]["selected"] == {"layer": 2, "head": 1, "combine": "head"}
    assert grid["initial"]["settings"]["view"] == "arcs"
    assert "color-scheme: dark" in view.html
    assert "prefers-color-scheme: dark) {" not in view.html
    assert "<style>" not in view._repr_html_().split("srcdoc")[0]


@pytest.mark.parametrize(("layer", "head"), [(99, 0), (0, 99), (-1, 0), (0, -1)])
def test_a_head_that_is_not_there_is_refused(traced, layer, head):
    with pytest.raises(UserError, match="choose 0 to"):
        show.heads(traced, layer=layer, head=head)


def test_surprisals_are_those_of_the_text(traced):
    scores = text_surprisal(traced.model, TEXT)
    (header, _arrays) = payloads(show.surprisal(traced, colour_by="probability").html)[0]
    shown = [item["value"] for item in header["items"]]
    expected = [float(p) if known else None for p, known in zip(scores.probability, scores.predicted, strict=True)]
    assert shown == pytest.approx(expected)
    with pytest.raises(UserError, match="surprisal, probability, entropy"):
        show.surprisal(traced, colour_by="rank")


def test_neurons_are_ranked_by_what_they_add(traced):
    (header, _arrays) = payloads(show.neurons(traced, layer=1, position=3, count=5).html)[0]
    ranked = rank_neurons(feed_forward_of(traced.whole_token(3), 1))
    assert [item["text"].split()[0] for item in header["items"]] == [str(name.number) for name in ranked.names[:5]]
    assert [item["number"] for item in header["items"]] == [f"{value:.3f}" for value in ranked.added[:5]]
    with pytest.raises(UserError, match="choose 1 to"):
        show.neurons(traced, count=0)


def test_a_comparison_holds_both_sides(traced):
    other = trace(traced.model, "the dog sat on the mat and the dog slept")
    page = show.compare(traced, other, layer=1, head=1).html
    maps = exact_maps(page)
    np.testing.assert_array_equal(maps["left.decoder", 1, 1], traced.attention(1, 1))
    np.testing.assert_array_equal(maps["right.decoder", 1, 1], other.attention(1, 1))
    assert '"left": "left-decoder", "right": "right-decoder"' in page


def test_a_film_holds_the_frames_of_its_run(tmp_path):
    folder = tmp_path / "short"
    config = train_config(tmp_path)
    for _step in run(config, folder):
        pass
    (header, arrays) = payloads(show.film(folder).html)[0]
    assert header["steps"][0] == 0
    assert header["steps"][-1] == config.steps
    assert arrays["maps_decoder"].shape[:3] == (len(header["steps"]), 1, 2)
    with pytest.raises(UserError, match="is gone"):
        show.film(tmp_path / "nowhere")


def test_a_page_is_saved_as_a_file(traced, tmp_path):
    view = show.surprisal(traced)
    assert view.save(tmp_path / "page.html").read_text(encoding="utf-8") == view.html
    assert "HTML" in repr(view)
    with pytest.raises(UserError, match="could not be written"):
        view.save(tmp_path / "no" / "page.html")


@settings(max_examples=15)
@given(st.text(min_size=1, max_size=12))
def test_any_text_stays_text(traced, text):
    shown = trace(traced.model, f"<b>{text}</script><script>alert(1)</script>")
    output = shown._repr_html_()
    assert output.count("<iframe") == output.count("</iframe>") == 1
    assert output.isascii()
    page = framed(output)
    assert "alert(1)" not in page  # it stands in the payload, as base64
    assert page.count("<script") == page.count("</script>")
