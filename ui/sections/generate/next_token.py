"""Which token comes next: the whole vocabulary's distribution, and what each option cuts from it."""

import streamlit as st

from playground.charts.generate import distribution_figure
from playground.errors import UserError
from playground.lens.capture.tokens import Token, encode, label
from playground.lens.generate.predictions import Distribution, Sampling, distribution
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.components.token_view import TokenItem, token_view
from ui.jobs import read, refuse, spell, spell_on, work
from ui.sections.generate.sampling_options import choose_sampling, cut_words
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet, text_facts, traced
from ui.widgets.text import Texts

LISTED = 20
HEIGHT = 360


def show_next_token(model: LoadedModel, texts: Texts) -> None:
    """The distribution after the text (an encoder-decoder: after its target); a click appends a token."""
    sampling = choose_sampling()
    reading = read(model, texts, key="next")
    logits = reading.trace.last_logits
    if logits is None:
        refuse(UserError(_("The text has no tokens; type a few words.")))
    question = ("next", reading.name, sampling)
    found = work(model, question, _("Sorting the vocabulary …"), lambda _on_run: distribution(logits, sampling))
    _show_numbers(found)
    left, right = st.columns([1, 1])
    with left:
        st.caption(_("Most probable: as the model says → as it is drawn. Click one to append it."))
        _list_alternatives(model, texts, reading, found, sampling)
    with right:
        st.caption(_("The whole vocabulary, from the most probable token to the least."))
        name = _("Probability of every token of the vocabulary by its rank")
        figure = distribution_figure(found.model, found.tempered, found.sampled)
        facts = {**text_facts(texts), **vars(sampling)}
        draw(model, figure, key="distribution_chart", height=HEIGHT, revision=reading.name, label=name, facts=facts)
        _look_up(model, found)
    imports = ["playground.lens.generate.predictions import Sampling, distribution"]
    lines = [traced(texts), f"found = distribution(traced.last_logits, {sampling!r})"]
    offer_snippet(model, imports, [*lines, "print(found.entropy, found.kept, found.cuts)"])


def _show_numbers(found: Distribution) -> None:
    """How sure the model is, how much is left, and what was cut."""
    words = _("Entropy {entropy:.3f} nats, as drawn {drawn:.3f} nats; {kept:,} of {all:,} tokens can be drawn.")
    counts = {"kept": found.kept, "all": len(found.model)}
    st.caption(words.format(entropy=found.entropy, drawn=found.sampled_entropy, **counts))
    st.caption(cut_words(found.cuts))


def _list_alternatives(
    model: LoadedModel, texts: Texts, reading: Reading, found: Distribution, sampling: Sampling
) -> None:
    ids = found.top(LISTED)
    items = [_item(label(model.tokenizer, [id])[0], found) for id in ids]
    notes = origin(model, facts={**text_facts(texts), **vars(sampling)})
    name = _("The most probable next tokens")
    picked = token_view(items, layout="bars", label=name, key="next_tokens", provenance=notes)
    if picked is not None:
        _append(model, texts, reading, ids[picked])
        st.rerun()


def _item(token: Token, found: Distribution) -> TokenItem:
    probability, drawn = float(found.model[token.id]), float(found.sampled[token.id])
    return TokenItem(
        text=token.text,
        special=token.special,
        value=probability,
        number=f"{probability:.2%} → {drawn:.2%}",
        lines=fact_lines(token.id, found),
        clickable=not token.special,
    )


def fact_lines(token: int, found: Distribution) -> tuple[str, ...]:
    """What is known of one token of a distribution."""
    return (
        _("id {id}, rank {rank:,}").format(id=token, rank=found.rank(token) + 1),
        _("probability {value:.6g}").format(value=float(found.model[token])),
        _("at the temperature {value:.6g}").format(value=float(found.tempered[token])),
        _("as drawn {value:.6g}").format(value=float(found.sampled[token])),
        _("surprise {value:.4f} nats").format(value=found.surprise(token)),
    )


def _append(model: LoadedModel, texts: Texts, reading: Reading, token: int) -> None:
    """Put the token after the text, or after the target of an encoder-decoder."""
    trace = reading.trace
    if model.kind == "encoder-decoder":
        target = spell(model, trace.target_ids) if texts.target is None else texts.target
        state.replace_text(state.TARGET, spell_on(model, target, trace.target_ids, token))
    else:
        state.replace_text(state.TEXT, spell_on(model, texts.text, trace.ids, token))


def _look_up(model: LoadedModel, found: Distribution) -> None:
    """Any token's place in the distribution."""
    hint = _("for example: dog")
    text = st.text_input(_("Look up any token"), key="look_up", bind="query-params", max_chars=60, placeholder=hint)
    if not text:
        return
    rows = []
    for spelling in (text, " " + text):
        tokens = [token for token in encode(model.tokenizer, spelling) if not token.special]
        if tokens and tokens[0].id < len(found.model) and tokens[0] not in rows:
            rows.append(tokens[0])
    token_view([_looked_up(row, found) for row in rows], layout="bars", label=_("Tokens looked up"), key="looked_up")


def _looked_up(token: Token, found: Distribution) -> TokenItem:
    probability = float(found.model[token.id])
    number = _("rank {rank:,}, {share:.2g}").format(rank=found.rank(token.id) + 1, share=probability)
    return TokenItem(text=token.text, value=probability, number=number, lines=fact_lines(token.id, found))
