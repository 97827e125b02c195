"""Whose points are looked at: a sweep that is shipped, one of this machine's own sweeps, or a table."""

import datetime
from pathlib import Path

import streamlit as st

from playground.errors import UserError
from playground.models import runs_folder
from playground.scaling.points_csv import header_of, read_points
from playground.sweeps.results import read_points_file
from playground.text import _
from playground.training.run.paths import is_run_id
from ui import state
from ui.sections.scaling.study import SHIPPED, Study, study_of_sweep, study_of_table
from ui.widgets.model import is_hosted

TABLE = "table"
SWEEP_FILE = "sweep.json"


def choose_source() -> str:
    """Which points; the word of the address is a shipped sweep's name, a sweep's id, or the table."""
    titles = source_titles()
    words = list(titles)
    # A link to a table alone means the table, whatever sweeps this machine has.
    first = TABLE if state.is_in_address() else words[0]
    wanted = state.read_word(state.SOURCE, [first, *words])
    word: str = st.selectbox(
        _("Points"),
        words,
        index=words.index(wanted),
        format_func=titles.__getitem__,
        key=f"source_{state.source_revision()}",
    )
    # Always in the address: which source comes first differs from machine to machine and from day to day.
    state.write_word(state.SOURCE, word, "")
    return word


def source_titles() -> dict[str, str]:
    """Every source by its word; what is shipped comes first, then this machine's sweeps, the newest first."""
    shipped = {folder.name: _("Shipped sweep: {name}").format(name=folder.name) for folder in shipped_sweeps()}
    own = {folder.name: _("Sweep of {when}").format(when=_when(folder)) for folder in own_sweeps()}
    return {**shipped, **own, TABLE: _("Your own table")}


def shipped_sweeps() -> list[Path]:
    """The folders of sweeps that came with the app."""
    return sorted(path.parent for path in SHIPPED.glob("*/points.csv"))


def own_sweeps() -> list[Path]:
    """Sweeps among this machine's runs that have finished cells; on a shared server those of the address."""
    root = runs_folder()
    if is_hosted():
        found = [root / name for name in state.known_sweeps() if is_run_id(name)]
    else:
        found = [path.parent for path in root.glob(f"*/{SWEEP_FILE}")]
    found = [folder for folder in found if (folder / SWEEP_FILE).is_file() and read_points_file(folder)]
    return sorted(found, key=lambda folder: (folder / SWEEP_FILE).stat().st_mtime, reverse=True)


def _when(folder: Path) -> str:
    begun = datetime.datetime.fromtimestamp((folder / SWEEP_FILE).stat().st_mtime).astimezone()
    return begun.strftime("%Y-%m-%d %H:%M")


def find_study(word: str) -> Study | None:
    """The points of a source; None, with a sentence where it cannot be read, and none where there is no table yet."""
    try:
        if word == TABLE:
            text = state.read_points_text()
            return study_of_table(text, state.read_columns()) if text.strip() else None
        shipped = word in [folder.name for folder in shipped_sweeps()]
        folder = (SHIPPED if shipped else runs_folder()) / word
        origin = _("the shipped sweep {name} (assets/sweeps/{name}/card.md)") if shipped else _("the sweep {name}")
        return study_of_sweep(
            folder, title=source_titles()[word], origin=origin.format(name=word[:12]), opens=not shipped
        )
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def choose_counting(study: Study) -> Study:
    """Parameters with or without embeddings and head, where the sweep says both; of a table why there is no choice."""
    if study.without_embeddings is None:
        st.caption(
            _(
                "Parameters N count as in your table: how many of them are embeddings, a table does not say. "
                "Put in the counts that you want to compare, one table each."
            )
        )
        return study
    words = {"all": _("all"), "without": _("without embeddings and head")}
    known = list(words)
    chosen: str = st.radio(
        _("Parameters N"),
        known,
        index=known.index(state.read_word(state.COUNT, known)),
        format_func=words.__getitem__,
        key="choose_count",
    )
    state.write_word(state.COUNT, chosen, "all")
    return study.counted_without_embeddings() if chosen == "without" else study


EXAMPLE = "params,tokens,loss\n1e6,2e7,4.31\n4e6,8e7,3.62\n"
MAPPED = ("params", "tokens", "flops", "loss", "name")
LARGEST_UPLOAD_MB = 5


def show_table(study: Study | None) -> None:
    """Bring a table, then what is in the one that is looked at."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Bring your own"), anchor=False)
        _bring()
    with right:
        st.subheader(_("What is looked at"), anchor=False)
        if study is None and is_unread():
            st.info(_("Your table cannot be read yet: say on the left which column is what."), icon=":material/info:")
        elif study is None:
            st.info(_("Nothing yet: paste or upload a table, or run a small sweep under Live."), icon=":material/info:")
        else:
            show_points(study)


def is_unread() -> bool:
    """Whether a person's table is looked at; where there are no points then, its columns are not found."""
    return bool(state.read_points_text().strip()) and is_looked_at()


def is_looked_at() -> bool:
    """Whether the address is of the person's table."""
    return state.read_word(state.SOURCE, ["", TABLE]) == TABLE


def _bring() -> None:
    st.caption(
        _(
            "One row for each run, with a header: parameters, tokens or FLOPs, and the loss in nats. "
            "Plain numbers such as 1.2e9; commas, semicolons or tabs between them."
        )
    )
    with st.form("own_table", border=False):
        text = st.text_area(
            _("Table"),
            value=state.read_points_text(),
            placeholder=EXAMPLE,
            height=180,
            max_chars=state.POINTS_LENGTH,
            key=f"table_{state.source_revision()}",
        )
        sent = st.form_submit_button(_("Use this table"), type="primary", icon=":material/check:")
    if sent:
        _adopt(text or "", {})
    file = st.file_uploader(
        _("Or a file (CSV)"),
        type=["csv", "tsv", "txt"],
        max_upload_size=LARGEST_UPLOAD_MB,
        key=f"upload_{state.source_revision()}",
    )
    if file is not None:
        _take_file(file.getvalue())
    _map_columns()


def _take_file(content: bytes) -> None:
    """Adopt an uploaded table, or say why it is none."""
    try:
        text = text_of(content)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    _adopt(text, {})


def text_of(content: bytes) -> str:
    """The text of an uploaded file. Raises UserError where it is no text."""
    for encoding in ("utf-16", "utf-8-sig", "cp1252"):
        if encoding == "utf-16" and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UserError(_("The file is not text. Save the table as CSV in UTF-8."))


def _adopt(text: str, columns: dict[str, str]) -> None:
    state.write_points_text(text)
    state.write_columns(columns)
    state.adopt_source(TABLE)
    st.rerun()


def _map_columns() -> None:
    """Which of the table's columns is what; shown once there is a table with a header."""
    text = state.read_points_text()
    if not text.strip():
        return
    if not state.is_in_address():
        st.caption(_("This table is too long for the address: it stays in this session, and a link does not carry it."))
    try:
        header = header_of(text)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return
    mapping = {name: column for name, column in state.read_columns().items() if name in MAPPED and column in header}
    found = _found(text, mapping)
    titles = {
        "params": _("parameters"),
        "tokens": _("tokens"),
        "flops": _("FLOPs"),
        "loss": _("loss"),
        "name": _("name"),
    }
    st.caption(_("Which column is what"))
    chosen: dict[str, str] = {}
    columns = [*st.columns(3), *st.columns(3)]
    for place, column in zip(MAPPED, columns, strict=False):
        options = ["", *dict.fromkeys(header)]
        now = mapping.get(place) or found.get(place, "")
        with column:
            picked = st.selectbox(
                titles[place],
                options,
                index=options.index(now) if now in options else 0,
                format_func=lambda name: name or "–",
                key=f"map_{place}_{state.source_revision()}",
            )
        if picked and (place in mapping or picked != found.get(place)):
            chosen[place] = picked
    if chosen != mapping:
        state.write_columns(chosen)
        if not is_looked_at():
            state.adopt_source(TABLE)
        st.rerun()


def _found(text: str, mapping: dict[str, str]) -> dict[str, str]:
    """What is taken for what; what the person said where the table cannot be read yet."""
    try:
        return read_points(text, mapping).columns
    except UserError:
        return mapping


def show_points(study: Study) -> None:
    """Counts, what looks wrong, what was kept out and why, and every point."""
    points = study.points
    st.write(f"**{study.title}**")
    sentence = _(
        "{count} runs, {sizes} sizes from {least:.3g} to {most:.3g} parameters, losses {low:.3f} to {high:.3f}."
    )
    st.write(
        sentence.format(
            count=len(points),
            sizes=len(set(points.params.tolist())),
            least=points.params.min(),
            most=points.params.max(),
            low=points.loss.min(),
            high=points.loss.max(),
        )
    )
    for warning in study.warnings:
        st.warning(warning, icon=":material/straighten:")
    if study.bad:
        st.warning(
            _("{count} rows were kept out. Everything on this page is computed without them.").format(
                count=len(study.bad)
            ),
            icon=":material/rule:",
        )
        rows = [{_("Row"): one.row, _("Why it was kept out"): one.reason} for one in study.bad]
        st.dataframe(rows, hide_index=True, key="bad_rows")
    show_runs(study)
    st.download_button(
        _("These points (.csv)"),
        study.csv(),
        file_name="points.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="points_csv",
    )


def show_runs(study: Study) -> None:
    """Every run as a row; where its folder is here, a link opens it."""
    points = study.points
    columns = (points.params, points.tokens, points.flops, points.loss)
    rows = [
        {
            _("Run"): name,
            _("Parameters"): f"{params:,.0f}",
            _("Tokens"): f"{tokens:,.0f}",
            _("FLOPs"): f"{flops:.3g}",
            _("Loss"): round(loss, 4),
            **({_("Open"): link} if link else {}),
        }
        for name, link, params, tokens, flops, loss in zip(
            study.names, study.links, *(column.tolist() for column in columns), strict=True
        )
    ]
    open_link = st.column_config.LinkColumn(display_text=_("open in Train"))
    st.dataframe(rows, hide_index=True, key="run_rows", column_config={_("Open"): open_link})
