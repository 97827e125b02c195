"""Next-token distribution over the whole vocabulary, and what the sampling filters remove."""

from dataclasses import dataclass

import streamlit as st

from playground.charts.generate import distribution_figure
from playground.charts.layout import mark_spaces
from playground.lens.capture.tokens import EmptyTextError, Token, encode, label
from playground.lens.generate.findings import describe_next_token, percent
from playground.lens.generate.predictions import Distribution, Sampling, distribution
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _
from ui.cache import TracedText, results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import refuse, require, spell, spell_on, trace_of
from ui.sections.generate.sampling_options import bar_names, choose_sampling, filter_summary, paired_item
from ui.sections.generate.text_doors import show_typed_text_doors
from ui.sections.generate.token_doors import show_token_doors
from ui.state.address import replace_text, write_values
from ui.state.attention import read_token
from ui.state.parameters import LOOK_UP, QUERY, TARGET, TEXT
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet, text_details, traced
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

LISTED = 20
HEIGHT = 360


def show_next_token(model: LoadedModel, texts: Texts) -> None:
    """The distribution after a token of the text (encoder-decoder: of the target); a click continues with a token."""
    sampling = choose_sampling(st.columns(4))
    traced_text = trace_of(model, texts, key="next")
    tokens = predicting_tokens(traced_text)
    if not tokens or traced_text.trace.last_logits is None:
        refuse(EmptyTextError())
    position = read_token(len(tokens), first_position(model, texts))
    place = Place(model=model, texts=texts, traced_text=traced_text, position=position)
    predicted = _predict(place, sampling)
    best = predicted.top(1)[0]
    finding = describe_next_token(
        f"{position} {mark_spaces(tokens[position].text)}",
        mark_spaces(label(model.tokenizer, [best])[0].text),
        float(predicted.model[best]),
        predicted.entropy,
        len(predicted.model),
    )
    with st.container(gap="xsmall"):
        show_findings(finding)
        left, right = st.columns(2)
    details = {**text_details(texts), "position": position, **vars(sampling)}
    with left, st.container(gap="xxsmall"):
        _list_alternatives(place, predicted, details)
    with right, st.container(gap="xsmall"):
        _draw_distribution(place, predicted, details)
        show_token_doors(model, position, predicted.top(LISTED))
        _look_up(model, predicted)
    show_typed_text_doors(model, texts)
    imports = ["playground.lens.generate.predictions import Sampling, distribution"]
    lines = [traced(texts), f"predicted = distribution(traced.logits({position}), {sampling!r})"]
    offer_snippet(model, imports, [*lines, "print(predicted.entropy, predicted.n_remaining, predicted.filters)"])


@dataclass(frozen=True, kw_only=True)
class Place:
    """A position of a text in a model."""

    model: LoadedModel
    texts: Texts
    traced_text: TracedText
    position: int

    @property
    def is_last(self) -> bool:
        """Whether nothing follows it."""
        return self.position == len(predicting_tokens(self.traced_text)) - 1


def predicting_tokens(traced_text: TracedText) -> tuple[Token, ...]:
    """The tokens after which the model predicts: an encoder-decoder's target, the text otherwise."""
    return traced_text.trace.target or traced_text.trace.source


def first_position(model: LoadedModel, texts: Texts) -> int | None:
    """The position to start with: an encoder-decoder's start token, before anything is decoded; the last otherwise."""
    return 0 if model.kind == "encoder-decoder" and texts.target is None else None


def _predict(place: Place, sampling: Sampling) -> Distribution:
    """The distribution; a pass of its own for a position other than the last, once."""
    name, trace, cache = place.traced_text.name, place.traced_text.trace, results_of(place.model)
    logits = trace.last_logits
    if not place.is_last:
        logits = require(
            ("logits", name, place.position),
            lambda _on_run: trace.logits(place.position),
            title=_("Reading the text …"),
            cache=cache,
        )
    assert logits is not None
    return require(
        ("next", name, place.position, sampling),
        lambda _on_run: distribution(logits, sampling),
        title=_("Sorting the vocabulary …"),
        cache=cache,
    )


def _draw_distribution(place: Place, predicted: Distribution, details: dict[str, object]) -> None:
    st.caption(_("The whole vocabulary by rank."))
    draw(
        place.model,
        distribution_figure(predicted.model, predicted.tempered, predicted.sampled),
        key="distribution_chart",
        height=HEIGHT,
        revision=f"{place.traced_text.name}.{place.position}",
        label=_("Probability of every token of the vocabulary by its rank"),
        details=details,
    )
    st.caption(_describe_filters(predicted))


def _describe_filters(predicted: Distribution) -> str:
    """Entropy after filtering, tokens that remain, and what each filter removed."""
    sentence = _("Entropy after filters {filtered:.3f} nats; {n_remaining:,} of {n_tokens:,} tokens remain.")
    counts = {"n_remaining": predicted.n_remaining, "n_tokens": len(predicted.model)}
    said = sentence.format(filtered=predicted.sampled_entropy, **counts)
    return f"{said} {filter_summary(predicted.filters)}"


def _list_alternatives(place: Place, predicted: Distribution, details: dict[str, object]) -> None:
    ids = predicted.top(LISTED)
    picked = token_view(
        [_item(label(place.model.tokenizer, [id])[0], predicted) for id in ids],
        layout="bars",
        label=_("Most probable next tokens"),
        key="next_tokens",
        provenance=origin(place.model, details=details),
        series=bar_names(),
    )
    st.caption(
        _("Most probable next tokens. Click one to append it.")
        if place.is_last
        else _("Most probable next tokens. Click one to continue with it from there.")
    )
    if picked is not None:
        _append(place, ids[picked])
        st.rerun()


def _item(token: Token, predicted: Distribution) -> TokenItem:
    probability, sampled = float(predicted.model[token.id]), float(predicted.sampled[token.id])
    lines = predicted_token_lines(token.id, predicted)
    return paired_item(token, probability, sampled, lines, clickable=not token.special)


def predicted_token_lines(token: int, predicted: Distribution) -> tuple[str, ...]:
    """The numbers of one token of a distribution."""
    return (
        _("id {id}, rank {rank:,}").format(id=token, rank=predicted.rank(token) + 1),
        _("probability {value:.6g}").format(value=float(predicted.model[token])),
        _("with temperature {value:.6g}").format(value=float(predicted.tempered[token])),
        _("after filters {value:.6g}").format(value=float(predicted.sampled[token])),
        _("surprisal {value:.4f} nats").format(value=predicted.surprisal(token)),
    )


def _append(place: Place, token: int) -> None:
    """Put a token after the position, in place of what follows there; the token that is looked at is the last again."""
    model, texts, trace = place.model, place.texts, place.traced_text.trace
    is_target = model.kind == "encoder-decoder"
    ids = (trace.target_ids if is_target else trace.ids)[: place.position + 1]
    typed = texts.target if is_target else texts.text
    text = typed if place.is_last and typed is not None else spell(model, ids)
    replace_text(TARGET if is_target else TEXT, spell_on(model, text, ids, token))
    write_values({QUERY: None})


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
    number = _("rank {rank:,}, {share}").format(rank=predicted.rank(token.id) + 1, share=percent(probability))
    return TokenItem(
        text=token.text, value=probability, number=number, lines=predicted_token_lines(token.id, predicted)
    )
