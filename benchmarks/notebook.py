"""The same attention tensors through BertViz's functions and through ours: bytes, and seconds to the painted picture.

12 layers of 12 heads, causal, random. Each page is made and opened by a process of its own, which is ended at the
limits of time and memory; BertViz's libraries stand in its page, so that nothing has to travel.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

from benchmarks.browser import chromium
from benchmarks.machine import RESULTS, ROOT, measured_on
from benchmarks.peer import _family, offline

LAYERS, HEADS = 12, 12
SECONDS, GIGABYTES = 240.0, 6.0
"""Of one page, with what is imported for it."""
PACKAGES = ("torch", "bertviz", "playwright")


def tensors(tokens: int) -> tuple[Any, list[str]]:
    """Attention as transformers returns it, and labels."""
    import torch

    torch.manual_seed(0)
    later = torch.ones(tokens, tokens).triu(1).bool()
    scores = [3 * torch.randn(1, HEADS, tokens, tokens) for _layer in range(LAYERS)]
    return tuple(one.masked_fill(later, -torch.inf).softmax(-1) for one in scores), [f"w{i}" for i in range(tokens)]


def paint(side: str, view: str, tokens: int) -> None:
    """Make one page and open it; print seconds of both, and its bytes, as soon as they are known."""
    import bertviz

    from playground import bertviz as ours

    attention, words = tensors(tokens)
    draw = getattr(bertviz if side == "BertViz" else ours, f"{view}_view")
    started = perf_counter()
    page: str = draw(attention, words, html_action="return").data
    print(json.dumps({"bytes": len(page.encode()), "make_seconds": perf_counter() - started}), flush=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "page.html"
        path.write_text(offline(page) if side == "BertViz" else page, encoding="utf-8")
        opened = browser.new_page(viewport={"width": 1400, "height": 1000})
        started = perf_counter()
        opened.goto(path.as_uri(), wait_until="commit")
        if side == "BertViz":
            opened.wait_for_function("() => window.painted", timeout=SECONDS * 1000)
        else:
            opened.frame_locator("iframe").locator(".root[data-paint]").wait_for(timeout=SECONDS * 1000)
        painted = perf_counter() - started
    print(json.dumps({"outcome": "painted", "paint_seconds": painted}), flush=True)


def attempt(side: str, view: str, tokens: int) -> dict[str, Any]:
    """One page in a process of its own."""
    subject = {"side": side, "view": view, "tokens": tokens}
    print(f"{side}: {view} view, {tokens} tokens", file=sys.stderr)
    command = [sys.executable, "-m", "benchmarks.notebook", "--one", side, view, str(tokens)]
    with tempfile.TemporaryFile("w+") as answers:
        child = subprocess.Popen(command, cwd=ROOT, stdout=answers, text=True)
        reason = _wait_for(child)
        answers.seek(0)
        known = {key: value for line in answers for key, value in json.loads(line).items()}
    return {**subject, **known, **({"outcome": reason} if reason else {})}


def _wait_for(child: subprocess.Popen[str]) -> str:
    """Wait within the limits; why the process was ended or failed, else nothing."""
    end = time.monotonic() + SECONDS
    while child.poll() is None:
        used = sum(map(_resident, _family(child.pid))) / 1e9
        if used > GIGABYTES or time.monotonic() > end:
            for process in reversed(_family(child.pid)):
                process.kill()
            child.wait()
            return f"took more than {GIGABYTES:.0f} GB" if used > GIGABYTES else f"did not finish in {SECONDS:.0f} s"
        time.sleep(0.2)
    return f"ended with exit code {child.returncode}" if child.returncode else ""


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    """Measure all, side by side in one run, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("SIDE", "VIEW", "TOKENS"), help="one page, as JSON")
    parser.add_argument("--tokens", type=int, nargs="+", default=[64, 256, 1024])
    arguments = parser.parse_args()
    if arguments.one:
        side, view, tokens = arguments.one
        paint(side, view, int(tokens))
        return
    rows = [
        attempt(side, view, tokens)
        for tokens in arguments.tokens
        for view in ("model", "head")
        for side in ("BertViz", "ours")
    ]
    results = {"measured": measured_on("notebook", threads=1, packages=PACKAGES), "rows": rows}
    (RESULTS / "notebook.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
