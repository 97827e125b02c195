"""Labels drawn on the text: what the head calls each token, and the names that it finds."""

from collections.abc import Mapping

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.lens.finding import Finding
from playground.lens.generate.findings import percent
from playground.lens.generate.token_labels import OUTSIDE, TokenLabels, label_tokens, split_tag
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import N_, _
from ui.cache import results_of
from ui.components.token_view import HUES, TokenItem, token_view
from ui.jobs import require
from ui.sections.generate.label_attribution import show_label_attribution
from ui.sections.generate.labels import LISTED, label_item, read_explained, show_cut
from ui.state.address import write_integers, write_values
from ui.state.attention import read_token
from ui.state.parameters import EXPLAINED, QUERY
from ui.widgets.download import offer_snippet, text_details
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

SAID = 6
"""How many names a sentence lists."""


def show_token_labels(model: LoadedModel, texts: Texts) -> int | None:
    """The text with its labels; the chosen token's labels as bars, the chosen one taken apart.

    Returns the chosen token's most probable label.
    """

    def make(_on_progress: OnProgress) -> TokenLabels:
        return label_tokens(model, texts.text, truncate=True)

    found = require(("token labels", texts.text), make, title=_("Labelling …"), cache=results_of(model))
    show_cut(found.is_cut, model.context)
    show_findings(_say_entities(found))
    position = _place(found)
    st.caption(_("Colour: the label's probability. Click a token for all of its labels."))
    notes = origin(model, details=text_details(texts))
    items = labelled_items(found, position)
    picked = token_view(items, layout="text", label=_("The text with its labels"), key="labelled", provenance=notes)
    if picked is not None:
        write_values({QUERY: str(picked)})
        st.rerun()
    chosen = _show_labels_of(model, texts, found, position)
    lines = [f"labelled = label_tokens(model, {texts.text!r}, truncate=True)"]
    lines += ["print([(entity.label, entity.text, entity.score) for entity in labelled.entities])"]
    imports = ["playground.lens.generate.token_labels import label_tokens"]
    if chosen is None:
        offer_snippet(model, imports, lines)
    else:
        show_label_attribution(model, texts, label=chosen, position=position, after=(imports, lines))
    return found.best(position)


def _place(found: TokenLabels) -> int:
    """The token that is looked at; one that has no label gives way to the last that has one."""
    position = read_token(len(found.tokens))
    inner = [index for index, is_labelled in enumerate(found.is_labelled) if is_labelled]
    return position if found.is_labelled[position] or not inner else inner[-1]


def _say_entities(found: TokenLabels) -> Finding:
    if not found.entities:
        template = N_("No token has another label than {outside}.")
        return Finding(template=template, values={"outside": OUTSIDE})
    named = [f"{one.text.strip()} ({one.label}, {percent(one.score)})" for one in found.entities[:SAID]]
    more = "" if len(found.entities) <= SAID else ", …"
    template = N_("{count} found: {named}. Probability: the mean of the tokens' highest.")
    return Finding(template=template, values={"count": len(found.entities), "named": ", ".join(named) + more})


def labelled_items(found: TokenLabels, chosen: int) -> list[TokenItem]:
    """The tokens, those of a name in the colour of its label, with the label behind the last one."""
    hues = hues_of(found)
    tags = {entity.last: entity.label for entity in found.entities}
    inside = {place: one for one in found.entities for place in range(one.first, one.last + 1)}
    items = []
    for position, token in enumerate(found.tokens):
        entity = inside.get(position) if found.is_labelled[position] else None
        best = found.best(position)
        share = float(found.probabilities[position, best])
        items.append(
            TokenItem(
                text=token.text,
                special=token.special,
                value=share if entity else None,
                hue=hues[entity.label] if entity else None,
                tag=tags.get(position, ""),
                lines=(f"{found.labels[best]} {percent(share)}",) if found.is_labelled[position] else (),
                chosen=position == chosen,
                clickable=found.is_labelled[position],
            )
        )
    return items


def hues_of(found: TokenLabels) -> Mapping[str, int]:
    """A colour for each label, by its number; B- and I- of one label share it."""
    names = dict.fromkeys(split_tag(label)[1] for label in found.labels if label != OUTSIDE)
    return {name: number % HUES for number, name in enumerate(names)}


def _show_labels_of(model: LoadedModel, texts: Texts, found: TokenLabels, position: int) -> int | None:
    """The bars of a token's labels; returns the label that is attributed."""
    probabilities = found.probabilities[position]
    order = [int(index) for index in (-probabilities).argsort(kind="stable")[:LISTED]]
    chosen = read_explained(len(found.labels))
    name = f"{position} {mark_spaces(found.tokens[position].text)}"
    caption = _("Labels of {token}. Click one to see what its logit comes from.")
    st.text(caption.format(token=name))
    rows = [(found.labels[index], float(probabilities[index]), index == chosen) for index in order]
    items = [label_item(label, share, "softmax", chosen=is_chosen) for label, share, is_chosen in rows]
    notes = origin(model, details={**text_details(texts), "position": position})
    picked = token_view(items, layout="bars", label=_("Labels of the token"), key="token_bars", provenance=notes)
    if picked is not None:
        write_integers(EXPLAINED, [] if order[picked] == chosen else [order[picked]])
        st.rerun()
    return chosen
