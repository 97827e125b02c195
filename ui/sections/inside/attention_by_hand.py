"""By hand: a few words with vectors that a person may change, and what attention makes of them at once."""

import json

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts.inside import number_word as word
from playground.charts.inside import plain, rows_figure
from playground.charts.palette import DECODER
from playground.errors import UserError
from playground.lens.inspect.free_attention import (
    EXAMPLE,
    EXAMPLE_QUERY,
    FreeAttention,
    Rules,
    Words,
    attend_freely,
    invent,
)
from playground.lens.inspect.head_comparison import free_heads
from playground.text import _
from ui import state
from ui.sections.inside.attention_by_hand_figures import hand_facts, show_everybody, show_mixture, show_weighing
from ui.sections.inside.step_layout import FRAME_PIXELS, ROW_PIXELS
from ui.widgets.chart import draw
from ui.widgets.choice import choose_word
from ui.widgets.download import offer_snippet

WORDS_LENGTH = 300
VECTORS_LENGTH = 20_000
LARGEST = 1000.0


def show_by_hand() -> None:
    """Words, their vectors, the rules, and every number of one query."""
    words = _choose_words()
    rules = _choose_rules()
    query = _choose_query(words)
    found = attend_freely(words, rules)
    st.latex(rf"\mathrm{{softmax}}\left(\frac{{q \cdot k_j}}{{{_divisor(words, rules)}}}\right) v_j")
    show_weighing(words, found, query, rules)
    _say_sum(found, words, query)
    show_mixture(words, found, query, rules)
    show_everybody(words, found, rules)
    show_one_big_head(words, rules, query)
    imports = ["numpy import array", "playground.lens.inspect.free_attention import Rules, Words, attend_freely"]
    tables = [f"    {name}=array({getattr(words, name).tolist()})," for name in ("queries", "keys", "values")]
    lines = ["words = Words(", f"    words={words.words!r},", *tables, ")", f"found = attend_freely(words, {rules!r})"]
    offer_snippet(None, imports, [*lines, f"print(found.weights[{query}], found.output[{query}])"])


def _divisor(words: Words, rules: Rules) -> str:
    root = rf"\sqrt{{{words.queries.shape[1]}}}" if rules.is_scaled else "1"
    return root if rules.temperature == 1 else rf"{root} \cdot {rules.temperature:g}"


def _choose_words() -> Words:
    """The words and the tables of their vectors; ends the run with a sentence where they cannot be used."""
    text = st.text_input(
        _("Words"),
        value=" ".join(EXAMPLE.words),
        key=state.WORDS,
        bind="query-params",
        max_chars=WORDS_LENGTH,
        help=_("Change the words: each new one gets vectors of its own, which you can change too."),
    )
    try:
        start = EXAMPLE if tuple(text.split()) == EXAMPLE.words else invent(text.split())
        words = _edit(start)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    _write_vectors(words, start)
    return words


def _edit(start: Words) -> Words:
    """Three tables side by side. Raises UserError for an empty cell."""
    key = "hand." + " ".join(start.words)
    first = state.first_value(key, lambda: _read_vectors(start))
    names = [f"{index} {word}" for index, word in enumerate(start.words)]
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
        numbers = json.loads(state.read_text(state.VECTORS, "", limit=VECTORS_LENGTH))
        tables = [np.array(table, dtype=float) for table in numbers]
        words = Words(words=start.words, queries=tables[0], keys=tables[1], values=tables[2])
    except (ValueError, TypeError, IndexError, UserError):
        return start
    return words if max(float(np.abs(table).max()) for table in tables) <= LARGEST else start


def _write_vectors(words: Words, start: Words) -> None:
    """Put changed vectors into the address."""
    tables = [words.queries.tolist(), words.keys.tolist(), words.values.tolist()]
    is_start = tables == [start.queries.tolist(), start.keys.tolist(), start.values.tolist()]
    state.write_text(state.VECTORS, None if is_start else json.dumps(tables, separators=(",", ":")))


def _choose_rules() -> Rules:
    with st.container(horizontal=True, vertical_alignment="center", gap="large"):
        is_scaled = st.toggle(_("Scale"), value=True, key=state.SCALED, bind="query-params")
        is_causal = st.toggle(_("Hide later words"), key=state.CAUSAL, bind="query-params")
        temperature = st.slider(
            _("Temperature"), 0.1, 5.0, 1.0, 0.1, key=state.HAND_TEMPERATURE, bind="query-params", width=320
        )
    return Rules(is_scaled=is_scaled, is_causal=is_causal, temperature=temperature)


def _choose_query(words: Words) -> int:
    last = len(words.words) - 1
    usual = EXAMPLE_QUERY if words.words == EXAMPLE.words else last
    chosen = st.segmented_control(
        _("Query"),
        range(len(words.words)),
        default=state.read_number(state.QUERY, usual, last),
        key=f"hand_query.{len(words.words)}",
        format_func=lambda index: words.words[index],
        required=True,
    )
    query = int(chosen)
    state.write_number(state.QUERY, query, usual)
    return query


def _say_sum(found: FreeAttention, words: Words, query: int) -> None:
    """What the weights sum to, and whom the query looks at most."""
    best = int(found.weights[query].argmax())
    st.success(
        _('The weights of "{query}" sum to {total:.6f}. It looks most at "{best}" ({weight:.1%}).').format(
            query=_safe(words.words[query]),
            total=float(found.sums[query]),
            best=_safe(words.words[best]),
            weight=float(found.weights[query, best]),
        ),
        icon=":material/functions:",
    )


def _safe(word: str) -> str:
    """A word that Markdown reads as it stands."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()#+-.!|$~<>:" else letter for letter in word)


def show_one_big_head(words: Words, rules: Rules, query: int) -> None:
    """The query's weights in each head, and in the one big head of all numbers."""
    width = words.queries.shape[1]
    counts = [str(count) for count in range(width, 1, -1) if width % count == 0]
    if not counts:
        return
    st.subheader(_("Many heads, or one big head of equal width"), anchor=False)
    chosen = choose_word("hand_heads", _("Heads"), {count: count for count in counts}) if counts[1:] else counts[0]
    found = free_heads(words, int(chosen), rules)
    st.caption(
        _(
            "The {width} numbers of each query and key, cut into {heads} heads: each makes a softmax of its own "
            "numbers alone, and is scaled for them. One big head takes all {width} and has one softmax. The heads' "
            "weights are {apart:.3f} apart (total variation, 0 to 1); one head could only give 0."
        ).format(width=width, heads=chosen, apart=float(found.disagreement[query]))
    )
    share = width // int(chosen)
    rows = [_("one big head")]
    rows += [
        (_("head {head}: number {first}") if share == 1 else _("head {head}: numbers {first} to {last}")).format(
            head=head, first=head * share, last=(head + 1) * share - 1
        )
        for head in range(int(chosen))
    ]
    values = [found.one[query], *found.many[:, query]]
    hover = [
        [f"{plain(name)}: {word(float(weight))}" for name, weight in zip(words.words, row, strict=True)]
        for row in values
    ]
    colours = [DECODER] * len(values)
    figure = rows_figure(values, rows, hover, colours, x=_("key"), columns=words.words, shows_numbers=True)
    label = _("The query's weights in one big head and in many")
    facts = {**hand_facts(words, rules, query), "heads": int(chosen)}
    height = FRAME_PIXELS + ROW_PIXELS * len(values)
    draw(None, figure, key="hand_heads_chart", height=height, label=label, facts=facts)
