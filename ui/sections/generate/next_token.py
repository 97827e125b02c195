"""Next-token distribution over the whole vocabulary, and what the sampling filters remove."""

import streamlit as st

from playground.charts.generate import distribution_figure
from playground.lens.capture.tokens import EmptyTextError, Token, encode, label
from playground.lens.generate.predictions import Distribution, Sampling, distribution
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _
from ui.cache import TracedText, results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import refuse, require, spell, spell_on, trace_of
from ui.sections.generate.sampling_options import choose_sampling, filter_summary
from ui.state.address import replace_text
from ui.state.parameters import LOOK_UP, TARGET, TEXT
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet, text_details, traced
from ui.widgets.text import Texts

LISTED = 20
HEIGHT = 360


def show_next_token(model: LoadedModel, texts: Texts) -> None:
    """The distribution after the text (encoder-decoder: after the target); a click appends a token."""
    sampling = choose_sampling()
    traced_text = trace_of(model, texts, key="next")
    logits = traced_text.trace.last_logits
    if logits is None:
        refuse(EmptyTextError())
    key = ("next", traced_text.name, sampling)
    predicted = require(
        key,
        lambda _on_run: distribution(logits, sampling),
        title=_("Sorting the vocabulary …"),
        cache=results_of(model),
    )
    _show_numbers(predicted)
    left, right = st.columns([1, 1])
    with left:
        st.caption(_("Most probable: model → after filters. Click one to append it."))
        _list_alternatives(model, texts, traced_text, predicted, sampling)
    with right:
        st.caption(_("The whole vocabulary by rank."))
        name = _("Probability of every token of the vocabulary by its rank")
        figure = distribution_figure(predicted.model, predicted.tempered, predicted.sampled)
        details = {**text_details(texts), **vars(sampling)}
        draw(
            model,
            figure,
            key="distribution_chart",
            height=HEIGHT,
            revision=traced_text.name,
            label=name,
            details=details,
        )
        _look_up(model, predicted)
    imports = ["playground.lens.generate.predictions import Sampling, distribution"]
    lines = [traced(texts), f"predicted = distribution(traced.last_logits, {sampling!r})"]
    offer_snippet(model, imports, [*lines, "print(predicted.entropy, predicted.n_remaining, predicted.filters)"])


def _show_numbers(predicted: Distribution) -> None:
    """Entropy before and after filtering, tokens that remain, and what each filter removed."""
    sentence = _(
        "Entropy {raw:.3f} nats, after filters {filtered:.3f} nats; {n_remaining:,} of {n_tokens:,} tokens remain."
    )
    counts = {"n_remaining": predicted.n_remaining, "n_tokens": len(predicted.model)}
    st.caption(sentence.format(raw=predicted.entropy, filtered=predicted.sampled_entropy, **counts))
    st.caption(filter_summary(predicted.filters))


def _list_alternatives(
    model: LoadedModel, texts: Texts, traced_text: TracedText, predicted: Distribution, sampling: Sampling
) -> None:
    ids = predicted.top(LISTED)
    items = [_item(label(model.tokenizer, [id])[0], predicted) for id in ids]
    notes = origin(model, details={**text_details(texts), **vars(sampling)})
    name = _("Most probable next tokens")
    picked = token_view(items, layout="bars", label=name, key="next_tokens", provenance=notes)
    if picked is not None:
        _append(model, texts, traced_text, ids[picked])
        st.rerun()


def _item(token: Token, predicted: Distribution) -> TokenItem:
    probability, sampled = float(predicted.model[token.id]), float(predicted.sampled[token.id])
    return TokenItem(
        text=token.text,
        special=token.special,
        value=probability,
        number=f"{probability:.2%} → {sampled:.2%}",
        lines=token_lines(token.id, predicted),
        clickable=not token.special,
    )


def token_lines(token: int, predicted: Distribution) -> tuple[str, ...]:
    """The numbers of one token of a distribution."""
    return (
        _("id {id}, rank {rank:,}").format(id=token, rank=predicted.rank(token) + 1),
        _("probability {value:.6g}").format(value=float(predicted.model[token])),
        _("with temperature {value:.6g}").format(value=float(predicted.tempered[token])),
        _("after filters {value:.6g}").format(value=float(predicted.sampled[token])),
        _("surprisal {value:.4f} nats").format(value=predicted.surprisal(token)),
    )


def _append(model: LoadedModel, texts: Texts, traced_text: TracedText, token: int) -> None:
    """Append a token to the text, or to an encoder-decoder's target."""
    trace = traced_text.trace
    if model.kind == "encoder-decoder":
        target = spell(model, trace.target_ids) if texts.target is None else texts.target
        replace_text(TARGET, spell_on(model, target, trace.target_ids, token))
    else:
        replace_text(TEXT, spell_on(model, texts.text, trace.ids, token))


def _look_up(model: LoadedModel, predicted: Distribution) -> None:
    """Rank and probability of any token."""
    hint = _("for example: dog")
    text = st.text_input(_("Look up any token"), key=LOOK_UP, bind="query-params", max_chars=60, placeholder=hint)
    if not text:
        return
    tokens_shown: list[Token] = []
    for spelling in (text, " " + text):
        tokens = [token for token in encode(model.tokenizer, spelling) if not token.special]
        if tokens and tokens[0].id < len(predicted.model) and tokens[0] not in tokens_shown:
            tokens_shown.append(tokens[0])
    token_view(
        [_looked_up(token, predicted) for token in tokens_shown],
        layout="bars",
        label=_("Tokens looked up"),
        key="looked_up",
    )


def _looked_up(token: Token, predicted: Distribution) -> TokenItem:
    probability = float(predicted.model[token.id])
    number = _("rank {rank:,}, {share:.2g}").format(rank=predicted.rank(token.id) + 1, share=probability)
    return TokenItem(text=token.text, value=probability, number=number, lines=token_lines(token.id, predicted))
