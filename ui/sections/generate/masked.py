"""Words that an encoder fills in: masks that are typed, and tokens that are masked by a click."""

import streamlit as st

from playground.lens.capture.tokens import Token, encode, label
from playground.lens.generate.fill import Blank, fill, mask_id, spell_masks
from playground.lens.generate.generation import Alternative
from playground.models import LoadedModel
from playground.progress import OnProgress
from playground.snippets import origin
from playground.text import _
from ui import state
from ui.components.token_view import TokenItem, token_view
from ui.jobs import spell, work
from ui.widgets.download import offer_snippet, text_facts
from ui.widgets.text import Texts

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

    def compute(_on_progress: OnProgress) -> tuple[Blank, ...]:
        return fill(model, texts.text, positions=masked, pair=texts.pair, k=LISTED)

    blanks = work(model, question, words, compute)
    guessed = _show_blanks(blanks, origin(model, facts={**text_facts(texts), "masked": masked}))
    if guessed is not None:
        place, token = guessed
        state.replace_text(*filled(model, texts, [token.id for token in tokens], place, token.id))
        state.write_masked([other for other in masked if other != place])
        st.rerun()
    call = f"for blank in fill(model, {texts.text!r}, positions={masked!r}, pair={texts.pair!r}, k={LISTED}):"
    line = "    print(blank.position, [(guess.token.text, guess.probability) for guess in blank.alternatives])"
    offer_snippet(model, ["playground.lens.generate.fill import fill"], [call, line])


def _item(token: Token, masked: bool) -> TokenItem:
    return TokenItem(
        text=token.text,
        special=token.special,
        value=0.5 if masked else None,
        chosen=masked,
        clickable=not token.special,
    )


def filled(model: LoadedModel, texts: Texts, ids: list[int], place: int, token: int) -> tuple[str, str]:
    """Which of the two sentences a guess is put into, and that sentence with it; other masks stay."""
    end = _end_of_first(model, texts)
    with_guess = [token if number == place else id for number, id in enumerate(ids)]
    if place < end:
        return state.TEXT, _spell_keeping_masks(model, with_guess[:end])
    return state.PAIR, _spell_keeping_masks(model, with_guess[end:])


def _end_of_first(model: LoadedModel, texts: Texts) -> int:
    """How many tokens the first sentence has."""
    return len(encode(model.tokenizer, spell_masks(model, texts.text)))


def _spell_keeping_masks(model: LoadedModel, ids: list[int]) -> str:
    """The ids as text, typed masks among them as the model spells them."""
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


def _show_blanks(blanks: tuple[Blank, ...], notes: list[str]) -> tuple[int, Token] | None:
    """What could stand at each mask, some beside each other; the token that stood there is outlined.

    The place and the guess that was clicked just now.
    """
    clicked = None
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
            picked = token_view(items, layout="bars", label=name, key=f"blank_{blank.position}", provenance=notes)
            if picked is not None:
                clicked = (blank.position, blank.alternatives[picked].token)
    return clicked


def _guess(other: Alternative, chosen: bool) -> TokenItem:
    return TokenItem(
        text=other.token.text,
        special=other.token.special,
        value=other.probability,
        number=f"{other.probability:.2%}",
        lines=(_("probability {value:.6g}").format(value=other.probability),),
        chosen=chosen,
        clickable=not other.token.special,
    )
