"""By hand: the same vectors as one big head, or cut into several heads of together the same width."""

import streamlit as st

from playground.charts.colours import DECODER
from playground.charts.inside import number_word as word
from playground.charts.inside import plain, rows_figure
from playground.lens.free_attention import Rules, Words
from playground.lens.one_head import free_heads
from ui.controls.drawn import draw
from ui.controls.inside.hand_pictures import hand_facts
from ui.controls.inside.stage import FRAME_PIXELS, ROW_PIXELS
from ui.controls.words import choose_word
from ui.text import _


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
