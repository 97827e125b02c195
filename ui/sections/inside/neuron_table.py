"""The neurons of a feed-forward layer: those that add most, what one does to text and logits, a search."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st
import torch

from playground.lens.inspect.steps.feed_forward import FeedForward
from playground.lens.inspect.steps.neuron_step import neuron_label
from playground.lens.inspect.steps.neurons import (
    NeuronName,
    PromotedTokens,
    has_neuron,
    output_row,
    promoted_tokens,
)
from playground.lens.inspect.steps.token_inputs import MOST_NEURONS, TokenInputs
from playground.text import _
from ui.cache import TracedText
from ui.jobs import compute
from ui.sections.inside.neuron_pictures import choose_view, show_along_text, show_neuron_logits
from ui.sections.inside.neuron_search import MOST_PROMOTED, show_search
from ui.sections.inside.selection import SelectedHead
from ui.sections.inside.step_layout import StepSetting, show_pictures
from ui.sections.inside.steps import DrawnStep
from ui.sections.inside.token_way import write_neuron

NAMED = 6
"""How many promoted tokens a row of the table names."""
TABLE_PIXELS, NUMBER_PIXELS, TOKENS_PIXELS = 180, 66, 298
"""The table's height, and the widths of a column of numbers and of both columns of tokens: all fit beside the text."""
ADDING_ROWS = 4
"""The height, in rows, of the picture above the table."""


def show_neurons(
    traced_text: TracedText,
    selected: SelectedHead,
    inputs: TokenInputs,
    setting: StepSetting,
    drawn: DrawnStep,
    words: Callable[[], None],
    choices: Sequence[Callable[[], None]],
) -> None:
    """The step's words and the search; beside them the neurons that add most, and a view of one of them.

    choices: draw what chooses this one, beside the choice of the view.
    """
    feed_forward = inputs.feed_forward
    assert feed_forward is not None
    assert inputs.ranked is not None
    assert inputs.neuron is not None
    shown = _shown_neuron(inputs, feed_forward)
    names = list(dict.fromkeys([*inputs.ranked.names[:MOST_NEURONS], inputs.neuron]))
    tokens = _promoted(traced_text, inputs, feed_forward, list(dict.fromkeys([*names, shown])))
    text, numbers = st.columns([3, 5], gap="medium")
    with text:
        words()
    with numbers, st.container(gap="xsmall"):
        st.fragment(show_pictures)(setting, _lower(drawn))
        if inputs.head is None:
            st.caption(_("This model has no output matrix, so that no neuron promotes a token."))
        adopt_row(_show_table(inputs, names, tokens), names, shown)
        if shown != inputs.neuron:
            template = _("The token does not go through expert {expert}, whose neuron {neuron} is shown below.")
            st.caption(template.format(expert=shown.expert, neuron=shown.number))
        column = replace(drawn, pictures=drawn.pictures[1:])
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            view = choose_view(column, has_logits=tokens is not None)
            for choose in choices:
                choose()
        if view == "column":
            st.fragment(show_pictures)(setting, column)
        elif tokens is None or view == "text":
            show_along_text(traced_text, selected, inputs, shown, setting)
        else:
            place = names.index(shown) if shown in names else len(names)
            show_neuron_logits(inputs, shown, tokens.promoted[place], tokens.suppressed[place], setting, view)
    if tokens is not None:
        with text:
            found = show_search(traced_text, inputs, feed_forward)
            adopt_row(found.picked, found.names, shown)


def _lower(drawn: DrawnStep) -> DrawnStep:
    """The picture of the neurons that add most, no taller than its numbers need."""
    return replace(drawn, pictures=(replace(drawn.pictures[0], height=ADDING_ROWS),))


def _shown_neuron(inputs: TokenInputs, feed_forward: FeedForward) -> NeuronName:
    """The chosen neuron, also of an expert that the token does not go through; else the traced one."""
    assert inputs.neuron is not None
    chosen = inputs.traced_neuron
    return chosen if chosen is not None and has_neuron(feed_forward.body, chosen) else inputs.neuron


def _promoted(
    traced_text: TracedText, inputs: TokenInputs, feed_forward: FeedForward, names: Sequence[NeuronName]
) -> PromotedTokens | None:
    """The tokens that these neurons' rows promote and suppress; None without an output matrix."""
    slopes = inputs.slopes
    if slopes is None:
        return None
    return compute(
        ("promoted", inputs.token.kind, inputs.layer, inputs.token.rows.positions, tuple(names)),
        lambda on_progress: promoted_tokens(
            slopes, torch.stack([output_row(feed_forward.body, name) for name in names]), MOST_PROMOTED, on_progress
        ),
        title=_("Multiplying neurons with the output matrix …"),
        cache=traced_text,
    )


def _show_table(inputs: TokenInputs, names: Sequence[NeuronName], tokens: PromotedTokens | None) -> object:
    """A row for each neuron; returns which is picked."""
    ranked, is_mixture = inputs.ranked, inputs.is_mixture
    assert ranked is not None
    places = [ranked.names.index(name) for name in names]
    columns: dict[str, object] = {
        _("neuron"): [neuron_label(name, is_mixture=is_mixture) for name in names],
        _("adds"): ranked.added[places],
        _("activation"): ranked.activations[places],
        _("length"): ranked.lengths[places],
    }
    if is_mixture:
        columns[_("share")] = ranked.shares[places]
    if tokens is not None:
        columns[_("promotes")] = [_spelled(inputs, row[:NAMED]) for row in tokens.promoted[: len(names)]]
        columns[_("suppresses")] = [_spelled(inputs, row[:NAMED]) for row in tokens.suppressed[: len(names)]]
    table = pd.DataFrame(columns)
    numbers = [name for name in (_("adds"), _("activation"), _("length"), _("share")) if name in columns]
    formats = {name: st.column_config.NumberColumn(format="%.3g", width=NUMBER_PIXELS) for name in numbers}
    width = (TOKENS_PIXELS - (NUMBER_PIXELS if is_mixture else 0)) // 2
    formats |= {name: st.column_config.Column(width=width) for name in (_("promotes"), _("suppresses"))}
    return st.dataframe(
        table,
        hide_index=True,
        height=TABLE_PIXELS,
        column_config=formats,
        on_select="rerun",
        selection_mode="single-row",
        key=f"neurons_{inputs.token.kind}_{inputs.layer}_{inputs.token.rows.positions}",
    )


def adopt_row(picked: object, names: Sequence[NeuronName], current: NeuronName | None) -> None:
    """Trace the neuron of the row that was selected just now."""
    rows = picked.selection.rows if hasattr(picked, "selection") else []
    if rows and rows[0] < len(names) and names[rows[0]] != current and _is_new(names[rows[0]]):
        write_neuron(names[rows[0]])
        st.rerun()


def _is_new(name: NeuronName) -> bool:
    """Whether the selection changed: a row stays selected when the neuron is chosen elsewhere afterwards."""
    key = "neuron_row"
    if st.session_state.get(key) == name:
        return False
    st.session_state[key] = name
    return True


def _spelled(inputs: TokenInputs, ids: Sequence[int]) -> str:
    return " · ".join(inputs.spelling(int(id)) for id in ids)
