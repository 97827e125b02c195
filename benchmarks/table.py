"""The README's table, made of what benchmarks/results/attention.json holds, today's and an earlier one."""

from collections.abc import Iterable
from typing import Any

DECODER, ENCODER = "smollm2-135m", "all-minilm-l6-v2"
TITLES = {DECODER: "SmolLM2-135M", ENCODER: "all-MiniLM-L6-v2"}

OVERVIEW_SECONDS = 0.5
BEYOND_SECONDS = 0.15
"""For the shortest text, where passes were run in turns with the pictures."""
PASSES = {256: 2.0, 1000: 1.6}
"""From text to painted overview, the pass included, by number of tokens."""
OVERVIEW_BYTES = 1_000_000
CAPTURE_TIMES, CAPTURE_MEMORY = 1.4, 1.2
HEAD_SECONDS = 0.5
RERUN_SECONDS = 0.06
TITLE_SECONDS = 3.0

Row = tuple[str, str, str, str]


def markdown(results: dict[str, Any], before: dict[str, Any]) -> str:
    """The table as the README holds it, and below it in a paragraph what it was measured on and how.

    before: what was measured on another machine; of it, only our own figures are shown.
    """
    rows = zip(_rows(results), _rows(before), strict=True)
    headings = ("What", "Budget", _machine(results), _machine(before), "The usual way, measured beside it")
    cells = [(what, budget, ours, there[2], peer) for (what, budget, ours, peer), there in rows]
    lines = [f"| {' | '.join(row)} |" for row in (headings, ("---",) * len(headings), *cells)]
    return "\n".join([*lines, "", _caption(results)])


def _rows(results: dict[str, Any]) -> list[Row]:
    return [
        _overview_row(results, DECODER, 64),
        _overview_row(results, ENCODER, 64),
        _overview_row(results, DECODER, 256),
        _overview_row(results, DECODER, 1000),
        _bytes_row(results),
        _capture_row(results),
        _head_row(results),
        _rerun_row(results),
        _cold_row(results),
    ]


def _machine(results: dict[str, Any]) -> str:
    return f"{results['made']['cpu']}, {results['made']['date'][:10]}"


def _overview_row(results: dict[str, Any], model: str, tokens: int) -> Row:
    """The budget is for 12 x 12 heads and 64 tokens; longer texts stand without one."""
    painted = _painted(results, model, tokens)
    forward = results["forward"]["medians"][f"plain {model}"][str(tokens)]["seconds"]
    if "passes" in painted:
        return _passes_row(results, painted)
    beyond = max(0.0, painted["overview_seconds"] - forward)
    heads = f"{painted['layers']} × {painted['heads']} heads"
    what = f"Text to painted overview beyond the model's own pass: {TITLES[model]}, {heads}, {tokens:,} tokens"
    ours = f"{_seconds(beyond)} ({_seconds(painted['overview_seconds'])} with the pass)"
    if tokens > 64:
        return what, "", ours, _bertviz_seconds(results, model, tokens)
    missed = _missed(beyond < OVERVIEW_SECONDS)
    return what, f"< {OVERVIEW_SECONDS} s for 12 × 12 heads", ours + missed, _bertviz_seconds(results, model, tokens)


def _passes_row(results: dict[str, Any], painted: dict[str, Any]) -> Row:
    """Where a plain pass was run before each picture: how many of them a picture takes."""
    model, tokens = painted["model"], painted["tokens"]
    heads = f"{painted['layers']} × {painted['heads']} heads"
    beyond = max(0.0, painted["overview_seconds"] - painted["plain_seconds"])
    what = f"Text to painted overview, the pass included: {TITLES[model]}, {heads}, {tokens:,} tokens"
    ours = (
        f"{_seconds(painted['overview_seconds'])}: {painted['passes']:.2f} plain passes, {_seconds(beyond)} beyond one"
    )
    if tokens in PASSES:
        budget, met = f"≤ {PASSES[tokens]:g} plain passes", painted["passes"] <= PASSES[tokens]
    else:
        budget, met = f"≤ {BEYOND_SECONDS} s beyond the pass", beyond <= BEYOND_SECONDS
    scores = f"; head scores after {_seconds(painted['scores_seconds'])}"
    return what, budget, ours + _missed(met) + scores, _bertviz_seconds(results, model, tokens)


def _bertviz_seconds(results: dict[str, Any], model: str, tokens: int) -> str:
    """From the end of BertViz's own (eager) pass to the painted view."""
    views = []
    for name, title in (("model", "model view"), ("head", "head view, one layer at a time")):
        attempt = _attempt(results, name, model, tokens)
        if attempt is None:
            continue
        time = attempt["outcome"]
        if time == "painted":
            time = _seconds(attempt["page_seconds"] + attempt["paint_seconds"])
        views.append(f"{title}: {time}")
    return f"BertViz {'; '.join(views)}" if views else ""


def _bytes_row(results: dict[str, Any]) -> Row:
    subjects = [subject for subject in results["paint"] if subject["model"] == DECODER]
    ours = "; ".join(f"{subject['tokens']:,} tokens: {_bytes(subject['overview_bytes'])}" for subject in subjects)
    theirs = []
    for subject in subjects:
        attempt = _attempt(results, "model", DECODER, subject["tokens"])
        if attempt is not None and "bytes" in attempt:
            theirs.append(f"{subject['tokens']:,} tokens: {_bytes(attempt['bytes'])}")
    missed = _missed(max(subject["overview_bytes"] for subject in results["paint"]) <= OVERVIEW_BYTES)
    peer = f"BertViz model view {'; '.join(theirs)}" if theirs else ""
    what = f"Bytes to the browser for the overview of a text: {TITLES[DECODER]}"
    return what, f"≤ {OVERVIEW_BYTES / 1e6:.0f} MB", ours + missed, peer


def _capture_row(results: dict[str, Any]) -> Row:
    ratio = results["forward"]["ratios"]["capture"]["1024"]
    missed = _missed(ratio["seconds"] <= CAPTURE_TIMES and ratio["peak_bytes"] <= CAPTURE_MEMORY)
    what = f"Captured pass and overview over a plain sdpa pass: {TITLES[DECODER]}, 1,024 tokens"
    budget = f"≤ {CAPTURE_TIMES} × time, ≤ {CAPTURE_MEMORY} × memory"
    return what, budget, f"{_cost(results, 'capture')}{missed}", f"eager with all maps: {_cost(results, 'eager')}"


def _cost(results: dict[str, Any], method: str) -> str:
    ratio = results["forward"]["ratios"][method]["1024"]
    median = results["forward"]["medians"][f"{method} {DECODER}"]["1024"]
    time = f"{ratio['seconds']:.2f} × time ({_seconds(median['seconds'])})"
    return f"{time}, {ratio['peak_bytes']:.2f} × memory ({_bytes(median['peak_bytes'])})"


def _head_row(results: dict[str, Any]) -> Row:
    seconds = _painted(results, DECODER, 1000)["click_seconds"]
    what = f"One head at full resolution, click to paint: {TITLES[DECODER]}, 1,000 tokens"
    return what, f"< {HEAD_SECONDS} s", _seconds(seconds) + _missed(seconds < HEAD_SECONDS), ""


def _rerun_row(results: dict[str, Any]) -> Row:
    subjects = [subject for subject in results["paint"] if subject["model"] == DECODER]
    ours = "; ".join(f"{subject['tokens']:,} tokens: {_seconds(subject['rerun_seconds'])}" for subject in subjects)
    missed = _missed(all(subject["rerun_seconds"] < RERUN_SECONDS for subject in subjects))
    return f"Page rerun without new work: {TITLES[DECODER]}", f"< {_seconds(RERUN_SECONDS)}", ours + missed, ""


def _cold_row(results: dict[str, Any]) -> Row:
    cold = results["cold_start"]
    title, picture = _seconds(cold["title_seconds"]), _seconds(cold["picture_seconds"])
    ours = f"{title}{_missed(cold['title_seconds'] < TITLE_SECONDS)}; first picture of the built-in model {picture}"
    peer = f"only importing streamlit, torch and transformers first: {_seconds(cold['imports_seconds'])}"
    return "First page visible on a cold start", f"< {TITLE_SECONDS:.0f} s", ours, peer


def _caption(results: dict[str, Any]) -> str:
    run = results["made"]
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    kind = "A quick run of" if run["quick"] else "Medians of"
    return " ".join(
        [
            f"{kind} `{run['command']}` on {run['date'][:10]}: {run['cpu']}, {run['cores']} cores, no GPU,",
            f"{run['threads']} torch thread{'s' if run['threads'] > 1 else ''}; {versions}.",
            "Bytes are counted before compression. Memory is the process's peak, model included.",
            "BertViz's pages were opened from a file, their libraries at hand; its times, too, begin after the pass.",
        ]
    )


def _painted(results: dict[str, Any], model: str, tokens: int) -> dict[str, Any]:
    return _only(subject for subject in results["paint"] if (subject["model"], subject["tokens"]) == (model, tokens))


def _attempt(results: dict[str, Any], view: str, model: str, tokens: int) -> dict[str, Any] | None:
    wanted = (view, model, tokens)
    attempts = (
        attempt for attempt in results["bertviz"] if (attempt["view"], attempt["model"], attempt["tokens"]) == wanted
    )
    return next(attempts, None)


def _only(results: Iterable[dict[str, Any]]) -> dict[str, Any]:
    (only,) = results
    return only


def _missed(met: bool) -> str:
    return "" if met else " (missed)"


def _seconds(seconds: float) -> str:
    """Seconds, or milliseconds below a fifth of a second."""
    if seconds < 0.2:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def _bytes(count: float) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.2f} GB"
    return f"{count / 1e6:.2f} MB" if count < 1e7 else f"{count / 1e6:.0f} MB"
