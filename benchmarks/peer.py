"""BertViz's own views of the same model and text, in the same Chromium.

As its documentation has it: an eager pass with all maps, `model_view` or `head_view` with html_action="return", and a
browser that opens the page. The data stay as BertViz writes them; only the script tags that point to a CDN give way to
the same libraries from installed packages, and one line at the end tells when the second frame begins. The page is
opened from a file, so that nothing has to travel. Each view is a process of its own, which is ended at the limit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NoReturn

import psutil
from playwright.sync_api import Error, Page

from benchmarks.browser import chromium
from benchmarks.forward import ROOT, eager_maps
from benchmarks.table import DECODER, ENCODER

CDN = '<script src="https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.6/require.min.js"></script>'
AT_THE_END = """
<script>
requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now(); }));
</script>
"""
MAKING_SECONDS = 180.0
"""What a process may take to import, run the model and write the page."""
OPENING_SECONDS = 10.0
"""What it may take besides the limit to start its browser."""

ViewName = Literal["model", "head"]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One view of one model's text, and how many seconds the browser has for it."""

    view: ViewName
    model: str
    tokens: int
    limit: float


def attempts(quick: bool) -> list[Attempt]:
    """Both views of both models at 64 tokens, and what becomes of the decoder at 256."""
    subjects = [(ENCODER, 64, 120.0), (DECODER, 64, 120.0), (DECODER, 256, 60.0)]
    views: tuple[ViewName, ...] = ("model", "head")
    return [
        Attempt(view=view, model=model, tokens=tokens, limit=20.0 if quick else limit)
        for model, tokens, limit in subjects
        for view in views
        if not (quick and tokens > 64)
    ]


def measure_peer(*, quick: bool, threads: int) -> list[dict[str, Any]]:
    """What every attempt took, or how it ended."""
    return [run_attempt(attempt, threads) for attempt in attempts(quick)]


def run_attempt(attempt: Attempt, threads: int) -> dict[str, Any]:
    """One attempt in a process of its own. `outcome` is "painted", or says in words how far it came."""
    print(f"BertViz: {attempt.view} view, {attempt.model}, {attempt.tokens} tokens", file=sys.stderr)
    command = [sys.executable, "-m", "benchmarks.peer", attempt.view, attempt.model]
    command += ["--tokens", str(attempt.tokens), "--limit", str(attempt.limit), "--threads", str(threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers"
        with answers.open("wb") as file:
            child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file)
        outcome = _wait(child, answers, attempt.limit)
        lines = [json.loads(line) for line in answers.read_text().splitlines()]
    return {**vars(attempt), "outcome": outcome, **{name: value for line in lines for name, value in line.items()}}


def _wait(child: subprocess.Popen[bytes], answers: Path, limit: float) -> str:
    """Wait for a process, and end it with its browser; what to say where it did not say more itself.

    The limit counts from its first answer. A page that keeps its renderer busy can keep Playwright's own time limits
    from firing, so the child cannot be relied on here.
    """
    end, opened = time.monotonic() + MAKING_SECONDS, False
    while child.poll() is None:
        if not opened and answers.stat().st_size:
            end, opened = time.monotonic() + limit + OPENING_SECONDS, True
        if time.monotonic() > end:
            for process in reversed(_family(child.pid)):
                process.kill()
            child.wait()
            return f"did not finish in {limit:.0f} s" if opened else f"made no page in {MAKING_SECONDS:.0f} s"
        time.sleep(0.1)
    return f"ended with exit code {child.returncode}"


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def offline(page: str) -> str:
    """BertViz's page with its libraries inside, and the line that tells when it is painted."""
    from playground.viewer.bertviz_views.packaged import libraries

    if page.count(CDN) != 1:
        raise RuntimeError("This version of BertViz loads its libraries from elsewhere than expected.")
    return "<!doctype html>\n" + page.replace(CDN, f"<script>{libraries()}</script>") + AT_THE_END


def make_page(attempt: Attempt) -> tuple[str, dict[str, Any]]:
    """BertViz's page as it is returned; seconds of the eager pass and of the page, and its bytes."""
    import bertviz

    draw = {"model": bertviz.model_view, "head": bertviz.head_view}[attempt.view]
    tokens, maps, forward_seconds = eager_maps(attempt.model, attempt.tokens)
    started = perf_counter()
    page: str = draw(maps, tokens, html_action="return").data
    seconds = perf_counter() - started
    return page, {"forward_seconds": forward_seconds, "page_seconds": seconds, "bytes": len(page.encode())}


def paint_page(page: str, limit: float) -> dict[str, Any]:
    """Open the page; seconds from the navigation to the frame after the first, and the SVG elements drawn."""
    with tempfile.TemporaryDirectory() as folder, _blank_page() as blank:
        path = Path(folder) / "bertviz.html"
        path.write_text(offline(page), encoding="utf-8")
        trouble: list[str] = []
        blank.on("pageerror", lambda error: trouble.append(str(error).splitlines()[0]))
        end = time.monotonic() + limit
        try:
            blank.goto(path.as_uri(), wait_until="commit", timeout=limit * 1000)
            left = max(1.0, end - time.monotonic())
            blank.wait_for_function("() => window.painted", timeout=left * 1000)
            milliseconds = float(blank.evaluate("window.painted"))
            shapes = int(blank.evaluate("document.querySelectorAll('svg *').length"))
        except Error as error:
            _give_up({"outcome": _in_words(error, limit)})
        if not shapes:
            return {"outcome": f"drew nothing{': ' if trouble else ''}{'; '.join(trouble)}"}
        return {"outcome": "painted", "paint_seconds": milliseconds / 1000, "shapes": shapes}


def _in_words(error: Error, limit: float) -> str:
    if "Timeout" in error.message:
        return f"did not finish in {limit:.0f} s"
    return f"failed: {error.message.splitlines()[0].split(' at file:')[0]}"


@contextmanager
def _blank_page() -> Iterator[Page]:
    with chromium() as browser:
        yield browser.new_page(viewport={"width": 1400, "height": 1000})


def _give_up(answer: dict[str, Any]) -> NoReturn:
    """Say what came out, and end the browser by force: one whose page hangs does not close when asked."""
    _say(answer)
    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(0)


def _say(answer: dict[str, Any]) -> None:
    """Tell the parent what is known so far; it may end this process at any time."""
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Make one page and paint it; print what came out, one line of JSON for each step."""
    parser = argparse.ArgumentParser(description="Measure one of BertViz's views.")
    parser.add_argument("view", choices=["model", "head"])
    parser.add_argument("model", help="a catalogue name or a local folder")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--limit", type=float, default=120.0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = vars(parser.parse_args())
    import torch

    torch.set_num_threads(arguments.pop("threads"))
    attempt = Attempt(**arguments)
    page, page_made = make_page(attempt)
    _say(page_made)
    _say(paint_page(page, attempt.limit))


if __name__ == "__main__":
    main()
