"""Words that an encoder fills in: masks that are typed, and tokens that are masked by a click."""

import streamlit as st

from playground.lens.activations import OnRun
from playground.lens.fill import Blank, fill, mask_id, spell_masks
from playground.lens.generation import Alternative
from playground.lens.tokens import Token, encode, label
from playground.models import LoadedModel
from ui import state
from ui.components.token_view import TokenItem, token_view
from ui.controls.generate.asking import work
from ui.controls.texts import Texts
from ui.text import _

LISTED = 10
COLUMNS = 3


def show_filling(model: LoadedModel, texts: Texts) -> None:
    """The text, in which a click masks a token, and what the model expects at each mask."""
    mask = mask_id(model)
    spelling = label(model.tokenizer, [mask])[0].text
    tokens = encode(model.tokenizer, spell_masks(model, texts.text), texts.pair)
    masked = [place for place in state.read_masked() if place < len(tokens) and not tokens[place].special]
    typed = [place for place, token in enumerate(tokens) if token.id == mask]
    st.caption(_("Click a token to mask it, or write {mask} in the text.").format(mask=spelling))
    items = [_item(token, place in masked or place in typed) for place, token in enumerate(tokens)]
    picked = token_view(items, layout="text", label=_("The text; masked tokens are outlined"), key="maskable")
    if picked is not None:
        state.write_masked(sorted(set(masked) ^ {picked}))
        st.rerun()
    if not masked and not typed:
        st.info(_("Nothing is masked yet."), icon=":material/info:")
        return
    question = ("fill", texts.text, texts.pair, tuple(masked))
    words = _("Filling in …")

    def compute(_on_run: OnRun) -> tuple[Blank, ...]:
        return fill(model, texts.text, positions=masked, pair=texts.pair, k=LISTED)

    blanks = work(model, question, words, compute)
    _show_blanks(blanks)


def _item(token: Token, masked: bool) -> TokenItem:
    return TokenItem(
        text=token.text,
        special=token.special,
        value=0.5 if masked else None,
        chosen=masked,
        clickable=not token.special,
    )


def _show_blanks(blanks: tuple[Blank, ...]) -> None:
    """What could stand at each mask, some beside each other; the token that stood there is outlined."""
    columns = st.columns(min(COLUMNS, len(blanks)))
    for number, blank in enumerate(blanks):
        with columns[number % len(columns)]:
            st.caption(
                _("Place {place}, entropy {entropy:.3f} nats").format(
                    place=blank.position, entropy=blank.distribution.entropy
                )
            )
            items = [_guess(other, other.token.id == blank.token.id) for other in blank.alternatives]
            name = _("What could stand at place {place}").format(place=blank.position)
            token_view(items, layout="bars", label=name, key=f"blank_{blank.position}")


def _guess(other: Alternative, chosen: bool) -> TokenItem:
    return TokenItem(
        text=other.token.text,
        special=other.token.special,
        value=other.probability,
        number=f"{other.probability:.2%}",
        lines=(_("probability {value:.6g}").format(value=other.probability),),
        chosen=chosen,
    )
