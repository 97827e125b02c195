"""What a label's logit comes from: tokens, by integrated gradients, and components, by ablation."""

import numpy as np
import streamlit as st

from playground.charts.bars import named_bars_figure
from playground.charts.layout import mark_spaces
from playground.lens.attribute.findings import carrying_tokens, completeness
from playground.lens.attribute.label_attribution import LabelAttribution, attribute_label
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _, fill
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import AT_ONCE, compute
from ui.sections.ablate.token_attribution import choose_baseline
from ui.sections.generate.label_ablation import show_label_ablation
from ui.text import inert
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet, text_details
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

POSITIVE_HUE, NEGATIVE_HUE = 0, 1
LONGEST_TITLE = 60
MOST_BARS = 100
"""A longer text has no bar chart."""


def show_label_attribution(
    model: LoadedModel, texts: Texts, *, label: int, position: int | None = None, after: tuple[list[str], list[str]]
) -> None:
    """The attributions of a label's logit, with their sum and how complete it is; then what it loses by ablation.

    after: imports and lines of Python that come before its own.
    """
    assert model.head is not None
    name = model.head.labels[label]
    st.markdown(_("##### Attribution of {label}").format(label=inert(label_title(name))))
    baseline = choose_baseline()

    def make(on_progress: OnProgress) -> LabelAttribution:
        return attribute_label(
            model,
            texts.text,
            texts.pair,
            label=label,
            position=position,
            baseline=baseline,
            truncate=True,
            on_progress=on_progress,
        )

    key = ("label attribution", texts.text, texts.pair, label, position, baseline)
    title = _("Integrating gradients, at most:")
    found = compute(key, make, title=title, cache=results_of(model), patience=AT_ONCE)
    if found is not None:
        _draw_attribution(model, texts, found, baseline)
    second = "" if texts.pair is None else f", {texts.pair!r}"
    place = "" if position is None else f", position={position}"
    options = f"label={label}{place}, baseline={baseline!r}, truncate=True"
    lines = [*after[1], f"found = attribute_label(model, {texts.text!r}{second}, {options})"]
    lines += ["print([(token.text, value) for token, value in zip(found.tokens, found.result.attributions)])"]
    shown = label_title(name)
    more_imports, more_lines = show_label_ablation(model, texts, label=label, name=shown, position=position)
    imports = [*after[0], "playground.lens.attribute.label_attribution import attribute_label", *more_imports]
    offer_snippet(model, imports, [*lines, *more_lines])


def label_title(label: str) -> str:
    """A stranger's label in a sentence: in one line, not too long, and nothing in it that turns the line around.

    >>> label_title("a\\u202eb"), len(label_title("x" * 500)), label_title("")
    ('a\\\\u202Eb', 61, '–')
    """
    shown = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04X}" for letter in label[:LONGEST_TITLE])
    return (shown + ("…" if len(label) > LONGEST_TITLE else "")) or "–"


def _draw_attribution(model: LoadedModel, texts: Texts, found: LabelAttribution, baseline: str) -> None:
    result, values = found.result, found.result.attributions
    names = [f"{index} {mark_spaces(token.text)}" for index, token in enumerate(found.tokens)]
    show_findings(carrying_tokens(names, values), completeness(result.completeness_gap, result.change))
    if not result.is_converged:
        warning = _("The attributions do not add up to the logit's change; read them with care.")
        st.warning(warning, icon=":material/warning:")
    sentence = _(
        "Blue raises the logit, orange lowers it: from {baseline:+.3f} at the baseline to {logit:+.3f} at the text."
    )
    st.caption(fill(sentence, baseline=result.baseline_logit, logit=result.logit))
    details = {**text_details(texts), "label": found.label, "method": "integrated gradients", "baseline": baseline}
    details |= {} if found.position is None else {"position": found.position}
    token_view(
        attribution_items(found),
        layout="text",
        label=_("The text, coloured by attribution"),
        key="attributed",
        provenance=origin(model, details=details),
    )
    if len(names) <= MOST_BARS:
        figure = named_bars_figure(names, values.tolist(), x=_("attribution (logits)"))
        height = int(figure.layout.height or 320)
        name = _("Attribution of each token")
        draw(model, figure, key="attribution_bars", label=name, details=details, height=height, revision=str(details))


def attribution_items(found: LabelAttribution) -> list[TokenItem]:
    """The tokens, coloured by the sign of their attribution; full strength at the largest amount."""
    values = found.result.attributions
    most = max(float(np.abs(values).max(initial=0.0)), 1e-12)
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=abs(float(value)) / most,
            hue=POSITIVE_HUE if value >= 0 else NEGATIVE_HUE,
            lines=(fill(_("attribution {value:+.4f}"), value=float(value)),),
        )
        for token, value in zip(found.tokens, values, strict=True)
    ]
