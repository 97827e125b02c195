"""The app in Chromium: from a text to the painted picture, from a click to the exact map, a rerun, a cold start.

Times between a text or a click and the picture are taken inside the page, at the beginning of the frame after the
one that painted. Bytes are the websocket's messages before compression.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page

from benchmarks.browser import ROOT, Wire, open_page, serve
from benchmarks.english import english, tokenizer_of
from benchmarks.forward import PAINTED, Run, plain
from benchmarks.table import DECODER, ENCODER

EXACT = "[data-part=heatmap][data-exact=true]"
HEAD_MARK = b'"kind": "head"'
RERUNS = 5
IMPORTS = "import streamlit, torch; from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model and a number of tokens, for the page."""

    model: str
    layers: int
    heads: int
    tokens: int


def subjects() -> list[Subject]:
    """The decoder at three lengths, the encoder at two."""
    decoder = [Subject(model=DECODER, layers=30, heads=9, tokens=count) for count in PAINTED]
    return decoder + [Subject(model=ENCODER, layers=6, heads=12, tokens=count) for count in (64, 256)]


def measure_paint(browser: Browser, *, trials: int, threads: int) -> list[dict[str, Any]]:
    """Every subject in a page of its own, on one warm server; before each text a plain pass on it, in turns."""
    import torch

    torch.set_num_threads(threads)
    passes = {model: plain(model)[0] for model in {subject.model for subject in subjects()}}
    with serve(threads) as address:
        return [_measure_subject(browser, address, subject, trials, passes[subject.model]) for subject in subjects()]


def _measure_subject(
    browser: Browser, address: str, subject: Subject, trials: int, plain_pass: Run | None = None
) -> dict[str, Any]:
    print(f"paint: {subject.model}, {subject.tokens} tokens", file=sys.stderr)
    from playground.models import local_folder

    tokenizer = tokenizer_of(str(local_folder(subject.model)))
    with open_page(browser) as (page, wire):
        # Two texts come first, unmeasured: the model is loaded, and the code in page and server has run.
        page.goto(f"{address}/?model={subject.model}&text={quote('The cat sat on the mat.')}")
        page.locator(EXACT).wait_for()
        wire.finished(0)
        _commit(page, wire, english(tokenizer, subject.tokens, trials), subject)
        texts = [english(tokenizer, subject.tokens, variant) for variant in range(trials)]
        painted = []
        for text in texts:
            pass_seconds = None if plain_pass is None else plain_pass(text)["seconds"]
            times = _commit(page, wire, text, subject)
            painted.append({**times, **({} if pass_seconds is None else _held_against(times, pass_seconds))})
        clicks = [_choose(page, wire, number, subject) for number in range(max(3, trials))]
        reruns = [_rerun(page, wire) for _ in range(RERUNS)]
    return {
        **{name: getattr(subject, name) for name in ("model", "layers", "heads", "tokens")},
        "trials": trials,
        **{name: statistics.median(seconds[name] for seconds in painted) for name in painted[0]},
        "click_seconds": statistics.median(clicks),
        "rerun_seconds": statistics.median(reruns),
        "every": {"painted": painted, "click_seconds": clicks, "rerun_seconds": reruns},
    }


def _held_against(times: dict[str, float], pass_seconds: float) -> dict[str, float]:
    """The pass that came right before a picture, and how many of it the picture took."""
    return {"plain_seconds": pass_seconds, "passes": times["overview_seconds"] / pass_seconds}


def _commit(page: Page, wire: Wire, text: str, subject: Subject) -> dict[str, float]:
    """Commit a new text; seconds until overview, exact head and scores are painted, and the bytes for the first two.

    The scores' bytes count with the overview's.
    """
    first = len(wire.messages)
    times = page.evaluate("text => benchmark.commit(text)", text)
    messages = wire.messages[first : wire.finished(first) + 1]
    if times["rows"] != subject.tokens:
        raise RuntimeError(f"The page shows {times['rows']} tokens where {subject.tokens} were meant.")
    return {
        "overview_seconds": (times["overview"] - times["started"]) / 1000,
        "exact_seconds": (times["exact"] - times["started"]) / 1000,
        "scores_seconds": (times["scores"] - times["started"]) / 1000,
        "overview_bytes": sum(len(message) for message in messages if HEAD_MARK not in message),
        "exact_bytes": sum(len(message) for message in messages if HEAD_MARK in message),
    }


def _choose(page: Page, wire: Wire, number: int, subject: Subject) -> float:
    """Click a head that was not looked at; seconds until its exact map is painted."""
    layer, head = (3 + 2 * number) % subject.layers, (1 + number) % subject.heads
    first = len(wire.messages)
    cell = [layer, head, subject.layers, subject.heads]
    times = page.evaluate("cell => benchmark.choose(...cell)", cell)
    wire.finished(first)
    if not times["title"].lower().startswith(f"head {layer}.{head}. "):
        raise RuntimeError(f"Head {layer}.{head} was meant, but {times['title'][:40]!r} was chosen.")
    return float((times["exact"] - times["started"]) / 1000)


def _rerun(page: Page, wire: Wire) -> float:
    """Run the page's script again with nothing changed; seconds from asking to its end, as the page sees them."""
    first = len(wire.messages)
    sent = page.evaluate("() => { document.activeElement.blur(); return benchmark.clock.sent.length; }")
    page.keyboard.press("r")
    last = wire.finished(first)
    times = page.evaluate(
        "([sent, last]) => [benchmark.clock.sent[sent], benchmark.clock.received[last]]", [sent, last]
    )
    return float((times[1] - times[0]) / 1000)


def measure_cold_start(browser: Browser, *, trials: int, threads: int) -> dict[str, Any]:
    """From `streamlit run` in a fresh process to the first title and picture; the browser is already open.

    Beside it, how long it takes a fresh process only to import what a page needs that imports at its top.
    """
    starts = []
    for number in range(trials):
        print(f"cold start {number + 1}", file=sys.stderr)
        starts.append({**_cold_start(browser, threads), "imports_seconds": _import_seconds()})
    return {"trials": trials, **_medians(starts), "every": starts}


def _cold_start(browser: Browser, threads: int) -> dict[str, float]:
    started = time.monotonic()
    with serve(threads) as address, open_page(browser) as (page, _wire):
        page.goto(address, wait_until="commit")
        page.get_by_role("heading", name="Attention").first.wait_for()
        title = time.monotonic() - started
        page.locator(".thumbs[data-painted]").wait_for()
        return {"title_seconds": title, "picture_seconds": time.monotonic() - started}


def _import_seconds() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, check=True)
    return time.monotonic() - started


def _medians(trials: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(trial[name] for trial in trials) for name in trials[0]}
