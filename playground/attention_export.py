"""Export of an attention map: CSV, NPZ and a Python snippet, each with its provenance."""

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from playground.csv_table import csv_table
from playground.lens.capture.words import Word, covering_words, word_maps
from playground.lens.inspect.attention_view import Axis, Combine, ViewOptions, axes, head_map
from playground.lens.inspect.chosen_tokens import ChosenTokens
from playground.lens.trace import Trace
from playground.provenance import provenance
from playground.snippets import program, tracing

SHOWN_TEXT = 300
"""Characters of a text below a picture."""
ALL_HEADS_BYTES = 50_000_000
"""An NPZ holds the maps of all heads up to this size."""


@dataclass(frozen=True, kw_only=True)
class SelectedMap:
    """The map of one head, or of an average of heads, under the options of the view."""

    options: ViewOptions
    layer: int
    head: int
    combine: Combine = "head"
    by_word: bool = False
    """Whether the pieces of a word are put together: the sum over a key's, the mean over a query's."""
    chosen: ChosenTokens | None = None
    """Rows or columns of this map whose weights are put together beside it."""


def shown_words(trace: Trace, selected: SelectedMap) -> tuple[list[Word], list[Word]]:
    """What the map's rows and columns stand for: words, or tokens as words of one; counted along the axes."""
    queries, keys = axes(trace, selected.options)
    return _words(queries, selected.by_word), _words(keys, selected.by_word)


def _words(axis: Axis, by_word: bool) -> list[Word]:
    if by_word:
        return covering_words(axis.tokens)
    return [Word(text=token.text, positions=(index,)) for index, token in enumerate(axis.tokens)]


def cells_at(
    trace: Trace, selected: SelectedMap, axis: Literal["query", "key"], positions: Iterable[int]
) -> tuple[int, ...]:
    """The rows or columns of the map in which tokens stand, given by their positions in the text; no hidden ones."""
    side = axes(trace, selected.options)[axis == "key"]
    words = shown_words(trace, selected)[axis == "key"]
    wanted = set(positions)
    return tuple(
        cell for cell, word in enumerate(words) if any(side.positions[index] in wanted for index in word.positions)
    )


def head_csv(trace: Trace, selected: SelectedMap, *, more: Mapping[str, str] | None = None) -> str:
    """The map as CSV: provenance in comment lines, then a column per key and a row per query.

    Chosen queries add a row, chosen keys a column: their weights put together. more: provenance by name.
    """
    queries, keys = shown_words(trace, selected)
    weights = _weights(trace, selected)
    header = ["query \\ key", *(word.text for word in keys)]
    rows = [[word.text, *map(float, row)] for word, row in zip(queries, weights, strict=True)]
    if selected.chosen is not None:
        gathered = list(map(float, selected.chosen.gathered(weights)))
        title = _chosen_title(trace, selected)
        if selected.chosen.axis == "query":
            rows.append([title, *gathered])
        else:
            header.append(title)
            rows = [[*row, value] for row, value in zip(rows, gathered, strict=True)]
    origin = {**_origin(trace, selected), **(more or {})}
    if selected.options.hide_special:
        sides = zip(("query", "key"), axes(trace, selected.options), strict=True)
        origin |= {f"{name} positions": _spelled(axis.positions) for name, axis in sides}
    return csv_table([header, *rows], [f"{name}: {value}" for name, value in origin.items()])


def _chosen_title(trace: Trace, selected: SelectedMap) -> str:
    """Such as "mean of queries 3 5"."""
    chosen = selected.chosen
    assert chosen is not None
    side = axes(trace, selected.options)[chosen.axis == "key"]
    words = shown_words(trace, selected)[chosen.axis == "key"]
    positions = [side.positions[index] for cell in chosen.cells for index in words[cell].positions]
    return f"{chosen.gather} of {'queries' if chosen.axis == 'query' else 'keys'} {_spelled(positions)}"


def head_npz(trace: Trace, selected: SelectedMap, *, more: Mapping[str, str] | None = None) -> bytes:
    """The map, the overview, every head's scores and (up to 50 MB) every map, as an NPZ archive."""
    queries, keys = axes(trace, selected.options)
    kind = selected.options.kind
    weights = _weights(trace, selected)
    arrays: dict[str, np.ndarray] = {
        "weights": weights,
        "overview": trace.overview(kind=kind),
        "query_tokens": np.array([token.text for token in queries.tokens]),
        "key_tokens": np.array([token.text for token in keys.tokens]),
        "query_ids": np.array([token.id for token in queries.tokens]),
        "key_ids": np.array([token.id for token in keys.tokens]),
        "layers": np.array(trace.block_numbers(kind)),
        "query_positions": np.array(queries.positions),
        "key_positions": np.array(keys.positions),
        "provenance": np.array(json.dumps({**_origin(trace, selected), **(more or {})}, ensure_ascii=False)),
    }
    if selected.by_word:
        sides = zip(("query", "key"), shown_words(trace, selected), strict=True)
        arrays |= {f"{name}_words": np.array([word.text for word in words]) for name, words in sides}
    if selected.chosen is not None:
        arrays |= {"chosen": np.array(selected.chosen.cells), "gathered": selected.chosen.gathered(weights)}
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
    imports += ["playground.lens.capture.words import covering_words, word_maps"] if selected.by_word else []
    lines = [
        tracing(text, pair=pair, target=target, truncate=truncate),
        f"options = ViewOptions(kind={str(options.kind)!r}, hide_special={options.hide_special}, "
        f"exclude_first={options.exclude_first})",
        f"weights = head_map(traced, options, layer={selected.layer}, head={selected.head}, "
        f"combine={selected.combine!r})",
        *(_word_lines() if selected.by_word else ["queries, keys = (axis.tokens for axis in axes(traced, options))"]),
        *_chosen_lines(selected.chosen),
        "figure = express.imshow(weights, labels={'x': 'key', 'y': 'query', 'color': 'weight'})",
        "figure.update_xaxes(tickvals=list(range(len(keys))), ticktext=[key.text for key in keys])",
        "figure.update_yaxes(tickvals=list(range(len(queries))), ticktext=[query.text for query in queries])",
        "figure.show()",
    ]
    return program(trace.model, imports, lines, revision=revision)


def _word_lines() -> list[str]:
    return [
        "queries, keys = (covering_words(axis.tokens) for axis in axes(traced, options))",
        "weights = word_maps(weights[None], queries, keys)[0]  # the sum over a key's pieces, the mean over a query's",
    ]


def _chosen_lines(chosen: ChosenTokens | None) -> list[str]:
    if chosen is None:
        return []
    along = 0 if chosen.axis == "query" else 1
    return [f"gathered = weights.take({list(chosen.cells)}, axis={along}).{chosen.gather}({along})"]


def _weights(trace: Trace, selected: SelectedMap) -> np.ndarray:
    weights = head_map(trace, selected.options, layer=selected.layer, head=selected.head, combine=selected.combine)
    return word_maps(weights[None], *shown_words(trace, selected))[0] if selected.by_word else weights


def _spelled(positions: Iterable[int]) -> str:
    return " ".join(map(str, positions))


def trace_origin(trace: Trace, most: int = SHOWN_TEXT) -> dict[str, str]:
    """The model's provenance, and what it has read: of a long text the beginning."""
    read = {"text": trace.text, "target": trace.target_text or ""}
    begun = {name: text if len(text) <= most else f"{text[:most]}…" for name, text in read.items()}
    return {**provenance(trace.model), **{name: repr(text) for name, text in begun.items() if text}}


def _origin(trace: Trace, selected: SelectedMap) -> dict[str, str]:
    return {**trace_origin(trace, len(trace.text) + len(trace.target_text or "")), **_description(trace, selected)}


def _description(trace: Trace, selected: SelectedMap) -> dict[str, str]:
    by_word = "words: the sum over a key's tokens, the mean over a query's"
    return {
        "attention": selected.options.kind,
        "shown": f"head {selected.layer}.{selected.head}, {selected.combine}",
        "special tokens": "hidden" if selected.options.hide_special else "shown",
        "first token": "set aside, rows renormalised" if selected.options.exclude_first else "as it is",
        **({"rows and columns": by_word} if selected.by_word else {}),
    }
