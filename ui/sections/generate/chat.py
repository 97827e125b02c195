"""Chat section: compose a conversation, see it as the model reads it, let the model go on, look at it on every page."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from playground.errors import UserError
from playground.lens.generate.chat_template import ChatTurn, RenderedChat, chat_template_of, render_chat
from playground.models import LoadedModel
from playground.snippets import origin
from playground.text import _, _n
from ui.cache import results_of
from ui.components.token_view import TokenItem, token_view
from ui.job import JobProgress
from ui.jobs import keep_place, refuse, run_job, spell
from ui.sections.generate.chat_turns import edit_turns, role_titles, write_reply
from ui.sections.generate.continuation import draft_of, show_continuation
from ui.sections.generate.measure_doors import text_measure_door
from ui.sections.generate.text_doors import show_text_doors, text_parameters
from ui.state.address import replace_text, write_values
from ui.state.parameters import GENERATE, QUERY, TEXT
from ui.text import inert
from ui.widgets.download import offer_snippet
from ui.widgets.text import Texts

HUES_OF_ROLES = {"system": 3, "user": 0, "assistant": 2}
STRENGTH = 0.5


def has_chat_template(model: LoadedModel) -> bool:
    """Whether the model generates, and its tokenizer brings a chat template."""
    return model.has_output_head and chat_template_of(model) is not None


def show_chat(model: LoadedModel, _texts: Texts) -> None:
    """The turns, what the template makes of them, and the model's reply."""
    st.caption(_("The conversation below is read here instead of the text above."))
    turns = spoken_turns(edit_turns())
    if not any(turn.content.strip() for turn in turns):
        st.info(_("Write something in a turn."), icon=":material/keyboard:")
        return
    chat = _render(model, turns)
    _show_reading(model, chat, turns)
    _show_chat_doors(chat)
    listed = ", ".join(f"ChatTurn(role={turn.role!r}, content={turn.content!r})" for turn in turns)
    lines = [f"chat = render_chat(model, [{listed}])", "print(chat.text, chat.ids)"]
    offer_snippet(model, ["playground.lens.generate.chat_template import ChatTurn, render_chat"], lines)
    st.subheader(_("Reply"))
    show_continuation(model, Texts(text=chat.page_text))
    _offer_reply(model, chat, turns)


def spoken_turns(turns: Sequence[ChatTurn]) -> Sequence[ChatTurn]:
    """The turns without an empty question at the end, which is still to be written."""
    is_asking = len(turns) > 1 and turns[-1].role == "user" and not turns[-1].content.strip()
    return turns[:-1] if is_asking else turns


def _render(model: LoadedModel, turns: Sequence[ChatTurn]) -> RenderedChat:
    """The conversation as the model reads it. No pass is run, so that it waits in no queue."""
    cache, key = results_of(model), ("chat", tuple(turns))
    kept: RenderedChat | None = cache.get(key)
    if kept is not None:
        keep_place()
        return kept

    def make(progress: JobProgress) -> RenderedChat:
        chat = render_chat(model, turns, is_abandoned=lambda: progress.is_abandoned)
        cache.put(key, chat)
        return chat

    try:
        chat = run_job((cache.name, key), make, title=_("Rendering the chat template …"))
    except UserError as error:
        refuse(error)
    if chat is None:
        st.stop()
    return chat


def _show_reading(model: LoadedModel, chat: RenderedChat, turns: Sequence[ChatTurn]) -> None:
    """How many tokens the template makes, what is peculiar about them, and all of them, folded away."""
    added = sum(owner is None for owner in chat.turns)
    sentence = _(
        "{tokens}, {added} of them the template's own. These are the ids of transformers' apply_chat_template."
    )
    st.text(sentence.format(tokens=_n("{n} token", "{n} tokens", len(chat.tokens)), added=added))
    if chat.forged:
        listed = ", ".join(str(number + 1) for number in chat.forged)
        warning = _(
            "The words of turn {turns} hold special tokens. The model cannot tell them from the template's: so a turn "
            "can be forged."
        )
        st.warning(warning.format(turns=listed), icon=":material/warning:")
    if not chat.is_exact:
        _warn_inexact(chat)
    if len(chat.tokens) > model.context:
        warning = _("The model reads at most {context:,} tokens: shorten the conversation.")
        st.warning(warning.format(context=model.context), icon=":material/content_cut:")
    with st.expander(_("As the model reads it"), icon=":material/data_object:"):
        st.caption(_("Violet: system, blue: user, green: assistant; uncoloured: what the template adds."))
        token_view(
            chat_items(chat, turns),
            layout="text",
            label=_("The conversation as the model reads it"),
            key="chat_tokens",
            provenance=origin(model, details={"text": chat.text}),
        )
        st.caption(_("The chat template (Jinja), as the tokenizer brings it:"))
        st.code(chat_template_of(model) or "", language=None, height=180, wrap_lines=True)


def _warn_inexact(chat: RenderedChat) -> None:
    if chat.extra:
        tokens = " ".join(chat.extra)
        sentence = _(
            "The reply and the other pages read {tokens} in front of it, as this tokenizer begins every text; "
            "apply_chat_template does not."
        ).format(tokens=inert(tokens))
    else:
        sentence = _("The reply and the other pages read other tokens than these: this tokenizer changes the text.")
    st.warning(sentence, icon=":material/warning:")


def chat_items(chat: RenderedChat, turns: Sequence[ChatTurn]) -> list[TokenItem]:
    """The tokens, each turn's own words in the colour of its role."""
    titles = role_titles()
    return [
        TokenItem(
            text=token.text,
            special=token.special,
            value=None if owner is None else STRENGTH,
            hue=None if owner is None else HUES_OF_ROLES[turns[owner].role],
            lines=(_("id {id}").format(id=token.id), _("template") if owner is None else titles[turns[owner].role]),
        )
        for token, owner in zip(chat.tokens, chat.turns, strict=True)
    ]


def _show_chat_doors(chat: RenderedChat) -> None:
    """The conversation as a text on the pages that look at one."""
    show_text_doors(
        text_parameters(chat.page_text),
        measure=partial(text_measure_door, chat.page_text),
        more=partial(_offer_next, chat.page_text),
    )


def _offer_next(text: str) -> None:
    # A link to the page itself would leave the browser's address as it was.
    st.button(
        _("Next token"),
        key="chat_next",
        icon=":material/bar_chart:",
        type="tertiary",
        help=_("What the model would answer with first."),
        on_click=_open_next,
        args=(text,),
    )


def _open_next(text: str) -> None:
    replace_text(TEXT, text)
    write_values({GENERATE: "next", QUERY: None})


def _offer_reply(model: LoadedModel, chat: RenderedChat, turns: Sequence[ChatTurn]) -> None:
    """Take the generated reply into the conversation, once it has ended or was paused."""
    draft = draft_of(model, chat.page_text)
    if draft is None or not draft.tree.nodes or draft.remaining:
        return
    reply = spelled_reply(model, chat.ids, draft.tree.ids(draft.node))
    st.button(
        _("Take the reply into the conversation"),
        icon=":material/reply:",
        key="take_reply",
        on_click=write_reply,
        args=(turns, reply),
        disabled=not reply.strip(),
    )


def spelled_reply(model: LoadedModel, prompt: Sequence[int], ids: Sequence[int]) -> str:
    """What was generated, without special tokens; what a token spells depends on those before it."""
    before = spell(model, list(prompt))
    return spell(model, [*prompt, *ids])[len(before) :]
