"""A budget to a plan: the best model by each law with intervals, its data, serving it, repeating too little data."""

import numpy as np
import streamlit as st

from playground.charts.scaling.loss import PARAMETERS, TOKENS, Interval, intervals_figure, short
from playground.charts.scaling.plans import repeats_figure, serving_figure
from playground.errors import UserError
from playground.scaling.bootstrap import Bootstrap
from playground.scaling.data_size import data_size
from playground.scaling.fits import Fit
from playground.scaling.forms.form import Parameters
from playground.scaling.laws import LAWS
from playground.scaling.plans import FRONTIERS, Plan, plan
from playground.scaling.points import FLOPS_PER_PARAMETER_AND_TOKEN
from playground.scaling.published import BESIROGLU
from playground.scaling.repeats import best_with_repeats
from playground.scaling.serving import FLOPS_TO_SERVE, cheapest_to_serve, tokens_for
from playground.text import _
from ui import state
from ui.sections.scaling.budget import Budget, choose_budget, number, show_cost
from ui.sections.scaling.figure import origin_of, show_metrics, show_picture
from ui.sections.scaling.fit import DRAWINGS, obtain_bootstrap, obtain_fit
from ui.sections.scaling.study import Study
from ui.tables import Row
from ui.units import prefixed
from ui.widgets.choice import choose_word

SERVED, UNIQUE = 1e12, 1e11
SIZES = 160
MOST_EPOCHS = 100.0
TRUSTED = 1e4
"""How many times beyond its largest run a person's own fit is followed without being asked to."""


def show_planner(study: Study | None) -> None:
    """Choose a budget; see what each law would do with it."""
    budget = choose_budget()
    if budget is None:
        return
    show_cost(budget)
    fitted, intervals = _own_fit(study)
    try:
        plans = plan(budget.flops, fitted, intervals)
    except UserError as error:
        st.warning(_("The points at hand make no plan: {reason}").format(reason=error), icon=":material/help:")
        plans = plan(budget.flops)
    _show_plans(budget, plans, study if fitted is not None else None)
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
    _show_data(chosen)
    st.subheader(_("Served to many: smaller and trained for longer"), anchor=False)
    _show_serving(budget, None if is_far else fitted)
    st.subheader(_("Too little data: read it again"), anchor=False)
    _show_repeats(budget)


def _own_fit(study: Study | None) -> tuple[Fit | None, Bootstrap | None]:
    """The fit of the points at hand, by the law of the address where it can plan, else by Chinchilla's."""
    if study is None:
        return None, None
    law = state.read_word(state.LAW, list(LAWS))
    fitted = obtain_fit(study, law if law in FRONTIERS else "chinchilla")
    return (None, None) if fitted is None else (fitted, obtain_bootstrap(study, fitted, DRAWINGS[0]))


def _show_plans(budget: Budget, plans: tuple[Plan, ...], study: Study | None) -> None:
    rows = [
        {
            _("Law"): one.title,
            _("Parameters N"): between(one.params, one.params_interval),
            _("Tokens D"): between(one.tokens, one.tokens_interval),
            _("D / N"): f"{one.tokens_per_parameter:.3g}",
            _("Loss"): between(one.loss, one.loss_interval, form=".3f"),
            _("Beyond its runs"): f"× {one.beyond:.2g}",
            _("What stands behind it"): f"{one.source}. {one.note}",
        }
        for one in plans
    ]
    st.dataframe(rows, hide_index=True, key="plan_rows", column_config={_("Loss"): st.column_config.Column(width=150)})
    st.caption(
        _(
            "In parentheses: the 10th to the 90th percentile where it is known. Losses are those of each paper's own "
            "text and tokenizer and do not compare. Beyond its runs: how many times the budget is larger than the "
            "largest run that the law was fitted to; a plan far beyond is a guess."
        )
    )
    what = choose_word("planned", _("Drawn"), {"params": PARAMETERS, "tokens": TOKENS})
    drawn = [
        Interval(name=one.title, value=getattr(one, what), low=low, high=high)
        for one in plans
        for low, high in [getattr(one, f"{what}_interval") or (getattr(one, what), getattr(one, what))]
    ]
    table: list[Row] = [("law", what, "low", "high")]
    table += [(one.name, one.value, one.low, one.high) for one in drawn]
    show_picture(
        intervals_figure(
            [(_("best for {flops} FLOP").format(flops=short(budget.flops)), drawn)],
            x=PARAMETERS if what == "params" else TOKENS,
            log_x=True,
        ),
        name=f"plan-{what}",
        label=_("The plan of each law"),
        origin=" · ".join(
            [
                _("{flops:.3g} FLOP by the laws as their papers print them").format(flops=budget.flops),
                *([] if study is None else [origin_of(study)]),
            ]
        ),
        rows=table,
        code=PLAN_CODE.format(flops=budget.flops),
        height=130 + 38 * len(plans),
    )


PLAN_CODE = """from playground.scaling import plan

for one in plan({flops:.6g}):
    print(f"{{one.title}}: N {{one.params:.3g}}, D {{one.tokens:.3g}}, loss {{one.loss:.3f}}")
"""


def between(value: float, interval: tuple[float, float] | None, *, form: str = "") -> str:
    """A value with its interval.

    >>> between(1.5e9, (1e9, 2e9))
    '1.5B (1B to 2B)'
    """

    def word(number: float) -> str:
        return f"{number:{form}}" if form else short(number)

    return word(value) if interval is None else f"{word(value)} ({word(interval[0])} to {word(interval[1])})"


def _choose_plan(plans: tuple[Plan, ...], usual: str) -> Plan:
    keys = [one.key for one in plans]
    words = [usual, *(key for key in keys if key != usual)]
    titles = {one.key: one.title for one in plans}
    key = st.selectbox(
        _("Plan to look at"),
        words,
        index=words.index(state.read_word("plan", words)),
        format_func=titles.__getitem__,
        key="choose_plan",
    )
    state.write_word("plan", key, usual)
    return plans[keys.index(key)]


def _show_data(chosen: Plan) -> None:
    size = data_size(chosen.tokens)
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


def _show_serving(budget: Budget, fitted: Fit | None) -> None:
    """The model of the same loss that costs least over its whole life."""
    served = number("served", _("Tokens read and written in its life"), SERVED, 0.0, 1e20, form="%.2e")
    own = fitted is not None and fitted.law == "chinchilla"
    parameters = fitted.parameters if fitted is not None and own else BESIROGLU.parameters
    title = _("the fit of the points at hand") if own else BESIROGLU.title
    try:
        found = cheapest_to_serve(budget.flops, served, parameters)
    except UserError as error:
        st.warning(str(error), icon=":material/help:")
        return
    cells = (
        (_("Parameters N"), short(found.params), _("of {size}").format(size=short(found.optimal_params))),
        (_("Tokens D"), short(found.tokens), _("of {size}").format(size=short(found.optimal_tokens))),
        (_("Over-training"), f"× {found.overtraining:.3g}", _("tokens for each parameter")),
        (_("Saved of all FLOP"), f"{found.saved:.1%}", _("at the loss {loss:.3f}").format(loss=found.loss)),
    )
    show_metrics(cells)
    params = np.geomspace(found.params / 8, found.optimal_params * 8, SIZES)
    training = FLOPS_PER_PARAMETER_AND_TOKEN * params * tokens_for(found.loss, params, parameters)
    serving = FLOPS_TO_SERVE * params * served
    rows: list[Row] = [("params", "training_flops", "serving_flops")]
    rows += list(zip(params.tolist(), training.tolist(), serving.tolist(), strict=True))
    show_picture(
        serving_figure(
            params,
            training,
            np.maximum(serving, 1e-30),
            best=(found.params, found.total_flops),
            optimal=(found.optimal_params, found.optimal_training_flops + found.optimal_serving_flops),
        ),
        name="serving",
        label=_("FLOP of training and serving to the same loss, over the size of the model"),
        origin=_("Sardana et al. 2023, by {law}").format(law=title),
        rows=rows,
        code=serving_code(budget.flops, served, parameters),
        height=380,
    )


def serving_code(flops: float, served: float, parameters: Parameters) -> str:
    """Python that finds the same model, by the same law."""
    return f"""from playground.scaling.serving import cheapest_to_serve

law = {dict(parameters)}
found = cheapest_to_serve({flops:.6g}, {served:.6g}, law)
print(f"N {{found.params:.3g}}, D {{found.tokens:.3g}}, saved {{found.saved:.1%}}")
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


def _show_repeats(budget: Budget) -> None:
    """The best use of the budget where only so many tokens are unique."""
    unique = number("unique", _("Unique tokens"), UNIQUE, 1e3, 1e18, form="%.2e")
    try:
        found = best_with_repeats(budget.flops, unique)
    except UserError as error:
        st.warning(str(error), icon=":material/help:")
        return
    cells = (
        (_("Parameters N"), short(found.params), _("fresh data: {size}").format(size=short(found.fresh_params))),
        (_("Epochs"), f"{found.epochs:.3g}", _("{tokens} tokens in all").format(tokens=short(found.tokens))),
        (_("Worth"), short(found.worth), _("fresh tokens")),
        (_("Loss"), f"{found.loss:.4f}", _("fresh data: {loss:.4f}").format(loss=found.fresh_loss)),
    )
    show_metrics(cells)
    _draw_repeats(found.params, unique)
    st.caption(
        _("By Muennighoff et al. 2023, for their corpus: up to about four epochs are nearly as good as fresh data.")
    )


def _draw_repeats(params: float, unique: float) -> None:
    from playground.scaling.published import MUENNIGHOFF

    law, numbers = LAWS[MUENNIGHOFF.law], MUENNIGHOFF.parameters
    epochs = np.geomspace(0.25, MOST_EPOCHS, SIZES)
    sizes, tokens = np.full_like(epochs, params), epochs * unique
    repeated = law.predict(numbers, params=sizes, tokens=tokens, unique=np.minimum(tokens, unique))
    fresh = law.predict(numbers, params=sizes, tokens=tokens, unique=tokens)
    rows: list[Row] = [("epochs", "repeated", "fresh")]
    rows += list(zip(epochs.tolist(), repeated.tolist(), fresh.tolist(), strict=True))
    show_picture(
        repeats_figure(epochs, fresh, repeated),
        name="repeats",
        label=_("Loss over how often the data are read"),
        origin=MUENNIGHOFF.source,
        rows=rows,
        code=REPEATS_CODE.format(params=params, unique=unique),
        height=360,
    )
