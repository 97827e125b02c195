"""What a model learns from: built in, typed, or a file whose columns are mapped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from playground.charts.layout import mark_spaces
from playground.decoding import decode_upload
from playground.errors import UserError
from playground.folders import cache_root
from playground.tasks.finetune.corpora import ARCHIVES, found_corpora
from playground.tasks.finetune.labels import LabelsConfig, source_report
from playground.tasks.finetune.pairs import PairsConfig
from playground.tasks.finetune.passages import PassagesConfig
from playground.tasks.finetune.prompts import PromptsConfig
from playground.tasks.finetune.registry import FinetuneTaskConfig, finetune_kind_of
from playground.tasks.finetune.tables import TableView, keep_table, look_at_table
from playground.tasks.sources import stamp_of
from playground.text import _
from ui.cache import results
from ui.sections.finetune.labels import data_titles
from ui.sections.generate.rows import shortened
from ui.state.link import leave_out
from ui.text import inert
from ui.widgets.upload import upload

LONGEST_TYPED = 20_000
LARGEST_FILE_MB = 50
SHOWN_LABELS = 12
COLUMNS: dict[str, tuple[str, str]] = {
    "labels.table": ("text_column", "label_column"),
    "prompts": ("prompt_column", "answer_column"),
    "pairs": ("source_column", "target_column"),
}
TABLES = {"labels.table": LabelsConfig, "prompts": PromptsConfig, "pairs": PairsConfig}
EXAMPLES = {
    "labels.table": "text,label\nWhat a fine day.,good\nThe soup was cold.,bad\nI liked every page.,good\n"
    "Nobody answered the phone.,bad\nThe room was bright and quiet.,good\nIt broke after a week.,bad\n",
    "prompts": "prompt,answer\nWhat is the capital of France?,Paris.\nWhat colour is the sky?,Blue.\n"
    "How many legs has a spider?,Eight.\nWhat do bees make?,Honey.\n",
    "pairs": "source,target\nenglish to french: Anna lives in the house.,Anna habite dans la maison.\n"
    "english to french: Tom goes to the river.,Tom va à la rivière.\n"
    "english to french: She has a red book.,Elle a un livre rouge.\n"
    "english to french: Where is Anna?,Où est Anna ?\n",
}


def data_key(config: FinetuneTaskConfig) -> tuple[object, ...]:
    """What identifies training data: a file may be written again under its name."""
    paths = [*getattr(config, "sources", ()), *map(str, found_corpora().values())]
    return (repr(config), *((path, stamp_of(path)) for path in paths))


def choose_data(kept: Mapping[str, Any], key: str) -> tuple[dict[str, Any], FinetuneTaskConfig]:
    """The kind of data with its details as they stand in the address, and the task. Raises UserError."""
    values = kept.get("data") if isinstance(kept.get("data"), dict) else {}
    assert isinstance(values, dict)
    titles = _offered()
    asked = str(values.get("kind") or "")
    shown = asked if asked in titles else next(iter(titles))
    kind: str = st.selectbox(
        _("Training data"),
        list(titles),
        index=list(titles).index(shown),
        key=f"{key}.data",
        format_func=titles.__getitem__,
        width=420,
    )
    if kind in TABLES:
        return _choose_table(kind, values, f"{key}.{kind}")
    if kind == "passages":
        return _choose_text(values, f"{key}.{kind}")
    source = kind.partition(".")[2]
    return {"kind": kind}, LabelsConfig(source=source)  # type: ignore[arg-type]


def _offered() -> dict[str, str]:
    """All kinds of data; those of archives only where the archive is on this machine."""
    found = found_corpora()
    return {
        kind: title
        for kind, title in data_titles().items()
        if kind.partition(".")[2] not in ARCHIVES or kind.partition(".")[2] in found
    }


def _choose_text(values: Mapping[str, Any], key: str) -> tuple[dict[str, Any], FinetuneTaskConfig]:
    content = _uploaded(_("Or a text file"), ["txt", "md"], key)
    default = str(values.get("text") or "")[:LONGEST_TYPED]
    text = st.text_area(_("Your text"), default, height=140, max_chars=LONGEST_TYPED, key=f"{key}.text") or ""
    if content is not None:
        leave_out(_("The link does not carry the uploaded text."))
        return {"kind": "passages"}, PassagesConfig(text=decode_upload(content))
    if not text.strip():
        raise UserError("Type or upload a text to learn from.")
    return {"kind": "passages", "text": text}, PassagesConfig(text=text)


def _choose_table(kind: str, values: Mapping[str, Any], key: str) -> tuple[dict[str, Any], FinetuneTaskConfig]:
    """A table that is typed or uploaded, and its two columns."""
    content = _uploaded(_("Or a file (CSV, TSV, JSON lines)"), ["csv", "tsv", "txt", "jsonl", "json"], key)
    kept_name = str(values.get("table") or "")
    path = keep_table(content) if content is not None else _kept_table(kept_name)
    given: dict[str, Any] = {}
    if path:
        leave_out(_("The link carries the uploaded table on this server alone."))
        given["sources"] = (path,)
        view = _look(Path(path).read_bytes(), path)
        st.caption(_("{n:,} rows of a file. A link carries it only on this server.").format(n=view.n_rows))
    else:
        default = str(values.get("text") or EXAMPLES[kind])[:LONGEST_TYPED]
        typed = st.text_area(_("Table with a header"), default, height=160, max_chars=LONGEST_TYPED, key=f"{key}.table")
        given["text"] = typed or ""
        view = _look(typed or "", typed or "")
    columns = _choose_columns(kind, view, values, key)
    for note in view.notes:
        st.warning(inert(str(note)), icon=":material/info:")
    with st.expander(_("First rows"), icon=":material/table_rows:"):
        shown = {name: [row[number] for row in view.preview] for number, name in enumerate(view.columns)}
        st.dataframe(shown, hide_index=True, key=f"{key}.preview")
    given |= {"source": "table"} if TABLES[kind] is LabelsConfig else {}
    config: FinetuneTaskConfig = TABLES[kind](**given, **columns)  # type: ignore[operator]
    if isinstance(config, LabelsConfig):
        _show_labels(config)
    else:
        _show_answers(config)
    saved = {"kind": kind, **columns}
    saved |= {"table": Path(path).name} if path else {"text": given["text"]}
    return saved, config


def _show_labels(config: LabelsConfig) -> None:
    """How many texts each label has, and what was left out. Raises UserError for a table that cannot be learned."""
    report = results().remember(("labels of a table", *data_key(config)), lambda: source_report(config))
    named = [
        f"{inert(shortened(mark_spaces(label)))} {count:,}"
        for label, count in list(report.counts.items())[:SHOWN_LABELS]
    ]
    counted = ", ".join([*named, *(["…"] if len(report.counts) > SHOWN_LABELS else [])])
    sentence = _(
        "{train:,} texts to train on ({counted}), {held_out:,} held out. Whoever always answers the most frequent "
        "label is right in {most:.0%} of these."
    )
    values = {"train": report.n_train, "held_out": report.n_held_out, "most": report.majority}
    st.caption(sentence.format(counted=counted, **values))
    for note in report.notes:
        st.caption(inert(str(note)))


def _show_answers(config: FinetuneTaskConfig) -> None:
    """How many pairs there are, and what was left out. Raises UserError for a table that cannot be learned."""
    split = results().remember(("pairs of a table", *data_key(config)), lambda: finetune_kind_of(config).read(config))
    sentence = _("Pairs to train on: {train:,}. Held out: {held_out:,}.")
    st.caption(sentence.format(train=len(split.train), held_out=len(split.held_out)))
    for note in split.notes:
        st.caption(inert(str(note)))


def _choose_columns(kind: str, view: TableView, values: Mapping[str, Any], key: str) -> dict[str, str]:
    titles = {
        "text_column": _("Text"),
        "label_column": _("Label"),
        "prompt_column": _("Prompt"),
        "answer_column": _("Answer"),
        "source_column": _("Source"),
        "target_column": _("Target"),
    }
    guesses = dict(zip(COLUMNS[kind], (view.text_column, view.label_column), strict=True))
    chosen = {}
    with st.container(horizontal=True, gap="small"):
        for name in COLUMNS[kind]:
            asked = str(values.get(name) or "")
            shown = asked if asked in view.columns else guesses[name]
            picked = st.selectbox(
                titles[name],
                list(view.columns),
                index=list(view.columns).index(shown),
                key=f"{key}.{name}.{hash(view.columns)}",
                width=220,
            )
            chosen[name] = str(picked)
    return chosen


def _look(content: bytes | str, key: object) -> TableView:
    """The table's columns and first rows; read once."""
    view: TableView = results().remember(("table view", key), lambda: look_at_table(content))
    return view


def _kept_table(name: str) -> str:
    """The path of a table that was uploaded before; empty where it is gone, or is no name of one."""
    path = cache_root() / "tables" / name
    return str(path) if name.endswith(".table") and Path(name).name == name and path.is_file() else ""


def _uploaded(label: str, types: list[str], key: str) -> bytes | None:
    file = upload(label, type=types, max_upload_size=LARGEST_FILE_MB, key=f"{key}.file")
    return None if file is None else bytes(file.getvalue())
