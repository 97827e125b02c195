"""Several runs from one click: accuracy over the number of labels, and over LoRA's rank."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from playground.charts.finetune import label_curve_figure, rank_sweep_figure
from playground.errors import UserError
from playground.finetuning.findings import describe_label_curve, describe_ranks
from playground.finetuning.label_curve import label_counts, label_means
from playground.finetuning.series_results import label_points, rank_points, text_baselines
from playground.models import default_registry
from playground.models.cache import folder_stamp
from playground.tasks.finetune.labels import LabelsConfig
from playground.tasks.finetune.rows import ROWS, read_split
from playground.tasks.sources import stamp_of
from playground.text import _
from playground.training.finetune.finetune_config import FinetuneConfig
from playground.training.finetune.result import before_and_after
from playground.training.finetune.sweeps import (
    RANKS,
    SweepCell,
    label_configs,
    rank_configs,
)
from playground.training.run.folder import read_run_config
from ui.cache import results
from ui.jobs import compute
from ui.sections.finetune.labels import describe_config
from ui.sections.finetune.series_runs import follow_series, offer_start
from ui.sections.finetune.subject import run_in_python, run_of_address
from ui.state.address import read_number, read_several, write_number, write_several
from ui.state.parameters import LABEL_RUNS, LABEL_SEEDS, LABELS_CHOSEN, RANK_RUNS, RANKS_CHOSEN, Several
from ui.state.revisions import widget_key
from ui.text import inert
from ui.widgets.chart import draw
from ui.widgets.download import offer_snippet
from ui.widgets.findings import show_findings

HEIGHT = 380
LABELS_SHOWN = (50, 200)


def show_label_curve() -> None:
    """Pre-trained and from scratch over the number of labels."""
    config = _config_of_address()
    if not isinstance(config.task, LabelsConfig):
        raise UserError("Labels are counted where texts are classified; choose such a task.")
    st.caption(f"{inert(config.base)} · {describe_config(config)}")
    st.caption(
        _(
            "The same fine-tuning on fewer labelled texts, once from the pre-trained weights and once from random "
            "ones. What lies between the curves is what pre-training saves: transfer learning."
        )
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        run = run_of_address()
        total = len(read_split(run).train) if run is not None else LABELS_SHOWN[-1]
        known = label_counts(total)
        chosen = _choose_counts(LABELS_CHOSEN, _("Labels"), known, [k for k in known if k in (*LABELS_SHOWN, total)])
        seeds = int(
            st.number_input(
                _("Seeds"), 1, LABEL_SEEDS.most, max(1, read_number(LABEL_SEEDS)), key="label_seeds", width=120
            )
        )
        write_number(LABEL_SEEDS, seeds)
    if not chosen:
        raise UserError("Choose at least one number of labels.")
    configs = label_configs(config, sorted(chosen), range(seeds))
    offer_start(configs, LABEL_RUNS, [_label_name(one) for one in configs])
    follow_series(LABEL_RUNS, _draw_labels)


def show_rank_sweep() -> None:
    """Score and drift over the rank."""
    config = _config_of_address()
    if config.parts.method != "lora":
        raise UserError("Ranks are those of LoRA; open a run that trained LoRA.")
    st.caption(f"{inert(config.base)} · {describe_config(config)}")
    st.caption(
        _("The same fine-tuning with LoRA of several ranks: how large does the change of each matrix have to be?")
    )
    ranks = _choose_counts(RANKS_CHOSEN, _("Ranks"), RANKS, RANKS)
    if not ranks:
        raise UserError("Choose at least one rank.")
    configs = rank_configs(config, ranks)
    offer_start(configs, RANK_RUNS, [_("rank {rank}").format(rank=one.parts.rank) for one in configs])
    follow_series(RANK_RUNS, _draw_ranks)


def _choose_counts(parameter: Several, label: str, known: Sequence[int], default: Sequence[int]) -> list[int]:
    """Some of the numbers; they stand in the address."""
    names, first = list(map(str, known)), list(map(str, default))
    key = widget_key(parameter, f"choose_{parameter}")
    chosen = st.multiselect(label, names, default=read_several(parameter, names, first), key=key, width=420)
    write_several(parameter, chosen, names, first)
    return list(map(int, chosen))


def _config_of_address() -> FinetuneConfig:
    run = run_of_address()
    if run is None:
        raise UserError("Open a fine-tuning first, or start one.")
    config = read_run_config(run / "config.json")
    if not isinstance(config, FinetuneConfig):
        raise UserError("This run is no fine-tuning: it began with random weights.")
    return config


def _label_name(config: FinetuneConfig) -> str:
    start = _("scratch") if config.from_scratch else _("pre-trained")
    assert isinstance(config.task, LabelsConfig)
    return _("{labels} labels, {start}").format(labels=config.task.labels, start=start)


def _draw_labels(folders: Sequence[Path], cells: Sequence[SweepCell]) -> None:
    points = label_points(folders)
    for labels in sorted({point.labels for point in points}):
        show_findings(describe_label_curve(points, labels))
    rows = [folder / ROWS for folder in folders]
    beside = compute(
        ("label baselines", *((str(path), stamp_of(str(path))) for path in rows)),
        lambda on_progress: text_baselines(folders, on_progress),
        title=_("Counting words:"),
        cache=results(),
    )
    if beside is None:
        return
    draw(
        None,
        label_curve_figure(label_means(points), floor=beside.majority, tfidf=beside.tfidf),
        key="label_curve",
        label=_("Held-out accuracy over the number of labels"),
        details={"base": cells[0].config.base, "runs": len(cells)},
        height=HEIGHT,
        revision=str(len(points)),
    )
    st.caption(_("One seed: Wilson's 95% interval over the held-out texts. Several: Student's t over the seeds."))
    counts, seeds = sorted({point.labels for point in points}), sorted({point.seed for point in points})
    lines = [
        "for mean in label_means(label_points(folders)):",
        "    print(mean.start, mean.labels, mean.accuracy)",
        "print(text_baselines(folders))",
    ]
    imports = [
        "playground.finetuning.label_curve import label_means",
        "playground.finetuning.series_results import label_points, text_baselines",
    ]
    _offer_program(folders[0], f"label_configs(config, {counts}, {seeds})", imports, lines)


def ranks_key(folders: Sequence[Path], cells: Sequence[SweepCell]) -> tuple[object, ...]:
    """What was measured, and both models of each run as they are now."""
    models = [name for folder in folders for name in before_and_after(folder)]
    return ("rank sweep", repr(cells), *((name, folder_stamp(name)) for name in models))


def _draw_ranks(folders: Sequence[Path], cells: Sequence[SweepCell]) -> None:
    is_classifier = "accuracy" in cells[0].measures
    points = compute(
        ranks_key(folders, cells),
        lambda on_progress: rank_points(folders, on_progress, load=default_registry().get),
        title=_("Comparing weights:"),
        cache=results(),
    )
    if points is None:
        return
    show_findings(describe_ranks(points, higher_is_better=is_classifier))
    draw(
        None,
        rank_sweep_figure(points, score=_("held-out accuracy") if is_classifier else _("validation loss (nats)")),
        key="rank_sweep",
        label=_("Score and change of the weights over LoRA's rank"),
        details={"base": cells[0].config.base, "runs": len(points)},
        height=HEIGHT + 60,
        revision=str(len(points)),
    )
    lines = [
        "for point in rank_points(folders):",
        "    print(point.rank, point.trainable, point.score, point.drift, point.effective_rank)",
    ]
    imports = ["playground.finetuning.series_results import rank_points"]
    ranks = sorted(point.rank for point in points)
    _offer_program(folders[0], f"rank_configs(config, {ranks})", imports, lines)


def _offer_program(run: Path, configs: str, imports: Sequence[str], lines: Sequence[str]) -> None:
    """The same series, trained again: its settings are those of one of its runs."""
    found, folder = run_in_python(run)
    imports = [
        "pathlib import Path",
        *imports,
        *found,
        f"playground.training.finetune.sweeps import {configs.partition('(')[0]}",
        "playground.training.run.folder import read_run_config, run",
    ]
    start = [
        f'config = read_run_config({folder} / "config.json")',
        "folders = []",
        f"for number, one in enumerate({configs}):",
        '    folders.append(Path("series") / str(number))',
        "    for _step in run(one, folders[-1]):  # minutes; what has finished is not trained again",
        "        pass",
    ]
    offer_snippet(None, imports, [*start, *lines])
