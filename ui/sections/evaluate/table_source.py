"""A table: pasted and kept in the address, or a larger file that stays with the server for a while."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import streamlit as st

from playground.errors import UserError
from playground.evaluation.text_table import TextTable, read_text_table
from playground.text import _
from ui.cache import BoundedCache
from ui.jobs import compute
from ui.state.address import pack, read_json_text, read_text, replace_text, write_text
from ui.state.link import leave_out
from ui.state.parameters import MAPPING, TABLE, TABLE_UPLOAD
from ui.state.revisions import revision
from ui.state.uploads import Upload, forget_upload, keep_upload, kept_upload, say_if_gone
from ui.text import error_sentence, inert
from ui.widgets.text import address_text
from ui.widgets.upload import upload

LARGEST_FILE_MB = 50
IN_ADDRESS = 12_000
"""A longer packed table stays out of the address: servers refuse addresses much longer than this."""
TABLES_BYTES = 400 << 20
CELL_BYTES = 58


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a column of the table may be."""

    word: str
    title: str
    """Translated."""
    names: tuple[str, ...]
    """Headings that are taken for it, in lower case."""
    optional: bool = False


@cache
def tables() -> BoundedCache:
    """The last tables that were read."""
    return BoundedCache("tables", TABLES_BYTES, table_bytes)


def table_bytes(table: TextTable) -> int:
    """About how much memory a table takes: its letters, and what Python needs for each text."""
    return sum(CELL_BYTES * len(column) + sum(map(len, column)) for column in table.columns.values())


def choose_table(default: str) -> TextTable | None:
    """The table that is pasted or uploaded; None, with a sentence, where it cannot be read."""
    kept = kept_upload(TABLE_UPLOAD)
    if kept is None:
        say_if_gone(TABLE_UPLOAD)
        with st.container(key="evaluated_table"):
            content: str | bytes = address_text(TABLE, default, label=_("Table with a header"), rows=8)
    else:
        content = kept.content
        leave_out(_("The link does not carry the uploaded table."))
        _show_upload(kept)
    _offer_upload()
    digest = hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()
    table = compute(
        ("table", digest), lambda _progress: read_text_table(content), title=_("Reading the table"), cache=tables()
    )
    for note in table.notes if table else ():
        st.warning(inert(str(note)), icon=":material/info:")
    return table


def _show_upload(kept: Upload) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.write(inert(kept.name))
        st.caption(_why_kept(kept.content), width="content")
        st.button(
            _("Paste a table instead"),
            key="forget_upload",
            icon=":material/close:",
            on_click=forget_upload,
            args=(TABLE_UPLOAD,),
        )


def _why_kept(content: bytes) -> str:
    if _utf8(content) is None:
        return _("This file is not in UTF-8: a link does not carry it.")
    return _("This file is too large for the address: a link does not carry it.")


def _utf8(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _offer_upload() -> None:
    file = upload(
        _("Or a file (CSV, TSV, JSON lines)"),
        type=["csv", "tsv", "txt", "jsonl", "json"],
        max_upload_size=LARGEST_FILE_MB,
        key=f"evaluate_upload_{revision('evaluate_upload')}",
    )
    if file is None:
        return
    content = file.getvalue()
    key = hashlib.sha256(content).hexdigest()
    if st.session_state.get("evaluate_adopted") == (file.file_id, key):
        return
    st.session_state["evaluate_adopted"] = (file.file_id, key)
    _adopt(file.name, content)
    st.rerun()


def _adopt(name: str, content: bytes) -> None:
    """A small file goes into the address, so that a link carries it; a large one stays with the server."""
    write_text(MAPPING, None)
    text = _utf8(content)
    if text and len(text) <= TABLE.limit and len(pack(text)) <= IN_ADDRESS:
        forget_upload(TABLE_UPLOAD)
        replace_text(TABLE, text.replace("\r\n", "\n"))
        return
    keep_upload(TABLE_UPLOAD, name, content)


def choose_columns(table: TextTable, roles: Sequence[Role]) -> dict[str, str]:
    """Which column is what: recognised by its heading, and changed on the page."""
    headings = list(table.columns)
    chosen: dict[str, str] = {}
    mapping = _read_mapping()
    with st.expander(
        _("Which column is what"), icon=":material/view_column:", expanded=_misses(roles, headings, mapping)
    ):
        for role, cell in zip(roles, _cells(len(roles)), strict=True):
            column = _choose_column(role, headings, mapping, cell)
            if column:
                chosen[role.word] = column
    missing = [role.title for role in roles if not role.optional and role.word not in chosen]
    if missing:
        raise UserError("Say above which column is: {roles}.", roles=", ".join(missing))
    return chosen


def _cells(count: int) -> list[st.delta_generator.DeltaGenerator]:
    rows = -(-count // 2)
    return [cell for _ in range(rows) for cell in st.columns(2)][:count]


def recognised_column(role: Role, headings: Sequence[str]) -> str:
    """The first heading that is called as the role's names are; empty where there is none."""
    known = {heading.strip().lower(): heading for heading in headings}
    return next((known[name] for name in role.names if name in known), "")


def _misses(roles: Sequence[Role], headings: Sequence[str], mapping: Mapping[str, str]) -> bool:
    return any(
        not role.optional and not (mapping.get(role.word) or recognised_column(role, headings)) for role in roles
    )


def _choose_column(
    role: Role, headings: Sequence[str], mapping: Mapping[str, str], cell: st.delta_generator.DeltaGenerator
) -> str:
    recognised = recognised_column(role, headings)
    current = mapping.get(role.word, recognised)
    options = ["", *headings]
    key = f"column_{role.word}_{revision(MAPPING)}_{hash(tuple(headings))}"

    def adopt() -> None:
        _write_mapping({**_read_mapping(), role.word: str(st.session_state[key] or "")})

    picked = cell.selectbox(
        role.title,
        options,
        index=options.index(current) if current in options else 0,
        format_func=lambda heading: heading or "–",
        key=key,
        on_change=adopt,
    )
    return picked or ""


def _read_mapping() -> dict[str, str]:
    value = read_json_text(MAPPING)
    if not isinstance(value, dict):
        return {}
    return {str(role): str(heading) for role, heading in value.items() if isinstance(heading, str)}


def _write_mapping(mapping: Mapping[str, str]) -> None:
    write_text(MAPPING, json.dumps(dict(mapping), ensure_ascii=False) if mapping else None)


def adopt_table(text: str) -> None:
    """Show another pasted table from the next run on: an example."""
    forget_upload(TABLE_UPLOAD)
    write_text(MAPPING, None)
    replace_text(TABLE, text)


def shown_table(default: str) -> str:
    """The pasted table; empty where a file is shown instead."""
    return "" if kept_upload(TABLE_UPLOAD) else read_text(TABLE, default)


def say(error: UserError) -> None:
    """A request that the page cannot carry out, where the person looks."""
    st.info(error_sentence(error), icon=":material/info:")
