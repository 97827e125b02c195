"""What is chosen on Take it apart: the text, the prediction that is watched, and parts of the model."""

from dataclasses import dataclass

import streamlit as st

from playground.errors import UserError
from playground.lens.capture.activations import Reading as ReadText
from playground.lens.capture.activations import capture
from playground.lens.capture.activations import read as read_text
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token, label
from playground.lens.intervene.ablation import Watched
from playground.lens.intervene.interventions import Component
from playground.lens.intervene.patching import first_id
from playground.models import LoadedModel
from playground.text import _
from ui import state
from ui.cache import Reading
from ui.jobs import ask, read
from ui.sections.attention.examples import first_text
from ui.widgets.text import Texts, address_text, choose_pair, choose_target

TEXT_LENGTH = 4_000
MOST_TOKENS = 256
"""Every part is tried on the whole text, many times over."""


@dataclass(frozen=True, kw_only=True)
class Clean:
    """What an untouched pass says: its tokens, its best next token at each (none without an output head), its parts.

    places: kind, layer, heads. feed_forward: the places with such a layer.
    """

    tokens: tuple[Token, ...]
    source: tuple[Token, ...]
    best: tuple[int, ...]
    is_finite: bool
    places: tuple[tuple[SiteKind, int, int], ...]
    feed_forward: frozenset[tuple[SiteKind, int]]

    @property
    def kinds(self) -> list[SiteKind]:
        """The kinds of attention, that of the stack that predicts first."""
        found = {kind for kind, _layer, _heads in self.places}
        return [kind for kind in ("decoder", "cross", "encoder") if kind in found]

    def tokens_of(self, kind: SiteKind) -> tuple[Token, ...]:
        """The tokens that a stack reads."""
        return self.source if kind == "encoder" and self.source else self.tokens


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model, what it reads, and what an untouched pass says."""

    model: LoadedModel
    texts: Texts
    reading: Reading
    clean: Clean


def choose_text(model: LoadedModel) -> Texts:
    """The text areas that fit the model."""
    text = address_text(state.TEXT, first_text(model), label=_("Text"), limit=TEXT_LENGTH, rows=2)
    return choose_second(model, text)


def choose_second(model: LoadedModel, text: str, target: str = "") -> Texts:
    """The text with what an encoder-decoder's decoder reads, or an encoder's second sentence."""
    if model.kind == "encoder-decoder":
        return Texts(text=text, target=choose_target(target))
    return Texts(text=text, pair=choose_pair() if model.kind == "encoder" else None)


def examine(model: LoadedModel, texts: Texts, *, key: str) -> Subject | None:
    """Read the texts once; None, with a sentence, where there is nothing to take apart."""
    reading = read(model, texts, key=key)
    trace = reading.trace
    if not trace.sites:
        st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
        return None
    count = max(len(trace.source), len(trace.target))
    if count > MOST_TOKENS:
        sentence = _("The text has {count:,} tokens; taking apart works on up to {most}. Shorten it.")
        st.error(sentence.format(count=count, most=MOST_TOKENS), icon=":material/error:")
        return None
    clean = ask(reading, "clean", _("Reading the text …"), lambda _on_run: read_clean(model, texts))
    if clean is None:
        return None
    if not clean.is_finite:
        sentence = _(
            "{name} computes what is not a number, so that there is nothing to measure: its weights are damaged."
        )
        st.error(sentence.format(name=model.name), icon=":material/error:")
        return None
    return Subject(model=model, texts=texts, reading=reading, clean=clean)


def read_clean(model: LoadedModel, texts: Texts) -> Clean:
    """Run the model once on the texts and keep what is small."""
    found = capture(model, read_text(model, texts.text, texts.target, texts.pair))
    logits = found.logits
    numbers = found.final if logits is None else logits
    return Clean(
        tokens=found.reading.tokens,
        source=found.reading.source,
        best=() if logits is None else tuple(logits.argmax(-1).tolist()),
        is_finite=not bool(numbers.isnan().any()),
        places=tuple((kind, layer, len(z)) for (kind, layer), z in found.z.items()),
        feed_forward=frozenset(found.feed_forward),
    )


def read_again(subject: Subject) -> ReadText:
    """The subject's texts, ready for another pass."""
    texts = subject.texts
    return read_text(subject.model, texts.text, texts.target, texts.pair)


def choose_position(name: str, title: str, tokens: tuple[Token, ...], usual: int | None = None) -> int:
    """A token's place; the last one is the usual one where no other is named."""
    words = [str(place) for place in reversed(range(len(tokens)))]
    if usual is not None:
        words.insert(0, words.pop(words.index(str(usual))))
    word = st.selectbox(
        title,
        words,
        index=words.index(state.read_word(name, words)),
        key=f"apart_{name}_{len(tokens)}_{words[0]}",
        format_func=lambda word: f"{word} · {tokens[int(word)].text}",
    )
    state.write_word(name, word, words[0])
    return int(word)


def choose_watched(subject: Subject) -> Watched | None:
    """The prediction that is watched; None, with a sentence, for a model that predicts nothing."""
    clean = subject.clean
    if not clean.best:
        sentence = _("{name} has no output head, so that there is no prediction to measure. Choose another model.")
        st.error(sentence.format(name=subject.model.name), icon=":material/error:")
        return None
    left, right = st.columns(2)
    with left:
        position = choose_position(state.POSITION, _("Watch the prediction at"), clean.tokens)
    best = token_title(subject.model, clean.best[position])
    with right:
        answer = st.text_input(
            _("Watched token"),
            key=state.ANSWER,
            bind="query-params",
            max_chars=60,
            placeholder=_("the most probable: {token}").format(token=best),
            help=_("Its first token counts. Most models' words begin with a space."),
        )
    if not answer:
        return Watched(position=position, token=clean.best[position])
    try:
        return Watched(position=position, token=first_id(subject.model, answer))
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def token_title(model: LoadedModel, token: int) -> str:
    """A token's label in quotes, in which spaces and line ends can be seen."""
    text = label(model.tokenizer, [token])[0].text.replace("\n", "⏎")
    return "“" + "".join("␣" if character.isspace() else character for character in text) + "”"


def components(clean: Clean) -> dict[str, Component]:
    """Every part that can be taken away, by the word that names it in an address."""
    found: dict[str, Component] = {}
    for kind, layer, heads in clean.places:
        for head in range(heads):
            found[f"{kind}.{layer}.{head}"] = Component(part="head", layer=layer, head=head, kind=kind)
        found[f"{kind}.{layer}.attention"] = Component(part="attention", layer=layer, kind=kind)
        if (kind, layer) in clean.feed_forward:
            found[f"{kind}.{layer}.feed_forward"] = Component(part="feed_forward", layer=layer, kind=kind)
        if kind != "cross":
            found[f"{kind}.{layer}.layer"] = Component(part="layer", layer=layer, kind=kind)
    return found


def component_title(component: Component, *, with_kind: bool) -> str:
    """A part's name for a person."""
    titles = {
        "head": _("head {layer}.{head}"),
        "attention": _("attention {layer}"),
        "feed_forward": _("feed-forward {layer}"),
        "layer": _("layer {layer}"),
    }
    title = titles[component.part].format(layer=component.layer, head=component.head)
    return f"{kind_titles()[component.kind]} {title}" if with_kind else title


def kind_titles() -> dict[SiteKind, str]:
    """The kinds of attention, for a person."""
    return {"encoder": _("encoder"), "decoder": _("decoder"), "cross": _("cross")}


def choose_parts(clean: Clean, title: str) -> list[Component]:
    """A set of heads, attention and feed-forward layers, and whole layers."""
    known = components(clean)
    with_kind = len(clean.kinds) > 1
    listed = state.read_text(state.PARTS, "", limit=TEXT_LENGTH).split(",")
    chosen = st.multiselect(
        title,
        list(known),
        default=[word for word in dict.fromkeys(listed) if word in known],
        key=f"apart_parts_{len(known)}",
        format_func=lambda word: component_title(known[word], with_kind=with_kind),
        placeholder=_("Choose heads, feed-forward layers or layers"),
    )
    state.write_text(state.PARTS, ",".join(chosen) or None)
    return [known[word] for word in chosen]
