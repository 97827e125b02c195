"""Toy example: attention over a few words whose vectors a person may edit, every number recomputed at once."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts.inside import rows_figure, short_number
from playground.charts.layout import token_label
from playground.charts.palette import DECODER
from playground.errors import UserError
from playground.lens.inspect.free_attention import (
    CIRCULATING,
    EXAMPLE,
    EXAMPLE_QUERY,
    INTRODUCTIONS,
    FreeAttention,
    Rules,
    Words,
    attend_freely,
    invent,
)
from playground.lens.inspect.head_comparison import free_heads
from playground.text import _
from ui.sections.inside.attention_by_hand_figures import (
    numbered_words,
    show_all_queries,
    show_output,
    show_weights,
    toy_details,
)
from ui.sections.inside.step_layout import FRAME_PIXELS, ROW_PIXELS
from ui.state.address import read_choice, read_number, read_text, unless, write_number, write_text, write_values
from ui.state.parameters import (
    QUERY,
    TOY_CAUSAL,
    TOY_EXAMPLE,
    TOY_HEADS,
    TOY_SCALED,
    TOY_TEMPERATURE,
    TOY_TEXT,
    TOY_VECTORS,
)
from ui.state.revisions import fresh_key, renew, widget_key
from ui.state.session import first_value
from ui.text import error_sentence, inert
from ui.widgets.chart import draw
from ui.widgets.choice import choose_option, choose_segment
from ui.widgets.download import offer_snippet

EXAMPLES = {"own": EXAMPLE, "introductions": INTRODUCTIONS}
WORDS_LENGTH = 300
LARGEST = 1000.0


def show_toy_example(example: str) -> None:
    """Words, their vectors, the rules, and every number of one query. example: a key of EXAMPLES."""
    words = _choose_words(EXAMPLES[example])
    rules = _choose_rules()
    query = _choose_query(words)
    numbers = attend_freely(words, rules)
    if example == "introductions" and words.words == INTRODUCTIONS.words:
        _describe_circulating()
    st.latex(rf"\mathrm{{softmax}}\left(\frac{{q \cdot k_j}}{{{_divisor(words, rules)}}}\right) v_j")
    show_weights(words, numbers, query, rules)
    _describe_weights(numbers, words, query)
    show_output(words, numbers, query, rules)
    show_all_queries(words, numbers, rules)
    show_single_head(words, rules, query)
    imports = ["numpy import array", "playground.lens.inspect.free_attention import Rules, Words, attend_freely"]
    tables = [f"    {name}=array({getattr(words, name).tolist()})," for name in ("queries", "keys", "values")]
    lines = [
        "words = Words(",
        f"    words={words.words!r},",
        *tables,
        ")",
        f"attention = attend_freely(words, {rules!r})",
    ]
    offer_snippet(None, imports, [*lines, f"print(attention.weights[{query}], attention.output[{query}])"])


def _divisor(words: Words, rules: Rules) -> str:
    root = rf"\sqrt{{{words.queries.shape[1]}}}" if rules.is_scaled else "1"
    return root if rules.temperature == 1 else rf"{root} \cdot {rules.temperature:g}"


def choose_example() -> str:
    """The example to begin with."""
    titles = {"own": _("Things and places"), "introductions": _("The introductions' example")}
    shown = read_choice(TOY_EXAMPLE)
    key = fresh_key(TOY_EXAMPLE, shown)
    example: str = choose_segment(
        _("Example"),
        list(titles),
        shown,
        key=key,
        format_func=titles.__getitem__,
        on_change=_adopt_example,
        args=(key,),
        label_visibility="collapsed",
    )
    return example


def _adopt_example(key: str) -> None:
    """Another example: its vectors take the place of those that were changed, and its query begins anew."""
    write_values({TOY_EXAMPLE: unless(st.session_state[key] or "own", "own"), TOY_VECTORS: None, QUERY: None})
    renew(TOY_VECTORS)
    renew(QUERY)


def _describe_circulating() -> None:
    """Kindly: what is printed elsewhere, and what the formula gives."""
    numbers = attend_freely(INTRODUCTIONS)
    template = _(
        "You may have met this example with other numbers: products {printed_products}, weights that sum to {total}, "
        "the output ({printed_output}). A slip crept in there, as easily happens by hand: the weights of a softmax "
        "always sum to 1. For “sat” the formula gives the products {products}, the weights {weights} and the output "
        "({output})."
    )
    st.info(
        template.format(
            printed_products=spaced(CIRCULATING.products, 2),
            total=CIRCULATING.weights_sum,
            printed_output=spaced(CIRCULATING.output, 2),
            products=spaced(numbers.scores[EXAMPLE_QUERY], 2),
            weights=spaced(numbers.weights[EXAMPLE_QUERY], 4),
            output=spaced(numbers.output[EXAMPLE_QUERY], 4),
        ),
        icon=":material/lightbulb:",
    )


def spaced(numbers: Sequence[float] | np.ndarray, digits: int) -> str:
    """Numbers with spaces between, as many digits behind the point."""
    return " ".join(f"{number:.{digits}f}" for number in numbers)


def _choose_words(example: Words) -> Words:
    """The words and the tables of their vectors; ends the run with a sentence where they cannot be used."""
    text = st.text_input(
        _("Words"),
        value=" ".join(EXAMPLE.words),
        key=TOY_TEXT,
        bind="query-params",
        max_chars=WORDS_LENGTH,
        label_visibility="collapsed",
    )
    try:
        start = example if tuple(text.split()) == example.words else invent(text.split())
        words = _edit(start)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        st.stop()
    st.caption(_("Change the words: each new one gets vectors of its own, which you can change too."))
    _write_vectors(words, start)
    return words


def _edit(start: Words) -> Words:
    """Three tables side by side. Raises UserError for an empty cell."""
    key = widget_key(TOY_VECTORS, f"hand.{read_choice(TOY_EXAMPLE)}." + " ".join(start.words))
    first = first_value(key, lambda: _read_vectors(start))
    names = numbered_words(start)
    titles = {_("Queries"): first.queries, _("Keys"): first.keys, _("Values"): first.values}
    tables = []
    for column, (title, numbers) in zip(st.columns(3), titles.items(), strict=True):
        with column:
            st.caption(title)
            tables.append(_table(numbers, names, f"{key}.{title}"))
    return Words(words=start.words, queries=tables[0], keys=tables[1], values=tables[2])


def _table(numbers: np.ndarray, names: list[str], key: str) -> np.ndarray:
    columns = [str(index) for index in range(numbers.shape[1])]
    number = st.column_config.NumberColumn(min_value=-LARGEST, max_value=LARGEST, step=0.01, format="%g")
    edited = st.data_editor(
        pd.DataFrame(numbers, index=names, columns=columns),
        column_config=dict.fromkeys(columns, number),
        key=key,
        width="stretch",
    )
    return np.asarray(edited.to_numpy(dtype=float, na_value=np.nan))


def _read_vectors(start: Words) -> Words:
    """The vectors of the address, or the ones to start with where it holds none that fit."""
    try:
        numbers = json.loads(read_text(TOY_VECTORS))
        tables = [np.array(table, dtype=float) for table in numbers]
        words = Words(words=start.words, queries=tables[0], keys=tables[1], values=tables[2])
    except (ValueError, TypeError, IndexError, UserError):
        return start
    return words if max(float(np.abs(table).max()) for table in tables) <= LARGEST else start


def _write_vectors(words: Words, start: Words) -> None:
    """Put changed vectors into the address."""
    tables = [words.queries.tolist(), words.keys.tolist(), words.values.tolist()]
    is_start = tables == [start.queries.tolist(), start.keys.tolist(), start.values.tolist()]
    write_text(TOY_VECTORS, None if is_start else json.dumps(tables, separators=(",", ":")))


def _choose_rules() -> Rules:
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        is_scaled = st.toggle(_("Scale by 1/√d"), value=True, key=TOY_SCALED, bind="query-params")
        is_causal = st.toggle(_("Causal mask"), key=TOY_CAUSAL, bind="query-params")
        temperature = st.slider(
            _("Temperature"), 0.1, 5.0, 1.0, 0.1, key=TOY_TEMPERATURE, bind="query-params", width=320
        )
    return Rules(is_scaled=is_scaled, is_causal=is_causal, temperature=temperature)


def _choose_query(words: Words) -> int:
    last = len(words.words) - 1
    default = EXAMPLE_QUERY if words.words == EXAMPLE.words else last
    chosen = choose_segment(
        _("Query"),
        range(len(words.words)),
        read_number(QUERY, default, last),
        key=widget_key(QUERY, f"hand_query.{len(words.words)}"),
        format_func=numbered_words(words).__getitem__,
    )
    query = int(chosen)
    write_number(QUERY, query, default)
    return query


def _describe_weights(numbers: FreeAttention, words: Words, query: int) -> None:
    """What the weights sum to, and which word has the largest."""
    best, names = int(numbers.weights[query].argmax()), numbered_words(words)
    st.success(
        _("The attention weights of {query} sum to {total:.6f}; the largest is on {best} ({weight:.1%}).").format(
            query=inert(names[query]),
            total=float(numbers.sums[query]),
            best=inert(names[best]),
            weight=float(numbers.weights[query, best]),
        ),
        icon=":material/functions:",
    )


def show_single_head(words: Words, rules: Rules, query: int) -> None:
    """The query's weights in each of several heads, and in a single head of equal width."""
    width = words.queries.shape[1]
    counts = [str(count) for count in range(width, 1, -1) if width % count == 0]
    if not counts:
        return
    st.subheader(_("Multi-head vs. single-head"), anchor=False)
    chosen = choose_option(TOY_HEADS, _("Heads"), {count: count for count in counts}) if counts[1:] else counts[0]
    n_heads = int(chosen)
    comparison = free_heads(words, n_heads, rules)
    st.caption(
        _(
            "The {width} dimensions of each query and key, split into {heads} heads: each has a softmax over its own "
            "scaled scores. A single head of equal width has one softmax over all {width}. Mean total variation "
            "distance between the heads: {apart:.3f} (0 to 1); with a single head it is always 0."
        ).format(width=width, heads=n_heads, apart=float(comparison.disagreement[query]))
    )
    share, names = width // n_heads, numbered_words(words)
    template = _("head {head}: dimension {first}") if share == 1 else _("head {head}: dimensions {first} to {last}")
    labels = [_("single head")]
    labels += [template.format(head=head, first=head * share, last=(head + 1) * share - 1) for head in range(n_heads)]
    values = [comparison.one[query], *comparison.many[:, query]]
    hover = [
        [f"{token_label(name)}: {short_number(weight)}" for name, weight in zip(names, row, strict=True)]
        for row in values
    ]
    colours = [DECODER] * len(values)
    figure = rows_figure(values, labels, hover, colours, x=_("key"), columns=names, shows_numbers=True)
    label = _("The query's weights in one head and in several")
    details = {**toy_details(words, rules, query), "heads": n_heads}
    height = FRAME_PIXELS + ROW_PIXELS * len(values)
    draw(None, figure, key="hand_heads_chart", height=height, label=label, details=details)
