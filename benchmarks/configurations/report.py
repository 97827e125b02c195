"""The results as a document: counts, then a row for each configuration, then every reason in full."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

NAMES = ("logits", "maps", "stream", "parts", "lens", "writing")
SIGNS = {"equal": "=", "refused": "refused", "wrong": "**wrong**", "no reference": "·"}
HEAD = """# Every text configuration of transformers

`make configurations` builds each family that transformers {version} lists for causal, masked and sequence-to-sequence
text as a small random model, saves it, opens it as the app opens any folder, and compares six things with transformers'
own eager pass and `generate` over the same weights. CI runs a sample of it (`tests/benchmarks/test_configurations.py`).

- *logits*: the prediction after the text.
- *maps*: the weights of every head, and their thumbnails.
- *stream*: the residual stream before and after every block, and the sums that it is shown as.
- *parts*: the contributions of all components against the logit.
- *lens*: every row of the logit lens.
- *writing*: greedy writing against `generate`; for an encoder, masked tokens against the plain pass.

= is equal within 2e-4 of the largest number. *refused* says why, in the sentence that the app shows (numbered below).
· has no reference: transformers reports nothing there, or its own `generate` and forward pass disagree (families whose
positions begin after the padding row get other positions from `generate`).
"""


def report(results: Mapping[str, Mapping[str, Any]], version: str) -> str:
    """The document in Markdown."""
    reasons: dict[str, int] = {}
    rows = [_row(name, result, reasons) for name, result in results.items() if "not built" not in result]
    unbuilt = [f"- {name}: {result['not built']}" for name, result in results.items() if "not built" in result]
    lines = [HEAD.format(version=version), *_counts(results), ""]
    lines += [
        f"| Configuration | {' | '.join(NAMES)} |",
        f"| --- |{' --- |' * len(NAMES)}",
        *rows,
        "",
        "## Reasons",
        "",
    ]
    lines += [f"{number}. {reason}" for reason, number in reasons.items()]
    if unbuilt:
        lines += [
            "",
            "## Not built",
            "",
            "Small models that transformers itself could not build or run: the reason, and its error.",
            "",
        ]
        lines += unbuilt
    return "\n".join(lines) + "\n"


def _counts(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    built = [result for result in results.values() if "not built" not in result]
    unbuilt = len(results) - len(built)
    yield f"{len(results)} configurations; {len(built)} built and compared, {unbuilt} not built (below)."
    yield ""
    yield f"| | {' | '.join(NAMES)} |"
    yield f"| --- |{' ---: |' * len(NAMES)}"
    counts = {name: Counter(result[name]["verdict"] for result in built) for name in NAMES}
    for verdict in SIGNS:
        yield f"| {verdict} | {' | '.join(str(counts[name][verdict]) for name in NAMES)} |"


def _row(name: str, result: Mapping[str, Any], reasons: dict[str, int]) -> str:
    cells = []
    for column in NAMES:
        verdict, detail = result[column]["verdict"], result[column]["detail"].replace("|", "/")
        sign = SIGNS[verdict]
        if verdict == "refused":
            sign += f" {reasons.setdefault(_general(detail), len(reasons) + 1)}"
        elif verdict == "wrong":
            sign += f": {detail}"
        cells.append(sign)
    return f"| {name} | {' | '.join(cells)} |"


def _general(sentence: str) -> str:
    """A reason without the family's name and numbers, so that it is listed once."""
    sentence = re.sub(r"([Tt]he family) [\w.-]+", r"\1 …", sentence)
    return re.sub(r"\b\d+\b", "…", sentence)
