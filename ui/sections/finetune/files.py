"""What a fine-tuning leaves: the adapter for peft, the merged model, and the pages that look at it."""

import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from playground.errors import UserError
from playground.text import _
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.result import before_and_after, export_adapter, export_for_hub, export_merged
from playground.training.run.folder import read_run_config
from ui.sections.finetune.subject import run_of_address
from ui.shell import page_titles
from ui.state.parameters import MODEL
from ui.widgets.doors import ABLATE, ATTENTION, EVALUATE, GENERATE, INSIDE, doors
from ui.widgets.model import is_own
from ui.widgets.retention import say_retention


def show_result() -> None:
    """Downloads and doors. Raises UserError without a run that has a checkpoint."""
    run = run_of_address()
    if run is None:
        raise UserError("Open a fine-tuning first, or start one.")
    before, after = before_and_after(run)
    config = read_run_config(run / "config.json")
    st.text(_("Model name, here and in Python: {name}").format(name=after))
    titles = page_titles()
    doors({titles[page]: (page, {str(MODEL): after}) for page in (ATTENTION, INSIDE, GENERATE, ABLATE, EVALUATE)})
    with st.container(horizontal=True, gap="small"):
        if isinstance(config, FinetuneConfig) and config.parts.method == "lora" and not config.from_scratch:
            _offer(_("Download ZIP: adapter for peft"), export_adapter, run, "adapter")
        _offer(_("Download ZIP: merged model"), export_merged, run, "merged")
        if is_own(before):
            _offer(_("Download ZIP: for transformers"), export_for_hub, run, "transformers")
    say_retention()
    st.caption(_("Each with a card: data by checksum, settings, measures. Base: {name}.").format(name=before))
    with st.expander(_("Settings"), icon=":material/data_object:"):
        st.json(config.to_dict(), expanded=2)  # type: ignore[attr-defined]


def _offer(label: str, export: Callable[[Path, Path], Path], run: Path, stem: str) -> None:
    st.download_button(
        label,
        partial(_zipped, export, run),
        file_name=f"{stem}-{run.name[:12]}.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        key=f"download_{stem}",
    )


def _zipped(export: Callable[[Path, Path], Path], run: Path) -> bytes:
    """The exported folder in one file, made when it is asked for."""
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        out = export(run, Path(folder) / "model")
        for path in sorted(out.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(out).as_posix())
    return content.getvalue()
