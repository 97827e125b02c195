"""The benchmark measures what it says, and the README's table says what was measured."""

import copy
import json
import os

import pytest
import torch
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from tokenizers import Tokenizer, models, pre_tokenizers

from benchmarks import peer
from benchmarks.attention import markdown
from benchmarks.browser import is_end_of_run, serve
from benchmarks.english import english
from benchmarks.forward import Task, forget_peak, median_of, memory_bytes, run_task
from benchmarks.paint import Subject, _measure_subject
from benchmarks.table import DECODER, ENCODER
from playground.models import load
from tests.helpers.pretrained_folders import SaveModel, own_cache, save_model

__all__ = ["own_cache", "save_model"]

SHAPES = {DECODER: (30, 9), ENCODER: (6, 12)}


def painted(model: str, tokens: int, **changes: float) -> dict[str, object]:
    layers, heads = SHAPES[model]
    return {
        **{"model": model, "layers": layers, "heads": heads, "tokens": tokens},
        **{"overview_seconds": 0.6, "overview_bytes": 700_000, "click_seconds": 0.3, "rerun_seconds": 0.05},
        **changes,
    }


def view(name: str, model: str, tokens: int, outcome: str = "painted", **found: float) -> dict[str, object]:
    return {"view": name, "model": model, "tokens": tokens, "outcome": outcome, **found}


def cost(seconds: float, gigabytes: float) -> dict[str, dict[str, float]]:
    return {"1024": {"seconds": seconds, "peak_bytes": gigabytes * 1e9}}


@pytest.fixture
def results() -> dict[str, object]:
    pass_seconds = {str(count): {"seconds": 0.25} for count in (64, 256, 1000, 1024)}
    return {
        "made": {
            **{"command": "python -m benchmarks.attention", "date": "2026-11-22T10:00:00+00:00", "quick": False},
            **{"cpu": "Some CPU", "cores": 2, "threads": 2, "versions": {"Python": "3.11.7", "torch": "2.13.0"}},
        },
        "forward": {
            "medians": {
                **{f"plain {model}": pass_seconds for model in SHAPES},
                f"capture {DECODER}": cost(1.3, 1.1),
                f"eager {DECODER}": cost(6.125, 2.5),
            },
            "ratios": {"capture": cost(1.3, 1.1e-9), "eager": cost(6.125, 2.5e-9)},
        },
        "paint": [painted(DECODER, count) for count in (64, 256, 1000)] + [painted(ENCODER, 64)],
        "cold_start": {"title_seconds": 2.5, "picture_seconds": 4.0, "imports_seconds": 5.5},
        "bertviz": [
            view("model", DECODER, 64, page_seconds=0.5, paint_seconds=13.5, bytes=30_700_000),
            view("head", DECODER, 64, page_seconds=0.5, paint_seconds=1.5, bytes=30_600_000),
            view("model", DECODER, 256, "did not finish in 60 s", page_seconds=7.0, bytes=496_000_000),
        ],
    }


def row(results: dict[str, object], start: str) -> list[str]:
    """What, budget, here, the usual way: the earlier machine's cell, the same here, is left out."""
    (line,) = [line for line in markdown(results, results).splitlines() if line.startswith(f"| {start}")]
    what, budget, here, there, peer = (cell.strip() for cell in line.strip("|").split("|"))
    assert there == here
    return [what, budget, here, peer]


def test_the_table_holds_what_was_measured(results):
    overview = row(results, "Text to painted overview beyond the model's own pass: SmolLM2-135M, 30 × 9 heads, 64")
    assert overview[1:] == [
        "< 0.5 s for 12 × 12 heads",
        "0.35 s (0.60 s with the pass)",
        "BertViz model view: 14.0 s; head view, one layer at a time: 2.00 s",
    ]
    assert row(results, "Bytes to the browser")[1:] == [
        "≤ 1 MB",
        "64 tokens: 0.70 MB; 256 tokens: 0.70 MB; 1,000 tokens: 0.70 MB",
        "BertViz model view 64 tokens: 31 MB; 256 tokens: 496 MB",
    ]
    assert row(results, "Captured pass")[2:] == [
        "1.30 × time (1.30 s), 1.10 × memory (1.10 GB)",
        "eager with all maps: 6.12 × time (6.12 s), 2.50 × memory (2.50 GB)",
    ]
    assert row(results, "First page")[2] == "2.50 s; first picture of the built-in model 4.00 s"


def test_pictures_measured_in_turns_with_passes_are_counted_in_them(results):
    found = {"plain_seconds": 0.25, "passes": 2.4, "scores_seconds": 0.9}
    results["paint"] = [painted(DECODER, count, **found) for count in (64, 256, 1000)]
    results["paint"] += [painted(ENCODER, 64, **found, overview_seconds=0.3)]
    start = "Text to painted overview, the pass included: "
    assert row(results, f"{start}SmolLM2-135M, 30 × 9 heads, 1,000")[1:3] == [
        "≤ 1.6 plain passes",
        "0.60 s: 2.40 plain passes, 0.35 s beyond one (missed); head scores after 0.90 s",
    ]
    met = "0.30 s: 2.40 plain passes, 50 ms beyond one; head scores after 0.90 s"
    assert row(results, f"{start}all-MiniLM-L6-v2")[1:3] == ["≤ 0.15 s beyond the pass", met]


def test_what_did_not_finish_is_said_so_and_what_was_not_tried_is_left_empty(results):
    start = "Text to painted overview beyond the model's own pass: "
    assert row(results, f"{start}SmolLM2-135M, 30 × 9 heads, 256")[3] == "BertViz model view: did not finish in 60 s"
    assert row(results, f"{start}SmolLM2-135M, 30 × 9 heads, 1,000")[3] == ""


def test_a_missed_budget_is_called_missed(results):
    assert "missed" not in markdown(results, results)
    worse = copy.deepcopy(results)
    worse["paint"] = [painted(DECODER, count, overview_seconds=0.8, rerun_seconds=0.11) for count in (64, 256)]
    worse["paint"] += [painted(DECODER, 1000, click_seconds=0.5, overview_bytes=1_000_001), painted(ENCODER, 64)]
    worse["forward"]["ratios"]["capture"]["1024"]["peak_bytes"] = 1.21
    worse["cold_start"]["title_seconds"] = 3.0
    assert markdown(worse, results).count("(missed)") == 6
    assert markdown(results, worse).count("(missed)") == 6


def test_the_table_survives_the_file(results):
    assert markdown(json.loads(json.dumps(results)), results) == markdown(results, results)


def test_medians_are_taken_of_each_entry():
    assert median_of([{"a": 1, "b": {"c": 9}}, {"a": 3, "b": {"c": 7}}, {"a": 2, "b": {"c": 8}}]) == {
        "a": 2,
        "b": {"c": 8},
    }


def word_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def test_texts_have_the_number_of_tokens_that_was_asked_for_and_differ():
    texts = [english(word_tokenizer(), 64, variant) for variant in range(10)]
    assert {len(text.split()) for text in texts} == {64}
    assert len(set(texts)) == 10
    with pytest.raises(ValueError, match="5000"):
        english(word_tokenizer(), 5000)


def test_the_peak_can_be_forgotten_and_counts_what_has_gone_again():
    forget_peak()
    before = memory_bytes("VmHWM")
    block = bytearray(os.urandom(1)) * 100_000_000
    del block
    assert memory_bytes("VmHWM") - before > 90_000_000
    forget_peak()
    assert memory_bytes("VmHWM") - before < 50_000_000


def test_the_end_of_a_run_is_told_from_other_messages():
    end, other = ForwardMsg(), ForwardMsg()
    end.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    other.delta.new_element.markdown.body = "script_finished"
    assert is_end_of_run(end.SerializeToString())
    assert not is_end_of_run(other.SerializeToString())


def test_bertvizs_page_keeps_its_data_and_loses_only_its_cdn_script():
    import bertviz

    maps = [torch.rand(1, 2, 3, 3) for _ in range(2)]
    page = bertviz.model_view(maps, ["a", "b", "c"], html_action="return").data
    changed = peer.offline(page)
    assert peer.CDN not in changed
    assert page.replace(peer.CDN, "") in changed.replace(changed.split("</script>")[0] + "</script>", "")
    with pytest.raises(RuntimeError, match="elsewhere"):
        peer.offline(page.replace(peer.CDN, ""))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["plain", "capture", "eager"])
def test_a_method_runs_in_a_process_of_its_own(method, save_model: SaveModel):
    task = Task(method=method, model=str(save_model("gpt2")), counts=(8, 16))
    measured = run_task(task, repetitions=1, threads=1)
    assert measured["8"]["seconds"] > 0
    assert measured["16"]["peak_bytes"] >= measured["base_bytes"] * 0.9
    if method == "capture":
        parts = measured["16"]["trace_seconds"] + measured["16"]["overview_seconds"]
        assert measured["16"]["seconds"] == pytest.approx(parts, rel=1e-6)


@pytest.mark.slow
def test_bertviz_is_painted_or_ended_at_its_limit(save_model: SaveModel):
    folder = str(save_model("gpt2"))
    done = peer.run_attempt(peer.Attempt(view="model", model=folder, tokens=8, limit=60), 1)
    assert done["outcome"] == "painted"
    assert done["shapes"] > 2 * 4 * 8 * 8
    ended = peer.run_attempt(peer.Attempt(view="model", model=folder, tokens=8, limit=0.001), 1)
    assert ended["outcome"] == "did not finish in 0 s"
    assert ended["bytes"] == pytest.approx(done["bytes"], rel=0.01)


@pytest.mark.slow
def test_the_clock_inside_the_page_finds_the_apps_marks(browser):
    model = load("books-decoder")
    subject = Subject(model=model.name, layers=model.layers, heads=model.n_heads, tokens=20)
    with serve(1) as address:
        measured = _measure_subject(browser, address, subject, 1)
    assert 0 < measured["overview_seconds"] <= measured["exact_seconds"]
    assert measured["exact_bytes"] > 20 * 21 / 2 * 4
    assert measured["overview_bytes"] > 2 * model.layers * model.n_heads * 20 * 21 / 2
    assert measured["click_seconds"] > 0
    assert 0 < measured["rerun_seconds"] < 10
