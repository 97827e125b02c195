"""Export of an attention map: CSV, NPZ and a Python snippet, each with its provenance."""

import io
import json
from dataclasses import dataclass

import numpy as np

from playground.csv_table import csv_table
from playground.lens.inspect.attention_view import Axis, Combine, ViewOptions, axes, head_map
from playground.lens.trace import Trace
from playground.provenance import provenance
from playground.snippets import program, tracing

ALL_HEADS_BYTES = 50_000_000
"""An NPZ holds the maps of all heads up to this size."""


@dataclass(frozen=True, kw_only=True)
class SelectedMap:
    """The map of one head, or of an average of heads, under the options of the view."""

    options: ViewOptions
    layer: int
    head: int
    combine: Combine = "head"


def head_csv(trace: Trace, selected: SelectedMap) -> str:
    """The map as CSV: provenance in comment lines, then a column per key token and a row per query token."""
    queries, keys = axes(trace, selected.options)
    weights = _weights(trace, selected)
    header = ["query \\ key", *(token.text for token in keys.tokens)]
    rows = [[token.text, *map(float, row)] for token, row in zip(queries.tokens, weights, strict=True)]
    origin = {**provenance(trace.model), **_description(selected)}
    if selected.options.hide_special:
        origin |= {f"{name} positions": _spelled(axis) for name, axis in (("query", queries), ("key", keys))}
    return csv_table([header, *rows], [f"{name}: {value}" for name, value in origin.items()])


def head_npz(trace: Trace, selected: SelectedMap) -> bytes:
    """The map, the overview, every head's scores and (up to 50 MB) every map, as an NPZ archive."""
    queries, keys = axes(trace, selected.options)
    kind = selected.options.kind
    arrays: dict[str, np.ndarray] = {
        "weights": _weights(trace, selected),
        "overview": trace.overview(kind=kind),
        "query_tokens": np.array([token.text for token in queries.tokens]),
        "key_tokens": np.array([token.text for token in keys.tokens]),
        "query_ids": np.array([token.id for token in queries.tokens]),
        "key_ids": np.array([token.id for token in keys.tokens]),
        "query_positions": np.array(queries.positions),
        "key_positions": np.array(keys.positions),
        "provenance": np.array(json.dumps({**provenance(trace.model), **_description(selected)}, ensure_ascii=False)),
    }
    arrays |= {f"score_{name}": table for name, table in trace.head_scores(kind).scores.items()}
    sites = trace.layers(kind)
    if sum(site.n_heads * site.queries * site.keys for site in sites) * 4 <= ALL_HEADS_BYTES:
        arrays["all_heads"] = np.stack(
            [[trace.attention(site.layer, head, kind) for head in range(site.n_heads)] for site in sites]
        )
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def snippet(
    trace: Trace,
    selected: SelectedMap,
    *,
    text: str,
    pair: str | None = None,
    target: str | None = None,
    truncate: bool = False,
    revision: str | None = None,
) -> str:
    """Python that computes and draws the same map without the page. revision: the one that the user asked for."""
    options = selected.options
    imports = ["plotly import express", "playground.lens.inspect.attention_view import ViewOptions, axes, head_map"]
    lines = [
        tracing(text, pair=pair, target=target, truncate=truncate),
        f"options = ViewOptions(kind={str(options.kind)!r}, hide_special={options.hide_special}, "
        f"exclude_first={options.exclude_first})",
        f"weights = head_map(traced, options, layer={selected.layer}, head={selected.head}, "
        f"combine={selected.combine!r})",
        "queries, keys = axes(traced, options)",
        "figure = express.imshow(weights, labels={'x': 'key', 'y': 'query', 'color': 'weight'})",
        "figure.update_xaxes(tickvals=list(range(len(keys.tokens))), ticktext=[t.text for t in keys.tokens])",
        "figure.update_yaxes(tickvals=list(range(len(queries.tokens))), ticktext=[t.text for t in queries.tokens])",
        "figure.show()",
    ]
    return program(trace.model, imports, lines, revision=revision)


def _weights(trace: Trace, selected: SelectedMap) -> np.ndarray:
    return head_map(trace, selected.options, layer=selected.layer, head=selected.head, combine=selected.combine)


def _spelled(axis: Axis) -> str:
    return " ".join(map(str, axis.positions))


def _description(selected: SelectedMap) -> dict[str, str]:
    return {
        "attention": selected.options.kind,
        "shown": f"layer {selected.layer}, head {selected.head}, {selected.combine}",
        "special tokens": "hidden" if selected.options.hide_special else "shown",
        "first token": "set aside, rows renormalised" if selected.options.exclude_first else "as it is",
    }
