"""What the attention view shows of a trace: all heads, exact maps of some, scores and what one head does."""

from collections.abc import Mapping, Sequence

import numpy as np

from playground.lens.capture.attended import Attended
from playground.lens.capture.site import SiteKind
from playground.lens.capture.words import covering_words
from playground.lens.inspect.attention_view import Axis, ViewOptions, axes, coded_maps, head_map
from playground.lens.inspect.head_kind import TextShape, count_repeats, describe_head
from playground.lens.inspect.head_scores import NAMES, HeadScores, striking_head
from playground.viewer.attention_view.payload import AxisToken, AxisWord, GridView, HeadView, ScoresView
from playground.viewer.attention_view.view_state import Selected


def picture_grid(
    trace: Attended, options: ViewOptions, *, name: str, title: str, provenance: Mapping[str, str]
) -> GridView:
    """All heads at overview resolution, at most a megabyte. name: by which exact maps and scores find their grid."""
    queries, keys = axes(trace, options)
    coded = coded_maps(trace, options)
    sites = trace.layers(options.kind)
    has_pieces = any(len(covering_words(axis.tokens)) < len(axis.tokens) for axis in (queries, keys))
    return GridView(
        trace=name,
        title=title,
        kind=options.kind,
        maps=coded.maps,
        rows=coded.rows,
        columns=coded.columns,
        packing=coded.packing,
        pooled=coded.pooled,
        query_tokens=_tokens(queries),
        key_tokens=_tokens(keys),
        query_count=len(trace.query_tokens(options.kind)),
        key_count=len(trace.key_tokens(options.kind)),
        query_words=_axis_words(queries) if has_pieces else (),
        key_words=_axis_words(keys) if has_pieces else (),
        causal=all(site.is_causal for site in sites),
        blocks=trace.block_numbers(options.kind),
        score_names=NAMES,
        first_excluded=options.exclude_first,
        special_hidden=options.hide_special,
        provenance=[f"{key}: {value}" for key, value in provenance.items()],
    )


def _tokens(axis: Axis) -> list[AxisToken]:
    return [
        AxisToken(text=token.text, special=token.special, segment=token.segment, position=position)
        for token, position in zip(axis.tokens, axis.positions, strict=True)
    ]


def _axis_words(axis: Axis) -> list[AxisWord]:
    words = covering_words(axis.tokens)
    return [AxisWord(text=word.text, positions=[axis.positions[i] for i in word.positions]) for word in words]


def picture_head(trace: Attended, options: ViewOptions, selected: Selected) -> HeadView:
    """Exact weights of one head, or of the selected mean or maximum."""
    weights = head_map(trace, options, layer=selected.layer, head=selected.head, combine=selected.combine)
    lower = all(site.is_causal for site in trace.layers(options.kind))
    packed = weights[np.tril_indices(weights.shape[0])] if lower else weights
    return HeadView(
        selected=selected,
        map=packed,
        rows=weights.shape[0],
        columns=weights.shape[1],
        packing="lower" if lower else "full",
        max_error=_max_error(trace, options, selected),
    )


def _max_error(trace: Attended, options: ViewOptions, selected: Selected) -> float | None:
    """Maximum error of the selected head over all its rows; None for a mean or maximum."""
    if selected.combine != "head":
        return None
    site = trace.site(selected.layer, options.kind)
    return site.recomputed_difference(slice(selected.head, selected.head + 1))


def token_ids(trace: Attended, kind: SiteKind) -> list[int] | None:
    """The ids by which equal tokens are known; None for cross-attention, whose sides do not compare."""
    return None if kind == "cross" else [token.id for token in trace.query_tokens(kind)]


def head_shown_first(trace: Attended, kind: SiteKind) -> Selected:
    """The most striking head."""
    layer, head = striking_head(trace.layers(kind), token_ids(trace, kind))
    return Selected(layer=layer, head=head)


def picture_scores(trace: Attended, scores: HeadScores, kind: SiteKind, selected: Selected) -> ScoresView:
    """The scores of all heads, and what the selected one shows."""
    return ScoresView(tables=scores.scores, selected=selected, finding=_finding(trace, scores.scores, kind, selected))


def _finding(trace: Attended, tables: Mapping[str, np.ndarray], kind: SiteKind, selected: Selected) -> str:
    """What kind of head it is, in a sentence; empty where nothing fits, or for a mean or maximum."""
    if selected.combine != "head":
        return ""
    queries, keys = trace.query_tokens(kind), trace.key_tokens(kind)
    shape = TextShape(
        queries=len(queries),
        keys=len(keys),
        is_causal=trace.site(selected.layer, kind).is_causal,
        repeats=count_repeats([token.id for token in queries]),
    )
    row = trace.block_numbers(kind).index(selected.layer)
    scores = {name: float(table[row, selected.head]) for name, table in tables.items()}
    finding = describe_head(scores, shape)
    return "" if finding is None else str(finding)


def every_head(layers: Sequence[int], heads: int) -> Sequence[Selected]:
    """Each head of each layer."""
    return [Selected(layer=layer, head=head) for layer in layers for head in range(heads)]
