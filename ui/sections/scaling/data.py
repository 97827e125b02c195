"""The data: a shipped sweep, Hoffmann's runs, one of this machine's own sweeps, or an uploaded table."""

import datetime
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from playground.decoding import decode_upload
from playground.errors import UserError
from playground.folders import runs_folder
from playground.scaling.points_csv import header_of, read_points
from playground.sweeps.folder import SWEEP
from playground.sweeps.results import read_points_file
from playground.text import _
from playground.training.run.paths import is_run_id
from ui.sections.scaling.runs_table import show_points
from ui.sections.scaling.study import (
    HOFFMANN_RUNS,
    SHIPPED,
    ScalingStudy,
    study_of_hoffmann,
    study_of_sweep,
    study_of_table,
)
from ui.state.address import read_choice, write_choice
from ui.state.link import leave_out
from ui.state.parameters import COLUMNS, COUNT, POINTS, POINTS_UPLOAD, SOURCE
from ui.state.revisions import fresh_key, widget_key
from ui.state.scaling import (
    adopt_source,
    is_in_address,
    known_sweeps,
    read_columns,
    read_points_text,
    write_columns,
    write_points_text,
)
from ui.state.uploads import say_if_gone
from ui.text import error_sentence
from ui.widgets.model import is_hosted
from ui.widgets.upload import upload

TABLE = "table"


def choose_source(titles: Mapping[str, str]) -> str:
    """The data set; in the address the name of a shipped sweep, the id of an own one, or `table`."""
    sources = list(titles)
    # A link to a table alone means the table, whatever sweeps this machine has; published runs are chosen.
    default = TABLE if is_in_address() else next(name for name in sources if name != HOFFMANN_RUNS)
    wanted = read_choice(SOURCE, [default, *sources])
    source: str = st.selectbox(
        _("Data"),
        sources,
        index=sources.index(wanted),
        format_func=titles.__getitem__,
        key=widget_key(SOURCE, "source_of_points"),
    )
    # Always in the address: which source comes first differs from machine to machine and from day to day.
    write_choice(SOURCE, source, "")
    return source


def choose_source_on_telephones(titles: Mapping[str, str], source: str) -> None:
    """The same choice in the page, for screens on which the menu is closed. source: what the menu says."""
    key = fresh_key("source_on_telephones", source)
    st.selectbox(
        _("Data set"),
        titles,
        index=list(titles).index(source),
        format_func=titles.__getitem__,
        key=key,
        on_change=lambda: adopt_source(st.session_state[key]),
        help=_("Which parameters count is chosen in the menu at the top left."),
    )


def source_titles() -> dict[str, str]:
    """The title of every data set: shipped sweeps, published runs, this machine's, newest first, then the table."""
    shipped = {folder.name: _("Shipped sweep: {name}").format(name=folder.name) for folder in shipped_sweeps()}
    own = {folder.name: _("Sweep of {when}").format(when=started(folder)) for folder in own_sweeps()}
    published = {HOFFMANN_RUNS: _("Hoffmann's runs, as read off")}
    return {**shipped, **published, **own, TABLE: _("Your own table")}


def shipped_sweeps() -> list[Path]:
    """The folders of sweeps that came with the app."""
    return sorted(path.parent for path in SHIPPED.glob("*/points.csv"))


def first_study() -> ScalingStudy:
    """The data set of a visitor who has chosen none, without titles. Raises UserError where it has no run."""
    return study_of_sweep(shipped_sweeps()[0], title="", source="", opens=False)


def visible_sweeps() -> list[Path]:
    """The sweeps among this machine's runs, newest first; on a shared server those of the address."""
    root = runs_folder()
    if is_hosted():
        folders = [root / name for name in known_sweeps() if is_run_id(name)]
    else:
        folders = [path.parent for path in root.glob(f"*/{SWEEP}")]
    folders = [folder for folder in folders if (folder / SWEEP).is_file()]
    return sorted(folders, key=lambda folder: (folder / SWEEP).stat().st_mtime, reverse=True)


def own_sweeps() -> list[Path]:
    """Those of the visible sweeps that have finished cells."""
    return [folder for folder in visible_sweeps() if read_points_file(folder)]


def started(folder: Path) -> str:
    """When a sweep was started, to the minute."""
    moment = datetime.datetime.fromtimestamp((folder / SWEEP).stat().st_mtime).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M")


def find_study(source: str) -> ScalingStudy | None:
    """The data set of a source; None, with the reason where it cannot be read, and without where there is no table."""
    try:
        if source == TABLE:
            text = read_points_text()
            if not text:
                say_if_gone(POINTS_UPLOAD)
            if text and not is_in_address():
                leave_out(_("The link does not carry your table of runs: it is too long for an address."))
            return study_of_table(text, read_columns()) if text.strip() else None
        title = source_titles()[source]
        if source == HOFFMANN_RUNS:
            return study_of_hoffmann(title)
        if source in [folder.name for folder in shipped_sweeps()]:
            line = _("the shipped sweep {name} (assets/sweeps/{name}/card.md)").format(name=source)
            return study_of_sweep(SHIPPED / source, title=title, source=line, opens=False)
        line = _("the sweep {name}").format(name=source[:12])
        return study_of_sweep(runs_folder() / source, title=title, source=line, opens=True)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None


def choose_counting(study: ScalingStudy) -> ScalingStudy:
    """Count parameters with or without embeddings and head, where the sweep knows both; a table knows one count."""
    if study.without_embeddings is None:
        st.caption(
            _(
                "Parameters N count as in your table: how many of them are embeddings, a table does not say. "
                "Put in the counts that you want to compare, one table each."
            )
        )
        return study
    titles = {"all": _("All"), "without": _("Without embeddings and head")}
    known = list(titles)
    chosen: str = st.radio(
        _("Parameters N"),
        known,
        index=known.index(read_choice(COUNT, known)),
        format_func=titles.__getitem__,
        key=widget_key(COUNT, "choose_count"),
    )
    write_choice(COUNT, chosen, "all")
    return study.counted_without_embeddings() if chosen == "without" else study


EXAMPLE = "params,tokens,loss\n1e6,2e7,4.31\n4e6,8e7,3.62\n"
MAPPED = ("params", "tokens", "flops", "loss", "name")
LARGEST_UPLOAD_MB = 5


def show_data_section(study: ScalingStudy | None) -> None:
    """Upload a table, beside what is in the current data set."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Your own table"), anchor=False)
        _upload()
    with right:
        st.subheader(_("Current data set"), anchor=False)
        if study is None and is_unread():
            st.info(_("Your table cannot be read yet: say on the left which column is what."), icon=":material/info:")
        elif study is None:
            st.info(_("Nothing yet: paste or upload a table, or start a small sweep."), icon=":material/info:")
        else:
            show_points(study)


def is_unread() -> bool:
    """Whether the current data set is a table; where it has no points, its columns are not mapped yet."""
    return bool(read_points_text().strip()) and is_table_chosen()


def is_table_chosen() -> bool:
    """Whether the address is of the uploaded table."""
    return read_choice(SOURCE, ["", TABLE]) == TABLE


def _upload() -> None:
    st.caption(
        _(
            "One row for each run, with a header: parameters, tokens or compute (FLOP), and the loss in nats. "
            "Plain numbers such as 1.2e9; commas, semicolons or tabs between them."
        )
    )
    with st.form("own_table", border=False):
        text = st.text_area(
            _("Table"),
            value=read_points_text(),
            placeholder=EXAMPLE,
            height=180,
            max_chars=max(POINTS.limit, len(read_points_text())),
            key=widget_key(POINTS, widget_key(SOURCE, "table")),
        )
        is_sent = st.form_submit_button(_("Use this table"), type="primary", icon=":material/check:")
    if is_sent:
        _adopt(text or "")
    file = upload(
        _("Or a file (CSV)"),
        type=["csv", "tsv", "txt"],
        max_upload_size=LARGEST_UPLOAD_MB,
        key=widget_key(SOURCE, "upload"),
    )
    if file is not None:
        try:
            text = decode_upload(file.getvalue())
        except UserError as error:
            st.error(error_sentence(error), icon=":material/error:")
        else:
            _adopt(text)
    _map_columns()


def _adopt(text: str) -> None:
    write_points_text(text)
    write_columns({})
    adopt_source(TABLE)
    st.rerun()


def column_titles() -> dict[str, str]:
    """What may be mapped."""
    return {
        "params": _("parameters"),
        "tokens": _("tokens"),
        "flops": _("compute (FLOP)"),
        "loss": _("loss"),
        "name": _("name"),
    }


def _map_columns() -> None:
    """Which heading of the table is which column; shown once there is a table with a header."""
    text = read_points_text()
    if not text.strip():
        return
    if not is_in_address():
        st.caption(_("This table is too long for the address: it stays in this session, and a link does not carry it."))
    try:
        header = header_of(text)
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return
    mapping = {name: heading for name, heading in read_columns().items() if name in MAPPED and heading in header}
    recognised = _recognised(text, mapping)
    st.caption(_("Which column is what"))
    chosen: dict[str, str] = {}
    for (name, title), cell in zip(column_titles().items(), [*st.columns(3), *st.columns(3)], strict=False):
        options = ["", *dict.fromkeys(header)]
        current = mapping.get(name) or recognised.get(name, "")
        picked = cell.selectbox(
            title,
            options,
            index=options.index(current) if current in options else 0,
            format_func=lambda heading: heading or "–",
            key=widget_key(COLUMNS, widget_key(SOURCE, f"map_{name}")),
        )
        if picked and (name in mapping or picked != recognised.get(name)):
            chosen[name] = picked
    if chosen != mapping:
        write_columns(chosen)
        if not is_table_chosen():
            adopt_source(TABLE)
        st.rerun()


def _recognised(text: str, mapping: dict[str, str]) -> dict[str, str]:
    """The heading taken for each column; the person's own mapping while the table cannot be read."""
    try:
        return read_points(text, mapping).columns
    except UserError:
        return mapping
