"""The planner: a budget to the best model by each law, its data, its inference, and what to do with too little data."""

import numpy as np
import streamlit as st

from playground.charts.scaling.intervals import Interval, intervals_figure
from playground.charts.scaling.loss import axis_title
from playground.charts.scaling.plans import repeats_figure, serving_figure
from playground.csv_table import Row
from playground.errors import UserError
from playground.scaling.allocation import (
    INFERENCE_FLOPS,
    InferenceOptimum,
    inference_aware_optimum,
    optimum_with_repeats,
    tokens_to_reach,
)
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.budgets import short, text_size, two_digits, with_interval
from playground.scaling.fits import Fit
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS
from playground.scaling.plans import FRONTIERS, Plan, plan, plans_sentences
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import BESIROGLU, MUENNIGHOFF
from playground.text import _
from playground.units import prefixed
from ui.sections.scaling.budget import ComputeBudget, choose_budget, number, show_budget_cost
from ui.sections.scaling.figure import show_metrics, show_scaling_figure, source_line
from ui.sections.scaling.fit import RESAMPLE_COUNTS, fetch_bootstrap, fetch_fit
from ui.sections.scaling.study import ScalingStudy
from ui.state.address import read_choice, write_choice
from ui.state.parameters import LAW, PLAN, PLANNED, SERVED, UNIQUE
from ui.state.revisions import widget_key
from ui.text import error_sentence
from ui.widgets.choice import as_label, choose_option

CURVE_SIZES = 160
MOST_EPOCHS = 100.0
TRUSTED = 1e4
"""The extrapolation factor up to which a person's own fit is followed without being asked to."""


def show_planner(study: ScalingStudy | None) -> None:
    """Choose a budget; see what each law would do with it."""
    budget = choose_budget()
    if budget is None:
        return
    fitted, resamples = _own_fit(study)
    try:
        plans = plan(budget.flops, fitted, resamples)
    except UserError as error:
        st.warning(_("Your data give no plan: {reason}").format(reason=error), icon=":material/help:")
        plans = plan(budget.flops)
    _show_plans(budget, plans, study if fitted is not None else None)
    show_budget_cost(budget)
    is_far = plans[-1].key == "own" and plans[-1].beyond > TRUSTED
    if is_far:
        st.warning(
            _(
                "The budget is {times:.2g} times the largest run that your fit has seen. What follows rests on the "
                "replication's law instead, unless you choose another plan."
            ).format(times=plans[-1].beyond),
            icon=":material/help:",
        )
    chosen = _choose_plan(plans, BESIROGLU.key if is_far else plans[-1].key)
    _show_text_size(chosen)
    st.subheader(_("Inference-aware optimum (Sardana et al.)"), anchor=False)
    st.caption(_("A model that serves many tokens pays off smaller and trained for longer."))
    _show_inference(budget, None if is_far else fitted)
    st.subheader(_("Data-constrained scaling (Muennighoff et al.)"), anchor=False)
    st.caption(_("With too little data, they are read for several epochs; each repeat is worth less."))
    _show_repeats(budget)


def _own_fit(study: ScalingStudy | None) -> tuple[Fit | None, Bootstrap | None]:
    """The fit of the current data set, by the law of the address where it can plan, else by Chinchilla's."""
    if study is None:
        return None, None
    law = read_choice(LAW, list(LAWS))
    fitted = fetch_fit(study, law if law in FRONTIERS else "chinchilla")
    return (None, None) if fitted is None else (fitted, fetch_bootstrap(study, fitted, RESAMPLE_COUNTS[0]))


def _show_plans(budget: ComputeBudget, plans: tuple[Plan, ...], study: ScalingStudy | None) -> None:
    st.markdown(" ".join(plans_sentences(plans)))
    table = [
        {
            _("Law"): each.title,
            _("Parameters N"): with_interval(each.params, each.params_interval),
            _("Tokens D"): with_interval(each.tokens, each.tokens_interval),
            _("D / N"): f"{each.tokens_per_parameter:.3g}",
            _("Loss"): _loss(each),
            _("Extrapolation factor"): f"× {two_digits(each.beyond)}",
        }
        for each in plans
    ]
    widths = {_("Loss"): st.column_config.Column(width=190)}
    st.dataframe(table, hide_index=True, key="plan_rows", column_config=widths)
    st.caption(
        _(
            "In brackets: the 10th to the 90th percentile where it is known. Losses are those of each paper's own "
            "text and tokenizer and do not compare. Extrapolation factor: the budget over the largest run that the law "
            "was fitted to; a plan far beyond is a guess."
        )
    )
    with st.expander(_("Sources"), icon=":material/menu_book:"):
        st.table([{_("Law"): each.title, _("Source"): f"{each.source}. {each.note}"} for each in plans])
    titles = {column: as_label(axis_title(column)) for column in PLANNED.values}
    column = choose_option(PLANNED, _("Figure"), titles)
    _draw_plans(budget, plans, study, column)


def _loss(each: Plan) -> str:
    low_high = "" if each.loss_interval is None else f" [{each.loss_interval[0]:.3f}, {each.loss_interval[1]:.3f}]"
    return f"{each.loss:.3f}{low_high}"


def _draw_plans(budget: ComputeBudget, plans: tuple[Plan, ...], study: ScalingStudy | None, column: str) -> None:
    intervals = []
    for each in plans:
        value = getattr(each, column)
        low, high = getattr(each, f"{column}_interval") or (value, value)
        intervals.append(Interval(name=each.title, value=value, low=low, high=high))
    table: list[Row] = [("law", column, "low", "high")]
    table += [(each.name, each.value, each.low, each.high) for each in intervals]
    source = _("{flops:.3g} FLOP by the laws as their papers print them").format(flops=budget.flops)
    title = _("optimum for {flops} FLOP").format(flops=short(budget.flops))
    show_scaling_figure(
        intervals_figure([(title, intervals)], x=axis_title(column), log_x=True),
        name=f"plan-{column}",
        label=_("The plan of each law"),
        source=source if study is None else f"{source} · {source_line(study)}",
        table=table,
        code=PLAN_CODE.format(flops=budget.flops),
        height=130 + 38 * len(plans),
    )


PLAN_CODE = """from playground.scaling import plan

for each in plan({flops:.6g}):
    print(f"{{each.title}}: N {{each.params:.3g}}, D {{each.tokens:.3g}}, loss {{each.loss:.3f}}")
"""


def _choose_plan(plans: tuple[Plan, ...], default: str) -> Plan:
    titles = {each.key: each.title for each in plans}
    keys = [default, *(key for key in titles if key != default)]
    chosen = st.selectbox(
        _("Plan to follow"),
        keys,
        index=keys.index(read_choice(PLAN, keys)),
        format_func=titles.__getitem__,
        key=widget_key(PLAN, "choose_plan"),
    )
    write_choice(PLAN, chosen, default)
    return next(each for each in plans if each.key == chosen)


def _show_text_size(chosen: Plan) -> None:
    size = text_size(chosen.tokens)
    cells = (
        (_("Tokens"), short(size.tokens)),
        (_("Text"), prefixed(size.bytes, "B")),
        (_("Novels"), short(size.books)),
        (_("English Wikipedias"), short(size.wikipedias)),
        (_("Years of reading"), short(size.reading_years)),
    )
    show_metrics((label, value, "") for label, value in cells)
    st.caption(
        _(
            "English web text under GPT-2's tokens, as Kaplan et al. 2020 count it; novels of 90,000 words; Wikipedia "
            "of July 2025; one person reading 238 words a minute, eight hours a day. Code and other languages differ."
        )
    )


def _show_inference(budget: ComputeBudget, fitted: Fit | None) -> None:
    """The model of the same loss that takes the least compute over its whole life."""
    served = number(SERVED, _("Lifetime inference tokens"), form="%.2e")
    parameters, law = BESIROGLU.parameters, _(BESIROGLU.title)
    if fitted is not None and fitted.law == "chinchilla":
        parameters, law = fitted.parameters, _("your fit")
    try:
        optimum = inference_aware_optimum(budget.flops, served, parameters)
    except UserError as error:
        st.warning(error_sentence(error), icon=":material/help:")
        return
    compute_optimal = _("compute-optimal: {size}")
    show_metrics(
        (
            (_("Parameters N"), short(optimum.params), compute_optimal.format(size=short(optimum.optimal_params))),
            (_("Tokens D"), short(optimum.tokens), compute_optimal.format(size=short(optimum.optimal_tokens))),
            (_("Over-training"), f"× {optimum.overtraining:.3g}", _("tokens per parameter")),
            (_("Compute saved"), f"{optimum.saved:.1%}", _("at the loss {loss:.3f}").format(loss=optimum.loss)),
        )
    )
    _draw_inference(budget, optimum, parameters, law)


def _draw_inference(budget: ComputeBudget, optimum: InferenceOptimum, parameters: Parameters, law: str) -> None:
    params = np.geomspace(optimum.params / 8, optimum.optimal_params * 8, CURVE_SIZES)
    training = FLOPS_PER_PARAMETER_AND_TOKEN * params * tokens_to_reach(optimum.loss, params, parameters)
    serving = INFERENCE_FLOPS * params * optimum.served
    table: list[Row] = [("params", "training_flops", "serving_flops")]
    table += list(zip(params.tolist(), training.tolist(), serving.tolist(), strict=True))
    optimal_flops = optimum.optimal_training_flops + optimum.optimal_serving_flops
    show_scaling_figure(
        serving_figure(
            params,
            training,
            np.maximum(serving, 1e-30),
            best=(optimum.params, optimum.total_flops),
            optimal=(optimum.optimal_params, optimal_flops),
        ),
        name="serving",
        label=_("Compute of training and inference to the same loss, over the size of the model"),
        source=_("Sardana et al. 2023, by {law}").format(law=law),
        table=table,
        code=inference_code(budget.flops, optimum.served, parameters),
        height=380,
    )


def inference_code(flops: float, served: float, parameters: Parameters) -> str:
    """Python that finds the same model, by the same law."""
    return f"""from playground.scaling.allocation import inference_aware_optimum

law = {dict(parameters)}
optimum = inference_aware_optimum({flops:.6g}, {served:.6g}, law)
print(f"N {{optimum.params:.3g}}, D {{optimum.tokens:.3g}}, saved {{optimum.saved:.1%}}")
"""


REPEATS_CODE = """import numpy as np

from playground.scaling.published import MUENNIGHOFF
from playground.scaling.laws import LAWS

epochs = np.geomspace(0.25, 100, 160)
tokens, unique = epochs * {unique:.6g}, {unique:.6g}
sizes = np.full_like(epochs, {params:.6g})
law = LAWS[MUENNIGHOFF.law]
repeated = law.predict(MUENNIGHOFF.parameters, params=sizes, tokens=tokens, unique=np.minimum(tokens, unique))
fresh = law.predict(MUENNIGHOFF.parameters, params=sizes, tokens=tokens, unique=tokens)
print(np.column_stack([epochs, repeated, fresh]))
"""


def _show_repeats(budget: ComputeBudget) -> None:
    """The best use of the budget where only so many tokens are unique."""
    unique = number(UNIQUE, _("Unique tokens"), form="%.2e")
    try:
        optimum = optimum_with_repeats(budget.flops, unique)
    except UserError as error:
        st.warning(error_sentence(error), icon=":material/help:")
        return
    fresh_size = _("fresh data: {size}").format(size=short(optimum.fresh_params))
    show_metrics(
        (
            (_("Parameters N"), short(optimum.params), fresh_size),
            (_("Epochs"), f"{optimum.epochs:.3g}", _("{tokens} tokens in all").format(tokens=short(optimum.tokens))),
            (_("Effective tokens"), short(optimum.effective_tokens), _("worth as many fresh ones")),
            (_("Loss"), f"{optimum.loss:.4f}", _("fresh data: {loss:.4f}").format(loss=optimum.fresh_loss)),
        )
    )
    _draw_repeats(optimum.params, unique)
    st.caption(
        _("By Muennighoff et al. 2023, for their corpus: up to about four epochs are nearly as good as fresh data.")
    )


def _draw_repeats(params: float, unique: float) -> None:
    law, numbers = LAWS[MUENNIGHOFF.law], MUENNIGHOFF.parameters
    epochs = np.geomspace(0.25, MOST_EPOCHS, CURVE_SIZES)
    sizes, tokens = np.full_like(epochs, params), epochs * unique
    repeated = law.predict(numbers, params=sizes, tokens=tokens, unique=np.minimum(tokens, unique))
    fresh = law.predict(numbers, params=sizes, tokens=tokens, unique=tokens)
    table: list[Row] = [("epochs", "repeated", "fresh")]
    table += list(zip(epochs.tolist(), repeated.tolist(), fresh.tolist(), strict=True))
    show_scaling_figure(
        repeats_figure(epochs, fresh, repeated),
        name="repeats",
        label=_("Loss over epochs"),
        source=_(MUENNIGHOFF.source),
        table=table,
        code=REPEATS_CODE.format(params=params, unique=unique),
        height=360,
    )
