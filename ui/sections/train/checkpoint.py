"""A checkpoint of a run as a model: doors to the pages that look at one, and its fork."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import streamlit as st

from playground.folders import CHECKPOINTS, step_name
from playground.text import _
from playground.training.run.paths import FILM, read_json
from playground.training.run.runs import Run
from ui.shell import page_titles
from ui.state.address import pack, read_value
from ui.state.parameters import MODEL, PAIR, TARGET, TEXT
from ui.state.training import ask_fork
from ui.widgets.doors import ABLATE, ATTENTION, GENERATE, INSIDE, TOKENS, doors

KEPT_TEXTS = 64


def show_checkpoint_doors(run: Run, step: int, head: Mapping[str, str] | None = None) -> None:
    """The model after a step on every page that looks at one, and its fork; head: the head to look at there."""
    parameters = {str(MODEL): f"run/{run.id}/{step}", **probe_parameters(run, step), **(head or {})}
    titles = page_titles()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("Checkpoint at step {step}:").format(step=f"{step:,}"), width="content")
        doors({titles[page]: (page, parameters) for page in (ATTENTION, INSIDE, TOKENS, GENERATE, ABLATE)})
        label = _("Fork from step {step}…").format(step=f"{step:,}")
        st.button(
            label, key="fork_run", icon=":material/fork_right:", type="tertiary", on_click=ask_fork, args=(run.id, step)
        )


def probe_parameters(run: Run, step: int) -> dict[str, str]:
    """The text of the film, which is in the model's vocabulary; a pair and a target of another model do not travel."""
    text = _probe_text(run.folder, run.folder / CHECKPOINTS / step_name(step) / "tokenizer.json", run.created)
    stale = {str(name): "" for name in (PAIR, TARGET) if read_value(name)}
    return {**stale, str(TEXT): pack(text)} if text else stale


@lru_cache(KEPT_TEXTS)
def _probe_text(folder: Path, tokenizer: Path, _created: float) -> str:
    """The filmed text without special tokens; empty where it cannot be read."""
    from tokenizers import Tokenizer

    ids = read_json(folder / FILM / "probe.json").get("ids", [])
    try:
        return str(Tokenizer.from_file(str(tokenizer)).decode(ids, skip_special_tokens=True))
    except Exception:  # tokenizers raises plain Exception for a damaged file, TypeError for what are no ids
        return ""
