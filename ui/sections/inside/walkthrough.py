"""Step by step: one token of a loaded model, from the embedding to the probabilities; one step fills the page."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from playground.errors import UserError
from playground.lens.capture.site import SiteKind
from playground.lens.inspect.steps.head import HeadInside
from playground.lens.inspect.steps.step import InsideStep
from playground.lens.inspect.steps.walkthrough import derive
from playground.lens.inspect.steps.whole_token import WholeToken
from playground.text import _, language
from ui.cache import TracedText, results
from ui.jobs import require
from ui.sections.inside.head_way import (
    FIRST_WITH_KEYS,
    HeadWay,
    describe_selection,
    head_deriver,
    head_way,
    say_head,
    show_head_badge,
)
from ui.sections.inside.neuron_table import show_neurons
from ui.sections.inside.selection import SelectedHead, head_inside, read_selected, select_head, whole_token
from ui.sections.inside.step_choice import ALL, FEED_FORWARD, choose_step
from ui.sections.inside.step_doors import show_feed_forward_doors, show_stream_doors
from ui.sections.inside.step_layout import StepSetting, show_step, show_words
from ui.sections.inside.steps import DrawnStep, draw_step
from ui.sections.inside.token_program import token_imports, token_lines
from ui.sections.inside.token_way import (
    TRACES_NEURON,
    TRACES_TOKEN,
    TokenWay,
    choose_neuron,
    choose_token,
    say_token,
    say_untraced,
    show_token_badge,
    token_way,
)
from ui.state.address import read_number, read_text, write_number
from ui.state.parameters import DIMENSION, NEURON_SEARCH
from ui.state.revisions import widget_key
from ui.text import error_sentence
from ui.widgets.context_bar import ContextBar
from ui.widgets.download import offer_snippet, text_details, traced
from ui.widgets.text import Texts

TRACES_DIMENSION = ("projection", "output", "down")


def show_walkthrough(traced_text: TracedText, texts: Texts, bar: ContextBar, row: DeltaGenerator) -> None:
    """Choose a head and a token, and go through every step."""
    selected = select_head(traced_text, bar)
    read_selected(traced_text, selected)
    head, token = head_inside(traced_text, selected), whole_token(traced_text, selected)
    dimension = read_number(DIMENSION, 0)
    first = None if isinstance(head, UserError) else head_way(traced_text, selected, head, dimension)
    second = None if isinstance(token, UserError) else token_way(traced_text, selected, token, dimension)
    steps = [*(first.steps if first else ()), *(second.steps if second else ())]
    reasons = [found for found in (head, token) if isinstance(found, UserError)]
    if not steps:
        st.error(error_sentence(reasons[0]), icon=":material/error:")
        st.stop()
    chosen = choose_step(first.steps if first else (), second.steps if second else (), selected.layer)
    for reason in reasons:
        st.info(error_sentence(reason), icon=":material/info:")
    shown = [step for step in steps if chosen in (ALL, step.name)]
    with row:
        _choose_traced_dimension(shown, head, token)
    badges = partial(_show_badges, shown, head, token, traced_text.trace.model.dtype)
    numbers = {step.name: number for number, step in enumerate(steps, start=1)}
    if first is not None and (chosen == ALL or chosen in {step.name for step in first.steps}):
        _show_head_steps(traced_text, texts, selected, first, shown, numbers, badges)
    if second is not None and (chosen == ALL or chosen in {step.name for step in second.steps}):
        _show_token_steps(traced_text, texts, selected, second, shown, numbers, badges)


def _choose_traced_dimension(
    shown: Sequence[InsideStep], head: HeadInside | UserError, token: WholeToken | UserError
) -> None:
    """The dimension to trace, where a step shows one."""
    names = [step.name for step in shown]
    if any(name in TRACES_DIMENSION for name in names):
        is_head = not isinstance(head, UserError) and names != ["down"]
        width = len(head.attention.query) if is_head and not isinstance(head, UserError) else 0
        _choose_dimension(width or (0 if isinstance(token, UserError) else token.final.shape[1]))


def _show_badges(
    shown: Sequence[InsideStep], head: HeadInside | UserError, token: WholeToken | UserError, dtype: str
) -> None:
    """How far the numbers are from the model's."""
    names = [step.name for step in shown]
    is_token = any(name in ("feed_forward_norm", "router", *TRACES_NEURON, *TRACES_TOKEN) for name in names)
    if not isinstance(head, UserError) and (len(shown) > 1 or not is_token):
        show_head_badge(head, dtype)
    if not isinstance(token, UserError) and (is_token or "feed_forward_residual" in names):
        show_token_badge(token)


def _choose_dimension(width: int) -> None:
    """A dimension whose row of each matrix is shown."""
    start = min(read_number(DIMENSION, 0), width - 1)
    label = _("Dimension to trace")
    st.caption(label, width="content")
    key = widget_key(DIMENSION, f"inside_dimension_{width}")
    chosen = int(st.number_input(label, 0, width - 1, start, key=key, label_visibility="collapsed", width=120))
    if chosen != start:
        write_number(DIMENSION, chosen, 0)
        st.rerun()


def _show_head_steps(
    traced_text: TracedText,
    texts: Texts,
    selected: SelectedHead,
    way: HeadWay,
    shown: Sequence[InsideStep],
    numbers: dict[str, int],
    badges: Callable[[], None],
) -> None:
    revision = f"{traced_text.name}.{selected}.{way.inputs.dimension}.{language()}"
    setting = StepSetting(
        model=traced_text.trace.model,
        revision=revision,
        details={**text_details(texts), **vars(selected)},
        derive=head_deriver(traced_text, way.inputs.head, whole_token(traced_text, selected)),
    )
    for step in way.steps:
        if step not in shown:
            continue
        leads: list[Callable[[], None]] = [badges, partial(say_head, way, selected)] if step is shown[0] else []
        if step.name == FIRST_WITH_KEYS or (len(shown) == 1 and numbers[step.name] > numbers[FIRST_WITH_KEYS]):
            leads.append(partial(describe_selection, way.inputs))
        drawn = _drawn(step, way.inputs.labels, selected.kind, revision)
        show_step(setting, numbers[step.name], drawn, leads=leads)
    look = f"head = traced.inside({selected.layer}, {selected.kind!r}).head({selected.head}, {selected.query})"
    lines = [traced(texts), look, "print(head.attention.weights, head.attention.z, head.differences)"]
    offer_snippet(setting.model, [], lines)


def _drawn(step: InsideStep, keys: Sequence[str], kind: SiteKind, revision: str) -> DrawnStep:
    """A step with its pictures, kept for each language."""
    return require(
        ("step", step.name, revision, language()),
        lambda _on_progress: draw_step(step, keys, kind),
        title=_("Drawing every number …"),
        cache=results(),
    )


def _show_token_steps(
    traced_text: TracedText,
    texts: Texts,
    selected: SelectedHead,
    way: TokenWay,
    shown: Sequence[InsideStep],
    numbers: dict[str, int],
    badges: Callable[[], None],
) -> None:
    inputs, model = way.inputs, traced_text.trace.model
    place = f"{selected.kind}.{selected.layer}.{selected.query}"
    neurons = f"{inputs.neuron}.{inputs.traced_neuron}"
    revision = f"{traced_text.name}.{place}.{inputs.dimension}.{neurons}.{inputs.traced}.{language()}"
    setting = StepSetting(
        model=model,
        revision=revision,
        details={**text_details(texts), "kind": inputs.token.kind, "layer": selected.layer, "token": selected.query},
        derive=lambda number, step: derive([step], number),
        is_plain=True,
    )
    kind: SiteKind = inputs.token.kind
    is_alone = len(shown) == 1
    for step in way.steps:
        if step not in shown:
            continue
        leads: list[Callable[[], None]] = [badges] if step is shown[0] else []
        leads.append(partial(say_token, way, step.name))
        if is_alone or step.name in ("up", "stream"):
            show_doors = show_feed_forward_doors if step.name in FEED_FORWARD else show_stream_doors
            leads.append(partial(show_doors, model, selected, inputs))
        choices: list[Callable[[], None]] = []
        if step.name in TRACES_NEURON and (is_alone or step.name == "up"):
            leads.append(partial(say_untraced, inputs))
            (choices if step.name == "neurons" else leads).append(partial(choose_neuron, inputs))
        if step.name in TRACES_TOKEN and (is_alone or step.name == "stream"):
            leads.append(partial(choose_token, inputs, model))
        drawn = _drawn(step, (), kind, revision)
        if step.name == "neurons":
            words = partial(show_words, setting, numbers[step.name], step, leads)
            show_neurons(traced_text, selected, inputs, setting, drawn, words, choices)
        else:
            show_step(setting, numbers[step.name], drawn, leads=leads)
    names = [step.name for step in way.steps if step in shown]
    search = read_text(NEURON_SEARCH).strip()
    lines = [traced(texts), *token_lines(names, selected, inputs, search=search)]
    offer_snippet(model, token_imports(names, search=search), lines)
