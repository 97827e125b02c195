"""What a new sweep trains: sizes on tokens or at equal operations, seeds, on little stories or a person's own text."""

import hashlib
from typing import Any

import streamlit as st

from playground.errors import UserError
from playground.jobs.executor import default_executor
from playground.sweeps.costs import Cost, cost_of
from playground.sweeps.grid import Cell, SweepConfig, cells, shape_of
from playground.sweeps.sweep import ray_address
from playground.tasks.registry import kind_of
from playground.tasks.tales.tales_task import TalesConfig
from playground.tasks.task import TaskConfig
from playground.tasks.text import TextTaskConfig
from playground.tasks.vocabulary import VocabularyKind
from playground.text import _
from ui import state
from ui.sections.train.labels import choice_word
from ui.units import duration, prefixed
from ui.widgets.choice import choose_word

SIZES = {
    f"{width}x{layers}": (width, layers) for width, layers in ((8, 1), (16, 1), (24, 2), (32, 2), (48, 3), (64, 4))
}
TOKENS = tuple(map(str, (30_000, 60_000, 120_000, 250_000, 500_000)))
FLOPS = ("1e10", "3e10", "1e11", "3e11", "1e12")
USUAL_SIZES = ("8x1", "16x1", "24x2", "32x2")
USUAL_TOKENS = ("60000", "120000", "250000")
USUAL_FLOPS = ("3e10", "1e11", "3e11")
USUAL_SEEDS, MOST_SEEDS = 1, 5
EVALUATIONS = 12
GRID, EQUAL = "grid", "isoflop"
TALES, OWN = "tales", "text"
TEXT, PRICE = "sweep_text", "sweep_price"
TEXT_LENGTH = 400_000
"""Of a person's text: it stands in the configuration of every run."""
ADDRESS_LENGTH = 2_000
VOCABULARY = 512
MOST_PRICE = 1e4


def choose_sweep() -> SweepConfig | None:
    """What a person chose; None, with a sentence, where it makes no sweep."""
    left, right = st.columns(2)
    with left:
        design = choose_word(
            "sweep_design", _("Design"), {GRID: _("each size on each number of tokens"), EQUAL: _("equal operations")}
        )
    with right:
        kind = choose_word("sweep_task", _("What they learn"), {TALES: _("little stories"), OWN: _("your text")})
    task = _own_text() if kind == OWN else TalesConfig()
    sizes = _pills("sweep_sizes", _("Sizes (width x layers)"), tuple(SIZES), USUAL_SIZES)
    budgets = _choose_budgets(design)
    seeds = st.number_input(
        _("Seeds"),
        1,
        MOST_SEEDS,
        state.read_number("sweep_seeds", USUAL_SEEDS, MOST_SEEDS),
        key="number_sweep_seeds",
        width=220,
    )
    state.write_number("sweep_seeds", seeds, USUAL_SEEDS)
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
            sizes=tuple(SIZES[word] for word in sizes),
            seeds=tuple(range(seeds)),
            evaluations=EVALUATIONS,
            device="auto" if ray_address() else "cpu",
            **budgets,
        )
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _pills(name: str, title: str, words: tuple[str, ...], usual: tuple[str, ...]) -> list[str]:
    """Some of the words, kept in the address."""
    chosen = st.pills(
        title,
        words,
        selection_mode="multi",
        default=state.read_word_list(name, words, usual),
        key=name,
        format_func=_spoken,
    )
    state.write_word_list(name, chosen, words, usual)
    return list(chosen)


def _spoken(word: str) -> str:
    """A size as it is, a number of tokens with commas, operations with their prefix."""
    if word.isdecimal():
        return f"{int(word):,}"
    return prefixed(float(word), "FLOP") if "e" in word else word


def _choose_budgets(design: str) -> dict[str, Any]:
    """The fields of the design: tokens, or operations that each size is trained for; empty where none is chosen."""
    if design == GRID:
        tokens = _pills("sweep_tokens", _("Tokens to train on"), TOKENS, USUAL_TOKENS)
        return {"design": "grid", "tokens": tuple(sorted(map(int, tokens)))} if tokens else {}
    flops = _pills("sweep_flops", _("Operations to train each size for"), FLOPS, USUAL_FLOPS)
    return {"design": "isoflop", "flops": tuple(sorted(map(float, flops)))} if flops else {}


def _own_text() -> TaskConfig | None:
    """A text that is typed in or a file, with its vocabulary; None, with a sentence, where it is too little."""
    kind: VocabularyKind = (
        "bpe"
        if choose_word("sweep_vocabulary", _("Vocabulary"), {word: choice_word(word) for word in ("characters", "bpe")})
        == "bpe"
        else "characters"
    )
    typed = st.text_area(
        _("Text to learn from"),
        value=state.read_text(TEXT, "", limit=ADDRESS_LENGTH),
        height=140,
        max_chars=TEXT_LENGTH,
        key="area_sweep_text",
        placeholder=_("A few pages at least: paste them here, or choose a file below."),
    )
    file = st.file_uploader(_("Or a text file"), type=["txt", "md"], key="file_sweep_text")
    state.write_text(TEXT, typed if typed.strip() and len(typed) <= ADDRESS_LENGTH else None)
    text = file.getvalue().decode("utf-8", errors="replace")[:TEXT_LENGTH] if file is not None else typed
    if not text.strip():
        st.info(_("Paste a text or choose a file for the models to learn from."), icon=":material/info:")
        return None
    try:
        return _text_task(text, kind)
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _text_task(text: str, kind: VocabularyKind) -> TaskConfig:
    """The task with as many tokens as its vocabulary really has, so that parameters are counted as they are."""

    def count() -> int:
        most = TextTaskConfig(text=text, vocabulary=kind, vocabulary_size=VOCABULARY)
        prepared = kind_of(most).prepare(most)
        prepared.check_fits(shape_of(SweepConfig(task=most), SIZES["8x1"]))
        return int(prepared.tokenizer.get_vocab_size())

    key = ("vocabulary", kind, hashlib.sha256(text.encode()).hexdigest())
    size = state.scaling_answers().remember(key, count)
    return TextTaskConfig(text=text, vocabulary=kind, vocabulary_size=size)


def show_cost(config: SweepConfig) -> None:
    """What the sweep takes: runs, time, operations, money; and what is to be known before it starts."""
    found, ray = cells(config), ray_address()
    workers = 1 if ray else default_executor().slots
    cost = cost_of(found, state.speeds().of("cpu"), workers=workers, hourly_price=read_price())
    sizes = sorted({cell.parameters for cell in found})
    words = _("{count} runs from {least:,} to {most:,} parameters, {flops}, {time}.").format(
        count=cost.cells,
        least=sizes[0],
        most=sizes[-1],
        flops=prefixed(cost.flops, "FLOP"),
        time=_time(cost, workers, ray),
    )
    if cost.price:
        words += " " + _("That costs about {price:,.2f}.").format(price=cost.price)
    st.write(words)
    _warn_of_short_runs(config, found)
    with st.expander(_("Learning rates, and the price of an hour")):
        _show_rates(config)
        _choose_price()


def _time(cost: Cost, workers: int, ray: str) -> str:
    if ray:
        words = _("about {time} of one worker here, on the Ray cluster at {address} as many at once as it has")
        return words.format(time=duration(cost.worker_seconds), address=ray)
    return _("about {time} with {workers} at once").format(time=duration(cost.seconds), workers=workers)


def _warn_of_short_runs(config: SweepConfig, found: tuple[Cell, ...]) -> None:
    short = [cell.name for cell in found if cell.config.steps <= config.warm_up]
    if short:
        words = _("No longer than the warm-up of {steps} steps, so that their losses say little: {names}.")
        names = ", ".join(short[:3]) + (" …" if len(short) > 3 else "")
        st.warning(words.format(steps=config.warm_up, names=names), icon=":material/hourglass_bottom:")


def _show_rates(config: SweepConfig) -> None:
    widths = sorted({width for width, _layers in config.sizes})
    st.dataframe(
        [{_("Width"): width, _("Learning rate"): f"{config.rate(width):.3g}"} for width in widths],
        hide_index=True,
        key="rate_rows",
    )
    st.caption(_("In inverse proportion to the width (Yang et al. 2022); warm-up, a stable rate, then decay."))


def _choose_price() -> None:
    price = st.number_input(
        _("Price of a worker's hour (in your currency)"), 0.0, MOST_PRICE, read_price(), key="number_sweep_price"
    )
    state.write_float(PRICE, price, 0.0)


def read_price() -> float:
    """Of a worker's hour, from the address; 0 where it costs nothing."""
    typed = st.session_state.get("number_sweep_price")
    return float(typed) if isinstance(typed, int | float) else state.read_float(PRICE, 0.0, 0.0, MOST_PRICE)
