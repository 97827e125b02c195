"""The configuration of a new sweep: design, corpus, sizes, budgets and seeds; and what it will cost."""

import hashlib
from typing import Any

import streamlit as st

from playground.decoding import decode_upload
from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.sweeps.costs import SweepCost, sweep_cost
from playground.sweeps.grid import Cell, SweepConfig, cells, shape_of
from playground.sweeps.sweep import ray_address
from playground.tasks.registry import task_kind_of
from playground.tasks.tales.tales_task import TalesConfig
from playground.tasks.task import TaskConfig
from playground.tasks.text import TextTaskConfig
from playground.tasks.vocabulary import VocabularyKind
from playground.text import _, _n
from playground.units import duration, prefixed
from ui.cache import scaling_results, throughput
from ui.sections.scaling.budget import choose_currency, currency
from ui.sections.train.labels import choice_label
from ui.state.address import (
    read_float,
    read_number,
    read_several,
    read_text,
    write_float,
    write_number,
    write_several,
    write_text,
)
from ui.state.parameters import (
    SWEEP_FLOPS,
    SWEEP_GRID,
    SWEEP_PRICE,
    SWEEP_SEEDS,
    SWEEP_SIZES,
    SWEEP_TASK,
    SWEEP_TEXT,
    SWEEP_TOKENS,
    SWEEP_UPLOAD,
    SWEEP_VOCABULARY,
    Several,
)
from ui.state.revisions import widget_key
from ui.text import error_sentence
from ui.widgets.choice import choose_option
from ui.widgets.upload import kept_file

SIZES = {
    f"{width}x{layers}": (width, layers) for width, layers in ((8, 1), (16, 1), (24, 2), (32, 2), (48, 3), (64, 4))
}
TOKENS = tuple(map(str, (30_000, 60_000, 120_000, 250_000, 500_000)))
FLOPS = ("1e10", "3e10", "1e11", "3e11", "1e12")
DEFAULT_SIZES = ("8x1", "16x1", "24x2", "32x2")
DEFAULT_TOKENS = ("60000", "120000", "250000")
DEFAULT_FLOPS = ("3e10", "1e11", "3e11")
DEFAULT_SEEDS, MOST_SEEDS = 1, 5
EVALUATIONS = 12
GRID, ISOFLOP = "grid", "isoflop"
TALES, OWN_TEXT = "tales", "text"
TEXT_LENGTH = 400_000
"""Of a person's text: it stands in the configuration of every run."""
VOCABULARY = 512


def choose_sweep() -> SweepConfig | None:
    """The configuration; None, with the reason, where the choices make no sweep."""
    left, right = st.columns(2)
    with left:
        design = choose_option(SWEEP_GRID, _("Design"), {GRID: _("Full grid"), ISOFLOP: _("IsoFLOP")})
    with right:
        corpus = choose_option(SWEEP_TASK, _("Corpus"), {TALES: _("Synthetic stories"), OWN_TEXT: _("Your text")})
    task = _own_text() if corpus == OWN_TEXT else TalesConfig()
    sizes = _pills(SWEEP_SIZES, _("Sizes (width x layers)"), tuple(SIZES), DEFAULT_SIZES)
    budgets = _choose_budgets(design)
    seeds = st.number_input(
        _("Seeds"),
        1,
        MOST_SEEDS,
        read_number(SWEEP_SEEDS),
        key=widget_key(SWEEP_SEEDS, "number_sweep_seeds"),
        width=220,
    )
    write_number(SWEEP_SEEDS, seeds)
    if task is None:
        return None
    if not sizes or not budgets:
        st.info(_("Choose at least one size and one budget."), icon=":material/info:")
        return None
    return _config(task, sizes, budgets, seeds)


def _config(task: TaskConfig, sizes: list[str], budgets: dict[str, Any], seeds: int) -> SweepConfig | None:
    try:
        return SweepConfig(
            task=task,
            sizes=tuple(SIZES[size] for size in sizes),
            seeds=tuple(range(seeds)),
            evaluations=EVALUATIONS,
            device="auto" if ray_address() else "cpu",
            **budgets,
        )
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None


def _pills(name: Several, title: str, choices: tuple[str, ...], default: tuple[str, ...]) -> list[str]:
    """Several of some choices, kept in the address."""
    chosen = st.pills(
        title,
        choices,
        selection_mode="multi",
        default=read_several(name, choices, default),
        key=widget_key(name),
        format_func=_budget_label,
    )
    write_several(name, chosen, choices, default)
    return list(chosen)


def _budget_label(choice: str) -> str:
    """A size as it is, a number of tokens with commas, compute with its prefix."""
    if choice.isdecimal():
        return f"{int(choice):,}"
    return prefixed(float(choice), "FLOP") if "e" in choice else choice


def _choose_budgets(design: str) -> dict[str, Any]:
    """The fields of the design: tokens, or the compute that each size is trained for; empty where none is chosen."""
    if design == GRID:
        tokens = _pills(SWEEP_TOKENS, _("Training tokens"), TOKENS, DEFAULT_TOKENS)
        return {"design": "grid", "tokens": tuple(sorted(map(int, tokens)))} if tokens else {}
    flops = _pills(SWEEP_FLOPS, _("Compute of each size (FLOP)"), FLOPS, DEFAULT_FLOPS)
    return {"design": "isoflop", "flops": tuple(sorted(map(float, flops)))} if flops else {}


def _own_text() -> TaskConfig | None:
    """A text that is typed in or a file, with its vocabulary; None, with the reason, where it is too short."""
    kinds: tuple[VocabularyKind, ...] = ("characters", "bpe")
    titles = {str(kind): choice_label(kind) for kind in kinds}
    chosen = choose_option(SWEEP_VOCABULARY, _("Vocabulary"), titles)
    typed = st.text_area(
        _("Your text"),
        value=read_text(SWEEP_TEXT),
        height=140,
        max_chars=TEXT_LENGTH,
        key=widget_key(SWEEP_TEXT, "area_sweep_text"),
        placeholder=_("A few pages at least: paste them here, or choose a file below."),
    )
    file = kept_file(SWEEP_UPLOAD, _("Or a text file"), type=["txt", "md"])
    write_text(SWEEP_TEXT, typed if typed.strip() and len(typed) <= SWEEP_TEXT.limit else None)
    try:
        text = decode_upload(file.content)[:TEXT_LENGTH] if file is not None else typed
        if not text.strip():
            st.info(_("Paste a text or choose a file for the models to learn from."), icon=":material/info:")
            return None
        return _text_task(text, kinds[list(titles).index(chosen)])
    except UserError as error:
        st.error(error_sentence(error), icon=":material/error:")
        return None


def _text_task(text: str, kind: VocabularyKind) -> TaskConfig:
    """The task with the vocabulary size that the text really has, so that parameters are counted as they will be."""

    def count() -> int:
        task = TextTaskConfig(text=text, vocabulary=kind, vocabulary_size=VOCABULARY)
        prepared = task_kind_of(task).prepare(task)
        prepared.check_fits(shape_of(SweepConfig(task=task), SIZES["8x1"]))
        return int(prepared.tokenizer.get_vocab_size())

    key = ("vocabulary", kind, hashlib.sha256(text.encode()).hexdigest())
    size = scaling_results().remember(key, count)
    return TextTaskConfig(text=text, vocabulary=kind, vocabulary_size=size)


def show_sweep_cost(config: SweepConfig) -> None:
    """Runs, time, compute and price of the sweep; and what is to be known before it starts."""
    grid, ray = cells(config), ray_address()
    workers = 1 if ray else default_executor().slots
    cost = sweep_cost(grid, throughput().of("cpu"), workers=workers, hourly_price=read_price())
    sizes = sorted({cell.parameters for cell in grid})
    summary = _("{runs} from {least:,} to {most:,} parameters, {flops}, {time}.")
    if len(sizes) == 1:
        summary = _("{runs} of {least:,} parameters, {flops}, {time}.")
    summary = summary.format(
        runs=_n("{n} run", "{n} runs", cost.cells),
        least=sizes[0],
        most=sizes[-1],
        flops=prefixed(cost.flops, "FLOP"),
        time=_time(cost, workers, ray),
    )
    if cost.price:
        summary += " " + _("That costs about {price:,.2f} {currency}.").format(price=cost.price, currency=currency())
    st.write(summary)
    _warn_of_short_runs(config, grid)
    with st.expander(_("Learning rates, and the price of an hour")):
        _show_rates(config)
        _choose_price()


def _time(cost: SweepCost, workers: int, ray: str) -> str:
    if ray:
        time = _("about {time} of one worker here, on the Ray cluster at {address} as many at once as it has")
        return time.format(time=duration(cost.worker_seconds), address=ray)
    return _("about {time} with {workers} at once").format(time=duration(cost.seconds), workers=workers)


def _warn_of_short_runs(config: SweepConfig, grid: tuple[Cell, ...]) -> None:
    short = [cell.name for cell in grid if cell.config.steps <= config.warm_up]
    if short:
        warning = _("No longer than the warm-up of {steps} steps, so that their losses say little: {names}.")
        names = ", ".join(short[:3]) + (" …" if len(short) > 3 else "")
        st.warning(warning.format(steps=config.warm_up, names=names), icon=":material/hourglass_bottom:")


def _show_rates(config: SweepConfig) -> None:
    rates = {width: config.peak_rate((width, layers)) for width, layers in sorted(config.sizes)}
    st.dataframe(
        [{_("d_model"): width, _("Peak learning rate"): f"{rate:.3g}"} for width, rate in rates.items()],
        hide_index=True,
        key="rate_rows",
    )
    st.caption(_("Inversely proportional to d_model (Yang et al. 2022); warm-up, a stable rate, then decay."))


def _choose_price() -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with right:
        choose_currency()
    label = _("Price of a worker's hour ({currency})").format(currency=currency())
    price = left.number_input(
        label, 0.0, SWEEP_PRICE.most, read_price(), key=widget_key(SWEEP_PRICE, "number_sweep_price")
    )
    write_float(SWEEP_PRICE, price)


def read_price() -> float:
    """Of a worker's hour, from the address; 0 where it costs nothing."""
    typed = st.session_state.get(widget_key(SWEEP_PRICE, "number_sweep_price"))
    return float(typed) if isinstance(typed, int | float) else read_float(SWEEP_PRICE)
