"""The turns of a conversation, edited; they stand in the address."""

import json
from collections.abc import Sequence
from typing import get_args

import streamlit as st

from playground.lens.generate.chat_template import MOST_TURNS, ChatTurn, Role
from playground.text import _
from ui.components.live_text import live_text
from ui.state.address import read_json_text, write_text
from ui.state.parameters import CHAT
from ui.state.revisions import renew, revision

ROLES: tuple[Role, ...] = get_args(Role)
LONGEST_TURN = 8_000
FIRST = (ChatTurn(role="user", content="Why is the sky blue?"),)
ROWS = 2


def read_turns() -> tuple[ChatTurn, ...]:
    """The conversation of the address; a question where it holds none, or a damaged one."""
    stated = read_json_text(CHAT)
    if not isinstance(stated, list) or not 0 < len(stated) <= MOST_TURNS:
        return FIRST
    turns = [_turn(entry) for entry in stated]
    return tuple(turn for turn in turns if turn is not None) if all(turns) else FIRST


def _turn(entry: object) -> ChatTurn | None:
    """A turn from [role, content]; None where it is none."""
    if not isinstance(entry, list) or len(entry) != 2 or not all(isinstance(part, str) for part in entry):
        return None
    role = next((known for known in ROLES if known == entry[0]), None)
    return None if role is None else ChatTurn(role=role, content=entry[1][:LONGEST_TURN])


def write_turns(turns: Sequence[ChatTurn]) -> None:
    """Put the conversation into the address; the first question stays out of it."""
    listed = json.dumps([[turn.role, turn.content] for turn in turns], ensure_ascii=False, separators=(",", ":"))
    write_text(CHAT, None if tuple(turns) == FIRST else listed)


def edit_turns() -> tuple[ChatTurn, ...]:
    """A field for each turn with its role, and buttons that add and remove one."""
    turns, titles = read_turns(), role_titles()
    edited = tuple(_edit_turn(number, turn, titles, can_go=len(turns) > 1) for number, turn in enumerate(turns))
    if edited != turns:
        write_turns(edited)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="chat_buttons"):
        st.button(
            _("Add turn"),
            icon=":material/add:",
            key="add_turn",
            disabled=len(turns) >= MOST_TURNS,
            on_click=_add_turn,
            args=(edited,),
        )
        if edited[0].role != "system":
            st.button(
                _("Add system prompt"),
                icon=":material/tune:",
                key="add_system",
                disabled=len(turns) >= MOST_TURNS,
                on_click=_replace_turns,
                args=((ChatTurn(role="system", content=""), *edited),),
            )
    return edited


def role_titles() -> dict[Role, str]:
    """The roles by their names on the page."""
    return {"system": _("System"), "user": _("User"), "assistant": _("Assistant")}


def _edit_turn(number: int, turn: ChatTurn, titles: dict[Role, str], *, can_go: bool) -> ChatTurn:
    version = revision(CHAT)
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key=f"turn_{number}"):
        role: Role = st.selectbox(
            _("Role of turn {number}").format(number=number + 1),
            ROLES,
            index=ROLES.index(turn.role),
            key=f"role_{version}_{number}",
            format_func=titles.__getitem__,
            label_visibility="collapsed",
            width=130,
        )
        with st.container():
            content = live_text(
                turn.content,
                label=_("Turn {number}").format(number=number + 1),
                placeholder=titles[role],
                max_chars=LONGEST_TURN,
                rows=ROWS,
                label_hidden=True,
                key=f"turn_text_{number}",
                revision=version,
            )
        st.button(
            _("Remove turn {number}").format(number=number + 1),
            icon=":material/close:",
            key=f"remove_turn_{version}_{number}",
            type="tertiary",
            disabled=not can_go,
            on_click=_remove_turn,
            args=(number,),
        )
    return ChatTurn(role=role, content=content)


def _add_turn(turns: Sequence[ChatTurn]) -> None:
    role: Role = "assistant" if turns[-1].role == "user" else "user"
    _replace_turns([*turns, ChatTurn(role=role, content="")])


def _remove_turn(number: int) -> None:
    turns = read_turns()
    _replace_turns([*turns[:number], *turns[number + 1 :]])


def write_reply(turns: Sequence[ChatTurn], reply: str) -> None:
    """Add what the assistant wrote, to its open turn or as a turn of its own, and a turn for the next question."""
    *earlier, last = turns
    if last.role == "assistant":
        spoken = [*earlier, ChatTurn(role="assistant", content=last.content + reply)]
    else:
        spoken = [*turns, ChatTurn(role="assistant", content=reply)]
    asking = [ChatTurn(role="user", content="")] if len(spoken) < MOST_TURNS else []
    _replace_turns([*spoken, *asking])


def _replace_turns(turns: Sequence[ChatTurn]) -> None:
    """Put a conversation into the address and into its fields."""
    write_turns(turns)
    renew(CHAT)
