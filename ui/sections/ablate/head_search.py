"""Find heads by pattern: all heads ranked by their attention on marked keys, against chance."""

from collections.abc import Sequence
from typing import cast

import pandas as pd
import streamlit as st
import torch
from torch import Tensor

from playground.charts.ablate import ranking_figure
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token
from playground.lens.inspect.head_search import (
    CrossPattern,
    Pattern,
    Ranking,
    best_head_finding,
    cross_pattern_mask,
    pattern_mask,
    rank_heads,
)
from playground.text import _
from ui.jobs import compute
from ui.sections.ablate.figure import numbered, show_figure
from ui.sections.ablate.heads import SEARCH, choose_head, offer_head_doors
from ui.sections.ablate.options import Subject, kind_titles
from ui.state.address import read_text, write_text
from ui.state.parameters import PAINTED, PATTERN, SEARCH_KIND
from ui.state.revisions import widget_key
from ui.state.session import first_value
from ui.widgets.choice import choose_option
from ui.widgets.download import offer_snippet, traced
from ui.widgets.findings import show_findings

MOST_BARS = 24
MOST_PAINTED = 32
CUSTOM = "painted"


def show_head_search(subject: Subject) -> None:
    """Choose or mark a pattern; rank all heads by it."""
    trace = subject.traced.trace
    kinds: list[SiteKind] = [kind for kind in ("decoder", "cross", "encoder") if kind in trace.kinds]
    titles: dict[str, str] = {kind: kind_titles()[kind] for kind in kinds}
    kind = cast(SiteKind, choose_option(SEARCH_KIND, _("In"), titles) if kinds[1:] else kinds[0])
    patterns = _cross_titles() if kind == "cross" else _titles()
    pattern = choose_option(PATTERN, _("Pattern"), patterns, key=f"choose_pattern_{kind}")
    queries, keys = trace.query_tokens(kind), trace.key_tokens(kind)
    mask = _paint(queries, keys) if pattern == CUSTOM else _mask(pattern, queries, keys, is_cross=kind == "cross")
    if mask is None:
        return
    sites = trace.layers(kind)
    marked = tuple(map(tuple, mask.nonzero().tolist()))
    ranking = compute(
        ("search", kind, pattern, marked),
        lambda on_progress: rank_heads(sites, mask, on_progress=on_progress),
        title=_("Searching layer by layer:"),
        cache=subject.traced,
    )
    if ranking is not None:
        _show_ranking(subject, ranking, kind, pattern)
    _offer_python(subject, kind, pattern, marked)


def _offer_python(subject: Subject, kind: SiteKind, pattern: str, marked: tuple[tuple[int, int], ...]) -> None:
    """The ranking in Python, with the marked keys."""
    trace = subject.traced.trace
    rows, columns = [query for query, _key in marked], [key for _query, key in marked]
    shape = len(trace.query_tokens(kind)), len(trace.key_tokens(kind))
    lines = [traced(subject.texts), f"mask = zeros({shape}, dtype=bool)"]
    lines += [f"mask[{rows}, {columns}] = True" + ("" if pattern == CUSTOM else f"  # {pattern}")]
    lines += [f"ranking = rank_heads(traced.layers({kind!r}), mask)"]
    lines += ["print([(head.layer, head.head, head.score, head.shuffled_high) for head in ranking.heads])"]
    offer_snippet(subject.model, ["torch import zeros", "playground.lens.inspect.head_search import rank_heads"], lines)


def _show_ranking(subject: Subject, ranking: Ranking, kind: SiteKind, pattern: str) -> None:
    """The best heads as bars against chance; all heads in the CSV."""
    show_findings(best_head_finding(ranking))
    sentence = _(
        "Mean attention on the marked keys, over {queries} queries. Chance level: 95th percentile of the largest score "
        "of all heads over {shuffles} shuffles, {chance:.3f}. Marks: 95th percentile of each head's own shuffles."
    )
    best = ranking.heads[:MOST_BARS]
    rows: list[Sequence[object]] = [
        ("layer", "head", "score", "shuffled mean", "shuffled 95th percentile", "z-score"),
        *(
            (head.layer, head.head, head.score, head.shuffled_mean, head.shuffled_high, head.z_score)
            for head in ranking.heads
        ),
    ]
    figure = ranking_figure(
        [f"{head.layer}.{head.head}" for head in best],
        [head.score for head in best],
        [head.shuffled_high for head in best],
        ranking.chance_level,
    )
    label = _("Heads ranked by their attention on the marked keys")
    details: dict[str, object] = {"attention": kind, "pattern": pattern}
    details |= {"chance level": f"{ranking.chance_level:.4f}", "shuffles": ranking.shuffles}
    name = f"search-{kind}-{pattern}"
    bar = show_figure(subject, figure, rows, name=name, label=label, details=details, picks=True)
    if bar is not None and bar[1] < len(best):
        choose_head(subject, kind, best[bar[1]].layer, best[bar[1]].head)
    st.caption(sentence.format(queries=ranking.queries, shuffles=ranking.shuffles, chance=ranking.chance_level))
    offer_head_doors(subject, kind, (best[0].layer, best[0].head), here=SEARCH)


def _titles() -> dict[str, str]:
    return {
        "previous": _("Previous token"),
        "first": _("First token"),
        "same_token": _("Duplicate token"),
        "induction": _("Induction"),
        "separator": _("Separators"),
        CUSTOM: _("Custom"),
    }


def _cross_titles() -> dict[str, str]:
    return {
        "same_token": _("Same token in the source"),
        "same_place": _("Same position in the source"),
        "first": _("First token"),
        "separator": _("Separators"),
        CUSTOM: _("Custom"),
    }


def _mask(pattern: str, queries: tuple[Token, ...], keys: tuple[Token, ...], *, is_cross: bool) -> Tensor:
    """The pattern's marked keys of each query."""
    ids, name = [token.id for token in queries], pattern.replace("_", " ")
    labels, special = [token.text for token in keys], [token.special for token in keys]
    if is_cross:
        return cross_pattern_mask(cast(CrossPattern, name), ids, [token.id for token in keys], labels, special)
    return pattern_mask(cast(Pattern, name), ids, labels, special)


def _paint(queries: tuple[Token, ...], keys: tuple[Token, ...]) -> Tensor | None:
    """A table of boxes, query by key, kept in the address. None, with a message, for a long text or no mark."""
    count = max(len(queries), len(keys))
    if count > MOST_PAINTED:
        sentence = _("A custom pattern takes up to {most} tokens; this text has {count}. Shorten it.")
        st.info(sentence.format(most=MOST_PAINTED, count=count), icon=":material/content_cut:")
        return None
    shape = len(queries), len(keys)
    initial: torch.Tensor = first_value(widget_key(PAINTED, f"painted_first_{shape}"), lambda: _mask_in_address(*shape))
    rows, columns = numbered(queries), numbered(keys)
    key = widget_key(PAINTED, f"painted_{shape}_{hash((*rows, *columns))}")
    table = st.data_editor(pd.DataFrame(initial.numpy(), index=rows, columns=columns), key=key)
    mask = torch.from_numpy(table.to_numpy(dtype=bool).copy())
    write_text(PAINTED, ",".join(f"{query}-{key}" for query, key in mask.nonzero().tolist()) or None)
    if not mask.any():
        st.info(_("Tick the keys (columns) that each query (row) should attend to."), icon=":material/brush:")
        return None
    return mask


def _mask_in_address(queries: int, keys: int) -> Tensor:
    mask = torch.zeros(queries, keys, dtype=torch.bool)
    for pair in read_text(PAINTED).split(","):
        query, _dash, key = pair.partition("-")
        if query.isdecimal() and key.isdecimal() and int(query) < queries and int(key) < keys:
            mask[int(query), int(key)] = True
    return mask
