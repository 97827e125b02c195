"""Fill-mask with an encoder: masks that are typed, and tokens that are masked by a click."""

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.lens.capture.tokens import Token, encode, label
from playground.lens.finding import Finding
from playground.lens.generate.fill_mask import MaskedPosition, fill_masks, mask_id, spell_masks
from playground.lens.generate.findings import describe_mask, percent
from playground.lens.generate.generation import Alternative
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.jobs import require, spell
from ui.sections.generate.text_doors import show_typed_text_doors
from ui.state.address import replace_text
from ui.state.parameters import PAIR, TEXT, Text
from ui.state.session import read_masked, write_masked
from ui.widgets.download import offer_snippet, text_details
from ui.widgets.findings import show_findings
from ui.widgets.text import Texts

LISTED = 10
COLUMNS = 3
SAID = 3
"""How many masks are spoken of in sentences."""


def show_fill_mask(model: LoadedModel, texts: Texts) -> None:
    """The text, in which a click masks a token, and the prediction at each mask."""
    mask = mask_id(model)
    spelling = label(model.tokenizer, [mask])[0].text
    tokens = encode(model.tokenizer, spell_masks(model, texts.text), texts.pair)
    masked = [index for index in read_masked() if index < len(tokens) and not tokens[index].special]
    typed = [index for index, token in enumerate(tokens) if token.id == mask]
    st.caption(_("Click a token to mask it, or write {mask} in the text.").format(mask=spelling))
    items = [_item(token, index in masked or index in typed) for index, token in enumerate(tokens)]
    picked = token_view(items, layout="text", label=_("The text; masked tokens are outlined"), key="maskable")
    if picked is not None:
        write_masked(sorted(set(masked) ^ {picked}))
        st.rerun()
    if not masked and not typed:
        st.info(_("Nothing is masked yet."), icon=":material/info:")
        return
    key = ("fill", texts.text, texts.pair, tuple(masked))
    title = _("Predicting the masks …")

    def make(_on_progress: OnProgress) -> tuple[MaskedPosition, ...]:
        return fill_masks(model, texts.text, positions=masked, pair=texts.pair, k=LISTED)

    masked_positions = require(key, make, title=title, cache=results_of(model))
    mark = mask_id(model)
    show_findings(*(_finding(position, is_typed=position.token.id == mark) for position in masked_positions[:SAID]))
    clicked = _show_masked_positions(masked_positions, origin(model, details={**text_details(texts), "masked": masked}))
    if clicked is not None:
        position, token = clicked
        parameter, text = filled(model, texts, [token.id for token in tokens], position, token.id)
        replace_text(parameter, text)
        write_masked([other for other in masked if other != position])
        st.rerun()
    show_typed_text_doors(model, texts)
    call = f"for masked in fill_masks(model, {texts.text!r}, positions={masked!r}, pair={texts.pair!r}, k={LISTED}):"
    line = "    print(masked.position, [(other.token.text, other.probability) for other in masked.alternatives])"
    offer_snippet(model, ["playground.lens.generate.fill_mask import fill_masks"], [call, line])


def _finding(masked: MaskedPosition, *, is_typed: bool) -> Finding | None:
    """What is predicted at a mask; is_typed: the mask was typed, so that nothing else stood there."""
    token = masked.token
    original = None if is_typed else (mark_spaces(token.text), float(masked.distribution.model[token.id]))
    tokens = [mark_spaces(other.token.text) for other in masked.alternatives]
    probabilities = [other.probability for other in masked.alternatives]
    return describe_mask(masked.position, tokens, probabilities, masked.distribution.entropy, original)


def _item(token: Token, masked: bool) -> TokenItem:
    return TokenItem(
        text=token.text,
        special=token.special,
        value=0.5 if masked else None,
        chosen=masked,
        clickable=not token.special,
    )


def filled(model: LoadedModel, texts: Texts, ids: list[int], position: int, token: int) -> tuple[Text, str]:
    """Replace a mask by a token: the parameter of the sentence it is in, and that sentence; other masks stay."""
    end = _end_of_first(model, texts)
    replaced = [token if index == position else id for index, id in enumerate(ids)]
    if position < end:
        return TEXT, _spell_keeping_masks(model, replaced[:end])
    return PAIR, _spell_keeping_masks(model, replaced[end:])


def _end_of_first(model: LoadedModel, texts: Texts) -> int:
    """Number of tokens of the first sentence."""
    return len(encode(model.tokenizer, spell_masks(model, texts.text)))


def _spell_keeping_masks(model: LoadedModel, ids: list[int]) -> str:
    """The ids as text, with masks in the model's spelling."""
    mask = mask_id(model)
    spelled = label(model.tokenizer, [mask])[0].text
    parts, run = [], list[int]()
    for id in [*ids, mask]:
        if id == mask:
            parts.append(spell(model, run))
            run = []
        else:
            run.append(id)
    return spelled.join(parts)


def _show_masked_positions(masked_positions: tuple[MaskedPosition, ...], notes: list[str]) -> tuple[int, Token] | None:
    """The predictions at each mask; the token that stood there is outlined.

    Returns the position and the prediction that was clicked just now.
    """
    clicked = None
    columns = st.columns(min(COLUMNS, len(masked_positions)))
    for index, masked in enumerate(masked_positions):
        with columns[index % len(columns)]:
            caption = _("Position {position}, entropy {entropy:.3f} nats")
            st.caption(caption.format(position=masked.position, entropy=masked.distribution.entropy))
            items = [_prediction_item(other, other.token.id == masked.token.id) for other in masked.alternatives]
            name = _("Predictions at position {position}").format(position=masked.position)
            picked = token_view(items, layout="bars", label=name, key=f"blank_{masked.position}", provenance=notes)
            if picked is not None:
                clicked = (masked.position, masked.alternatives[picked].token)
    return clicked


def _prediction_item(other: Alternative, chosen: bool) -> TokenItem:
    return TokenItem(
        text=other.token.text,
        special=other.token.special,
        value=other.probability,
        number=percent(other.probability),
        lines=(_("probability {value:.6g}").format(value=other.probability),),
        chosen=chosen,
        clickable=not other.token.special,
    )
