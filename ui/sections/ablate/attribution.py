"""Direct logit attribution: the target token's logit as the sum of what every component contributes."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.charts.bars import named_bars_figure
from playground.charts.heatmap import heatmap_figure
from playground.lens.attribute.attribution import LogitAttribution, attribute_logit
from playground.lens.attribute.findings import largest_contributions
from playground.lens.capture.activations import capture
from playground.lens.intervene.ablation import TargetToken
from playground.text import _
from ui.jobs import compute
from ui.sections.ablate.figure import show_figure, table_rows
from ui.sections.ablate.head_circuits import show_head
from ui.sections.ablate.heads import WRITES, choose_head, chosen_head, offer_head_doors
from ui.sections.ablate.options import Subject, choose_target_token, encode_again, target_details, token_title
from ui.widgets.download import encoding_line, offer_snippet
from ui.widgets.findings import show_findings

MOST_BARS = 20


def show_logit_attribution(subject: Subject) -> None:
    """Contributions to the target token's logit, and one head's attention beside what it moves."""
    target_token = choose_target_token(subject)
    attribution = None if target_token is None else _show_contributions(subject, target_token)
    st.subheader(_("Attention vs. value-weighted attention"), anchor=False)
    show_head(subject, None if attribution is None else largest_head(attribution))


def largest_head(attribution: LogitAttribution) -> tuple[int, int]:
    """The head of the largest contribution, with either sign."""
    row, head = np.unravel_index(np.abs(attribution.heads).argmax(), attribution.heads.shape)
    return attribution.layers[int(row)], int(head)


def _show_contributions(subject: Subject, target_token: TargetToken) -> LogitAttribution | None:
    def make() -> LogitAttribution:
        clean = capture(subject.model, encode_again(subject))
        return attribute_logit(subject.model, clean, position=target_token.position, token=target_token.token)

    title = _("Attributing the logit …")
    attribution = compute(("writes", target_token), lambda _on_progress: make(), title=title, cache=subject.traced)
    if attribution is None:
        return None
    contributions = contributions_of(attribution)
    token = token_title(subject.model, target_token.token)
    show_findings(largest_contributions(list(contributions), list(contributions.values()), token=token))
    _draw_contributions(subject, target_token, attribution)
    sentence = _(
        "Logit contributions by component. The logit of {token} is {total:.3f}; the contributions add up to {sum:.3f} "
        "with a frozen final norm. Click a bar or a cell to select its head."
    )
    st.caption(sentence.format(token=token, total=attribution.total, sum=attribution.sum))
    kind = subject.clean.kinds[0]
    offer_head_doors(subject, kind, chosen_head(subject, kind) or largest_head(attribution), here=WRITES)
    call = f"attribute_logit(model, clean, position={target_token.position}, token={target_token.token})"
    lines = [encoding_line(subject.texts), "clean = capture(model, encoded)", f"attribution = {call}"]
    imports = [
        "playground.lens.capture.activations import capture, encode_text",
        "playground.lens.attribute.attribution import attribute_logit",
    ]
    lines += ["print(attribution.total, attribution.heads, attribution.feed_forward)"]
    offer_snippet(subject.model, imports, lines)
    return attribution


def _draw_contributions(subject: Subject, target_token: TargetToken, attribution: LogitAttribution) -> None:
    """The largest contributions as bars, all heads as a heatmap."""
    contributions = contributions_of(attribution)
    largest = sorted(contributions, key=lambda name: -abs(contributions[name]))[:MOST_BARS]
    rows: list[Sequence[object]] = [("component", "logits"), *contributions.items()]
    meaning, details = _("contribution to the logit"), target_details(target_token)
    figure = named_bars_figure(largest, [contributions[name] for name in largest], x=meaning)
    label = _("Components with the largest contributions to the logit")
    kind = subject.clean.kinds[0]
    bar = show_figure(subject, figure, rows, name="writers", label=label, details=details, picks=True)
    if bar is not None and (writer := _head_of(largest[bar[1]], attribution)):
        choose_head(subject, kind, *writer)
    layers, heads = list(map(str, attribution.layers)), list(map(str, range(attribution.heads.shape[1])))
    figure = heatmap_figure(attribution.heads, rows=layers, columns=heads, y=_("layer"), x=_("head"), meaning=meaning)
    table, label = table_rows("layer", layers, heads, attribution.heads), _("Contribution of each head to the logit")
    head = chosen_head(subject, kind)
    cell = show_figure(
        subject,
        figure,
        table,
        name="writing-heads",
        label=label,
        details=details,
        picks=True,
        picked=None if head is None else (0, attribution.layers.index(head[0]), head[1]),
    )
    if cell is not None:
        choose_head(subject, kind, attribution.layers[cell[1]], cell[2])


def _head_of(title: str, attribution: LogitAttribution) -> tuple[int, int] | None:
    """The head of this title; None for another component."""
    places = [(attribution.layers[row], head) for row, head in np.ndindex(attribution.heads.shape)]
    template = _("head {layer}.{head}")
    return {template.format(layer=layer, head=head): (layer, head) for layer, head in places}.get(title)


def contributions_of(attribution: LogitAttribution) -> dict[str, float]:
    """Every component's contribution by its title; together they are the logit."""
    contributions = {_("embedding"): attribution.embedding, _("constant"): attribution.constant}
    heads = (
        (_("head {layer}.{head}"), attribution.heads),
        (_("cross-attention head {layer}.{head}"), attribution.cross_heads),
    )
    for title, table in heads:
        for row, head in np.ndindex(table.shape):
            contributions[title.format(layer=attribution.layers[row], head=head)] = float(table[row, head])
    layers = (
        (_("attention bias {layer}"), attribution.layers, attribution.attention_bias),
        (_("MLP {layer}"), attribution.blocks, attribution.feed_forward),
    )
    for title, numbers, column in layers:
        values = zip(numbers, column, strict=True)
        contributions |= {title.format(layer=layer): float(value) for layer, value in values}
    mixers = zip(attribution.blocks, attribution.mixer_names, attribution.mixers, strict=True)
    title = _("{mixer} {layer}")
    return contributions | {
        title.format(mixer=name, layer=layer): float(value) for layer, name, value in mixers if name
    }
