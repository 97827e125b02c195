"""The numbers of a picture to take home: CSV, NPZ and a snippet, each with where it comes from."""

import io
import json
from dataclasses import dataclass

import numpy as np

from playground.csv_table import csv_table
from playground.lens.inspect.attention_view import Combine, ViewOptions, axes, head_map
from playground.lens.trace import Trace
from playground.provenance import provenance

ALL_HEADS_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is shown: which head (or which average) under which options."""

    options: ViewOptions
    layer: int
    head: int
    combine: Combine = "head"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The texts and model settings that `load` and `trace` were called with."""

    name: str
    revision: str | None
    device: str
    dtype: str
    text: str
    pair: str | None
    target: str | None
    truncate: bool


def head_csv(trace: Trace, picture: Picture) -> str:
    """The shown map as CSV: provenance in comment lines, then key tokens across and query tokens down."""
    queries, keys = axes(trace, picture.options)
    weights = _map(trace, picture)
    header = ["query \\ key", *(token.text for token in keys.tokens)]
    rows = [[token.text, *map(float, row)] for token, row in zip(queries.tokens, weights, strict=True)]
    origin = {**provenance(trace.model), **_words(picture)}
    return csv_table([header, *rows], [f"{name}: {value}" for name, value in origin.items()])


def head_npz(trace: Trace, picture: Picture) -> bytes:
    """The shown map, the overview, every head's scores and (up to 50 MB) every map, as an NPZ archive."""
    queries, keys = axes(trace, picture.options)
    kind = picture.options.kind
    arrays: dict[str, np.ndarray] = {
        "weights": _map(trace, picture),
        "overview": trace.overview(kind=kind),
        "query_tokens": np.array([token.text for token in queries.tokens]),
        "key_tokens": np.array([token.text for token in keys.tokens]),
        "query_ids": np.array([token.id for token in queries.tokens]),
        "key_ids": np.array([token.id for token in keys.tokens]),
        "provenance": np.array(json.dumps({**provenance(trace.model), **_words(picture)}, ensure_ascii=False)),
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


def snippet(inputs: Inputs, trace: Trace, picture: Picture) -> str:
    """Python that computes and draws the same map without the page."""
    lines = [f"# {name}: {value}" for name, value in provenance(trace.model).items()]
    arguments = "".join(
        f", {name}={value!r}"
        for name, value in (("pair", inputs.pair), ("target", inputs.target), ("truncate", inputs.truncate or None))
        if value is not None
    )
    options, seen = picture.options, f"{picture.options.kind}"
    return "\n".join(
        [
            *lines,
            "import plotly.express",
            "",
            "from playground import load, trace",
            "from playground.lens.inspect.attention_view import ViewOptions, axes, head_map",
            "",
            f"model = load({inputs.name!r}, revision={inputs.revision!r}, "
            f"device={inputs.device!r}, dtype={inputs.dtype!r})",
            f"traced = trace(model, {inputs.text!r}{arguments})",
            f"options = ViewOptions(kind={seen!r}, hide_special={options.hide_special}, "
            f"exclude_first={options.exclude_first})",
            f"weights = head_map(traced, options, layer={picture.layer}, head={picture.head}, "
            f"combine={picture.combine!r})",
            "queries, keys = axes(traced, options)",
            "figure = plotly.express.imshow(weights, labels={'x': 'key', 'y': 'query', 'color': 'weight'})",
            "figure.update_xaxes(tickvals=list(range(len(keys.tokens))), ticktext=[t.text for t in keys.tokens])",
            "figure.update_yaxes(tickvals=list(range(len(queries.tokens))), ticktext=[t.text for t in queries.tokens])",
            "figure.show()",
            "",
        ]
    )


def _map(trace: Trace, picture: Picture) -> np.ndarray:
    return head_map(trace, picture.options, layer=picture.layer, head=picture.head, combine=picture.combine)


def _words(picture: Picture) -> dict[str, str]:
    return {
        "attention": picture.options.kind,
        "shown": f"layer {picture.layer}, head {picture.head}, {picture.combine}",
        "special tokens": "hidden" if picture.options.hide_special else "shown",
        "first token": "set aside, rows renormalised" if picture.options.exclude_first else "as it is",
    }
