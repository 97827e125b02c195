"""Options of Take it apart: the text, the target token, and components of the model."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.errors import UserError
from playground.lens.capture.activations import Component, EncodedText, Part, capture, encode_text
from playground.lens.capture.site import SiteKind
from playground.lens.capture.tokens import Token, label
from playground.lens.generate.predictions import no_predictions
from playground.lens.intervene.ablation import TargetToken
from playground.lens.intervene.patching import first_token_id
from playground.models import LoadedModel
from playground.text import _
from ui.cache import TracedText
from ui.jobs import compute, refuse_length, trace_of
from ui.state.address import read_choice, read_text, write_choice, write_text
from ui.state.attention import read_token, wants_cut
from ui.state.parameters import ANSWER, COMPONENTS, Choice
from ui.state.parameters import GENERATE as GENERATE_SECTION
from ui.state.revisions import widget_key
from ui.text import error_sentence, inert
from ui.widgets.choice import as_label
from ui.widgets.context_bar import ContextBar, bar_head, bar_token
from ui.widgets.doors import GENERATE, door
from ui.widgets.mirror import mirrored
from ui.widgets.text import Texts

MOST_TOKENS = 256
"""Every component is ablated on the whole text, in a pass of its own."""


@dataclass(frozen=True, kw_only=True)
class CleanPass:
    """The small part of a pass without interventions that the options need."""

    tokens: tuple[Token, ...]
    """The tokens of the stack that predicts."""
    source: tuple[Token, ...]
    """The encoder's tokens of an encoder-decoder; empty otherwise."""
    predictions: tuple[int, ...]
    """The most probable next token at each position; empty without an output head."""
    is_finite: bool
    attention_layers: tuple[tuple[SiteKind, int, int], ...]
    """Kind, layer and number of heads; a layer is called by its block's number in the model."""
    blocks: tuple[tuple[SiteKind, int], ...]
    """Kind and number of every block, those of a mixed stack that do not attend among them."""
    mixers: frozenset[tuple[SiteKind, int]]
    """The blocks that mix tokens by something else than attention."""
    feed_forward: frozenset[tuple[SiteKind, int]]
    """Kind and layer of the feed-forward layers."""

    @property
    def kinds(self) -> list[SiteKind]:
        """The kinds of attention, that of the stack that predicts first."""
        present = {kind for kind, _layer, _n_heads in self.attention_layers}
        return [kind for kind in ("decoder", "cross", "encoder") if kind in present]

    def layers_of(self, kind: SiteKind) -> list[int]:
        """What the attention layers of a kind are called."""
        return [layer for site_kind, layer, _n_heads in self.attention_layers if site_kind == kind]

    def heads_of(self, kind: SiteKind) -> int:
        """The number of heads in each layer of a kind."""
        return max((n_heads for site_kind, _layer, n_heads in self.attention_layers if site_kind == kind), default=0)

    def tokens_of(self, kind: SiteKind) -> tuple[Token, ...]:
        """The tokens that a stack reads."""
        return self.source if kind == "encoder" and self.source else self.tokens


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model on its texts, with the trace and the clean pass."""

    model: LoadedModel
    texts: Texts
    traced: TracedText
    clean: CleanPass
    truncate: bool = False
    """Whether the texts are cut to the model's context, as the person agreed."""


def show_subject_bar(bar: ContextBar, subject: Subject) -> None:
    """The head, if one was chosen, and the token."""
    kind = subject.clean.kinds[0]
    bar_head(bar, None, layers=subject.clean.layers_of(kind), heads=subject.clean.heads_of(kind))
    bar_token(bar, [token.text for token in subject.clean.tokens])


def examine(model: LoadedModel, texts: Texts, *, key: str) -> Subject | None:
    """Run the clean pass; None, with a message, where there is nothing to measure."""
    truncate = wants_cut(texts)
    traced = trace_of(model, texts, key=key, longest=MOST_TOKENS)
    trace = traced.trace
    if not trace.sites:
        st.info(_("The text has no tokens yet. Type something above."), icon=":material/keyboard:")
        return None
    count = max(len(trace.source), len(trace.target))
    if count > MOST_TOKENS:
        refuse_length(count, MOST_TOKENS)
        return None
    clean = compute(
        "clean",
        lambda _on_progress: clean_pass(model, texts, truncate=truncate),
        title=_("Reading the text …"),
        cache=traced,
    )
    if clean is None:
        return None
    if not clean.is_finite:
        sentence = _(
            "{name} computes what is not a number, so that there is nothing to measure: its weights are damaged."
        )
        st.error(sentence.format(name=inert(model.name)), icon=":material/error:")
        return None
    return Subject(model=model, texts=texts, traced=traced, clean=clean, truncate=truncate)


def clean_pass(model: LoadedModel, texts: Texts, *, truncate: bool) -> CleanPass:
    """Run the model once on the texts and keep what is small."""
    activations = capture(model, encode_text(model, texts.text, texts.target, texts.pair, truncate=truncate))
    logits = activations.logits
    checked = activations.final if logits is None else logits
    return CleanPass(
        tokens=activations.encoded.tokens,
        source=activations.encoded.source,
        predictions=() if logits is None else tuple(logits.argmax(-1).tolist()),
        is_finite=not bool(checked.isnan().any()),
        attention_layers=tuple((kind, layer, len(z)) for (kind, layer), z in activations.z.items()),
        blocks=tuple((block.kind, block.layer) for block in activations.parts.blocks),
        mixers=frozenset(activations.mixer),
        feed_forward=frozenset(activations.feed_forward),
    )


def encode_again(subject: Subject) -> EncodedText:
    """The subject's texts, encoded for another pass."""
    texts = subject.texts
    return encode_text(subject.model, texts.text, texts.target, texts.pair, truncate=subject.truncate)


def choose_position(name: Choice, title: str, tokens: tuple[Token, ...], default: int | None = None) -> int:
    """A token's position, by default the last one or `default`; each option names itself, in a row of tools."""
    options = [str(position) for position in reversed(range(len(tokens)))]
    if default is not None:
        options.insert(0, options.pop(options.index(str(default))))
    template = _("position {token}")
    option = st.selectbox(
        title,
        options,
        index=options.index(read_choice(name, options)),
        key=widget_key(name, f"ablate_{name}_{len(tokens)}_{options[0]}"),
        format_func=lambda option: template.format(token=f"{option} {mark_spaces(tokens[int(option)].text)}"),
        label_visibility="collapsed",
        width=190,
    )
    write_choice(name, option, options[0])
    return int(option)


def choose_target_token(subject: Subject) -> TargetToken | None:
    """The position and the token whose logit is measured; None, with a message, for a model without predictions."""
    clean = subject.clean
    if not clean.predictions:
        show_no_output_head(subject.model)
        return None
    position = read_token(len(clean.tokens))
    prediction = token_title(subject.model, clean.predictions[position])
    answer = st.text_input(
        _("Target token"),
        read_text(ANSWER),
        **mirrored(ANSWER, read_text(ANSWER)),
        max_chars=ANSWER.limit,
        placeholder=_("top-1 after {position}: {token}").format(
            position=f"{position} {mark_spaces(clean.tokens[position].text)}", token=prediction
        ),
        help=_(
            "The token that follows the chosen one. Of a word its first token counts; most models' words begin "
            "with a space."
        ),
        width=360,
    )
    if not answer:
        return TargetToken(position=position, token=clean.predictions[position])
    try:
        return TargetToken(position=position, token=first_token_id(subject.model, answer))
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None


def show_no_output_head(model: LoadedModel) -> None:
    """Say why nothing can be measured; a classifier's labels are taken apart on another page."""
    st.error(error_sentence(no_predictions(model)), icon=":material/error:")
    if model.head is not None:
        door(_("Take its labels apart"), GENERATE, {str(GENERATE_SECTION): "classify"})


def target_details(target_token: TargetToken) -> dict[str, object]:
    """The target for a figure's files."""
    return {"position": target_token.position, "target token": target_token.token}


def token_title(model: LoadedModel, token: int) -> str:
    """A token's label in quotes, with visible spaces and line ends."""
    return f"“{mark_spaces(label(model.tokenizer, [token])[0].text)}”"


def components_of(clean: CleanPass) -> dict[str, Component]:
    """Every component that can be ablated, by its spelling in an address."""
    components: dict[str, Component] = {}
    for kind, layer, n_heads in clean.attention_layers:
        for head in range(n_heads):
            components[f"{kind}.{layer}.{head}"] = Component(part="head", layer=layer, head=head, kind=kind)
        components[f"{kind}.{layer}.attention"] = Component(part="attention", layer=layer, kind=kind)
        if kind != "cross":
            components |= _larger_parts(clean, kind, layer)
    for kind, layer in clean.blocks:
        if f"{kind}.{layer}.layer" not in components:
            components |= _larger_parts(clean, kind, layer)
    return components


def _larger_parts(clean: CleanPass, kind: SiteKind, layer: int) -> dict[str, Component]:
    """A block's mixer and feed-forward layer, where it has them, and the block."""
    there: dict[Part, bool] = {
        "mixer": (kind, layer) in clean.mixers,
        "feed_forward": (kind, layer) in clean.feed_forward,
        "layer": True,
    }
    return {
        f"{kind}.{layer}.{part}": Component(part=part, layer=layer, kind=kind) for part, has in there.items() if has
    }


def component_word(component: Component) -> str:
    """A component's spelling in an address."""
    part = component.part if component.head is None else component.head
    return f"{component.kind}.{component.layer}.{part}"


def part_titles() -> dict[str, str]:
    """The parts of a layer by their names on the page, with fields for layer and head."""
    return {
        "head": _("head {layer}.{head}"),
        "attention": _("attention {layer}"),
        "mixer": _("mixer {layer}"),
        "feed_forward": _("MLP {layer}"),
        "layer": _("layer {layer}"),
    }


def short_part_titles() -> dict[str, str]:
    """The larger parts of a layer as columns of a map."""
    return {"attention": _("attention"), "mixer": _("mixer"), "feed_forward": _("MLP"), "layer": _("layer")}


def component_title(component: Component, *, with_kind: bool) -> str:
    """A component's name on the page."""
    title = part_titles()[component.part].format(layer=component.layer, head=component.head)
    return f"{kind_names()[component.kind]} {title}" if with_kind else title


def kind_names() -> dict[SiteKind, str]:
    """The kinds of attention as they stand in a component's name."""
    return {"encoder": _("encoder"), "decoder": _("decoder"), "cross": _("cross-attention")}


def kind_titles() -> dict[SiteKind, str]:
    """The kinds of attention as a control offers them."""
    return {kind: as_label(name) for kind, name in kind_names().items()}


def chosen_components(clean: CleanPass) -> list[str]:
    """The joint set in the address, of what the model has."""
    known = components_of(clean)
    return [word for word in dict.fromkeys(read_text(COMPONENTS).split(",")) if word in known]


def write_components(words: Sequence[str]) -> None:
    """Put the joint set into the address."""
    write_text(COMPONENTS, ",".join(words) or None)


def choose_components(clean: CleanPass, title: str) -> list[Component]:
    """Heads, attention and feed-forward layers, and whole layers."""
    known = components_of(clean)
    with_kind = len(clean.kinds) > 1
    chosen: list[str] = st.multiselect(
        title,
        list(known),
        default=chosen_components(clean),
        **mirrored(COMPONENTS, chosen_components(clean)),
        format_func=lambda key: component_title(known[key], with_kind=with_kind),
        placeholder=_("Choose heads, MLPs or layers"),
    )
    return [known[key] for key in chosen]
