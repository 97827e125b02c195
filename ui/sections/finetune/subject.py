"""Which model before, and which after: a run's, the shipped example's, or two that are named."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from playground.errors import UserError
from playground.finetuning.model_pair import ModelPair
from playground.jobs.executor import default_executor
from playground.text import _
from playground.training.finetune.example import shipped_example
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.result import before_and_after
from playground.training.run.folder import read_run_config
from ui.cache import BoundedCache, results_of
from ui.jobs import refuse
from ui.sections.train.run import say_gone
from ui.state.address import read_text
from ui.state.attention import model_key
from ui.state.parameters import BASE_MODEL, TUNED_MODEL
from ui.state.trained import listed_models
from ui.state.training import read_run_id
from ui.text import inert
from ui.widgets.context_bar import ContextBar
from ui.widgets.mirror import mirrored
from ui.widgets.model import ModelChoice, obtain_model

NAME_LENGTH = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class FinetuneSubject:
    """Two models, and the run that made the second of the first."""

    pair: ModelPair
    run: Path | None
    """Its folder; None for two models that were named."""
    config: FinetuneConfig | None
    title: str
    bar: ContextBar
    """Where the models are chosen, with room for a text."""

    @property
    def cache(self) -> BoundedCache:
        """Results about the model after; their keys name the model before."""
        return results_of(self.pair.after)

    def key(self, *parts: object) -> tuple[object, ...]:
        """A result's key."""
        return ("fine-tuning", *parts, model_key(self.pair.before))

    @property
    def details(self) -> dict[str, object]:
        """What stands in every file."""
        return {"before": self.pair.before.name, "after": self.pair.after.name}

    @property
    def snippet(self) -> tuple[list[str], list[str]]:
        """Imports, and the lines that make the pair."""
        imports = ["playground import load", "playground.finetuning.model_pair import ModelPair"]
        names = self.pair.before.name, self.pair.after.name
        return imports, [f"pair = ModelPair(before=load({names[0]!r}), after=load({names[1]!r}))"]


def run_of_address() -> Path | None:
    """The folder of the run in the address, else of the example. Raises UserError for a run that is gone."""
    run_id = read_run_id()
    if run_id is not None:
        return default_executor().read(run_id).folder
    try:
        return shipped_example().run
    except (UserError, OSError):
        return None


def run_in_python(run: Path) -> tuple[list[str], str]:
    """Imports, and the expression of a run's folder: by its id, never by where it lies here."""
    if run.parent == default_executor().root:
        imports = ["playground.folders import runs_folder", "playground.training.run.runs import run_path"]
        return imports, f"run_path(runs_folder(), {run.name!r})"
    return ["playground.training.finetune.example import shipped_example"], "shipped_example().run"


def obtain_finetuned(bar: ContextBar) -> FinetuneSubject:
    """The two models of the bar, loaded; ends the page's run with a sentence where there is no pair."""
    try:
        run = run_of_address()
        before, after = before_and_after(run) if run is not None else ("", "")
    except UserError as error:
        say_gone(error)
        st.stop()
    with bar.model:
        chosen = _choose_names(before, after)
    if not all(chosen):
        refuse(UserError("Choose a model and what was fine-tuned from it, or fine-tune one first."))
    is_of_run = run is not None and chosen == (before, after)
    config = _config_of(run) if is_of_run and run is not None else None
    models = [obtain_model(ModelChoice(name=name)) for name in chosen]
    try:
        pair = ModelPair(before=models[0], after=models[1])
    except UserError as error:
        refuse(error)
    title = _title(run, is_of_run)
    return FinetuneSubject(pair=pair, run=run if is_of_run else None, config=config, title=title, bar=bar)


def _config_of(run: Path) -> FinetuneConfig | None:
    try:
        config = read_run_config(run / "config.json")
    except UserError:
        return None
    return config if isinstance(config, FinetuneConfig) else None


def _title(run: Path | None, is_of_run: bool) -> str:
    if run is None or not is_of_run:
        return _("Two models")
    run_id = read_run_id()
    return _("The shipped example") if run_id is None else default_executor().read(run_id).name


def _choose_names(before: str, after: str) -> tuple[str, str]:
    """Both names, as the address says; by default the run's."""
    label = _("{before} → {after}").format(
        before=inert(read_text(BASE_MODEL, before)), after=inert(_short(read_text(TUNED_MODEL, after)))
    )
    with st.popover(label, icon=":material/difference:", help=_("Before → after")):
        st.caption(_("Any two models of one architecture and vocabulary can be compared."))
        chosen = tuple(
            _choose_name(title, parameter, default)
            for title, parameter, default in (
                (_("Before"), BASE_MODEL, before),
                (_("After"), TUNED_MODEL, after),
            )
        )
    return chosen[0], chosen[1]


def _choose_name(title: str, parameter: "object", default: str) -> str:
    shown = read_text(parameter, default)  # type: ignore[arg-type]
    titles = listed_models(shown, first=[default] if default else [])
    name: str | None = st.selectbox(
        title,
        list(titles),
        index=list(titles).index(shown),
        format_func=lambda name: inert(titles.get(name or "", name or "")) or "–",
        accept_new_options=True,
        **mirrored(parameter, shown, default),  # type: ignore[arg-type]
    )
    return (name or default).strip()[:NAME_LENGTH]


def _short(name: str) -> str:
    """A folder's or run's name without where it lies."""
    parts = name.rstrip("/").split("/")
    return "/".join(parts[-3:]) if len(parts) > 3 else name
