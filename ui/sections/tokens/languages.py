"""Languages section: what one sentence costs in twenty languages, and what another one costs."""

import streamlit as st

from playground.charts.tokens import language_figure
from playground.models import LoadedModel
from playground.text import _
from playground.tokens.findings import describe_languages
from playground.tokens.languages import LanguageCost, language_costs
from ui.cache import results_of
from ui.jobs import require
from ui.sections.tokens.subject import offer_csv, other_tokenizer, show_chart
from ui.state.address import read_switch, write_switch
from ui.state.parameters import LANGUAGE_SENTENCE, WITH_OTHER
from ui.state.revisions import widget_key
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings
from ui.widgets.model import choose_other_model, obtain_model
from ui.widgets.number_columns import decimals
from ui.widgets.text import address_text

Costs = tuple[LanguageCost, ...]


def show_languages(model: LoadedModel) -> None:
    """One bar for each language, and one for a sentence that a person types; for a second model too."""
    typed = address_text(
        LANGUAGE_SENTENCE, "", label=_("Another sentence (optional)"), rows=1, placeholder=_("Type a sentence")
    ).strip()
    models = [model]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        both = st.toggle(_("Compare with another model"), value=read_switch(WITH_OTHER), key=widget_key(WITH_OTHER))
        write_switch(WITH_OTHER, both)
        if both:
            models.append(obtain_model(choose_other_model(model.name, other_tokenizer(model.name))))
    tables = {each.name: _costs_of(each, typed) for each in models}
    costs = tables[model.name]
    show_findings(describe_languages(costs))
    values = {name: [_ratio(cost) for cost in table] for name, table in tables.items()}
    figure = language_figure([_(cost.language) for cost in costs], values)
    label = _("Tokens per character in twenty languages")
    details = {"sentence": typed, "models": ", ".join(tables)}
    if any(cost.is_read for table in tables.values() for cost in table):
        show_chart(model, figure, key="language_chart", label=label, details=details)
    st.caption(
        _(
            "One sentence, written for this page, in twenty languages. No bar: the vocabulary lacks some of its "
            "characters, so that a count would say nothing. A model reads and is paid for tokens, not for characters "
            "(Petrov et al. 2023)."
        )
    )
    with st.expander(_("Table"), icon=":material/table:"):
        for name, table in tables.items():
            formats = decimals(_("tokens per character"))
            st.dataframe(_rows(table), hide_index=True, key=f"language_rows_{name}", column_config=formats)
    _offer_files(model, tables, typed)


def _costs_of(model: LoadedModel, typed: str) -> Costs:
    return require(
        ("languages", typed),
        lambda _on_progress: language_costs(model, typed),
        title=_("Tokenizing …"),
        cache=results_of(model),
    )


def _ratio(cost: LanguageCost) -> float:
    return cost.tokens_per_character if cost.is_read else float("nan")


def _rows(costs: Costs) -> list[dict[str, object]]:
    return [
        {
            _("language"): _(cost.language),
            _("tokens"): cost.tokens,
            _("characters"): cost.characters,
            _("bytes"): cost.bytes,
            _("tokens per character"): cost.tokens_per_character,
            _("characters that are not read"): cost.unread,
            _("sentence"): cost.sentence,
        }
        for cost in costs
    ]


def _offer_files(model: LoadedModel, tables: dict[str, Costs], typed: str) -> None:
    header = ("model", "language", "tokens", "characters", "bytes", "tokens per character", "unread", "sentence")
    rows: list[tuple[object, ...]] = [header]
    for name, table in tables.items():
        for cost in table:
            numbers = (cost.tokens, cost.characters, cost.bytes, cost.tokens_per_character, cost.unread)
            rows.append((name, cost.language, *numbers, cost.sentence))
    offer_csv(model, rows, name="languages", details={"sentence": typed})
    lines = [f"for cost in language_costs(model, {typed!r}):"]
    lines += ["    print(cost.language, cost.tokens, cost.tokens_per_character, cost.unread)"]
    offer_snippet(model, ["playground.tokens.languages import language_costs"], lines)
