"""Famous models on the map of parameters and tokens, a law's frontier laid over; and their sizes over the years."""

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts.scaling.famous import NamedDots, famous_figure, sizes_figure
from playground.charts.scaling.loss import Line
from playground.csv_table import Row
from playground.errors import UserError
from playground.scaling.budgets import short
from playground.scaling.famous import FamousModel, famous_models, famous_sentence, trained_as
from playground.scaling.fits import Fit
from playground.scaling.forms.form import Parameters
from playground.scaling.frontier import CLOSED_FORMS
from playground.scaling.laws import LAWS
from playground.scaling.overtraining import Overtraining
from playground.scaling.published import BESIROGLU, HOFFMANN, KAPLAN
from playground.text import _
from ui.sections.scaling.figure import law_title, show_scaling_figure
from ui.sections.scaling.fit import fetch_fit
from ui.sections.scaling.study import ScalingStudy, study_of_hoffmann
from ui.state.address import read_choice
from ui.state.parameters import FAMOUS_LAW, LAW
from ui.text import error_sentence
from ui.widgets.choice import choose_option

PRINTED = {published.key: published for published in (BESIROGLU, HOFFMANN, KAPLAN)}
GADRE, OWN = "gadre", "own"
HEIGHT = 520
CURVE_POINTS = 120


@dataclass(frozen=True, kw_only=True)
class ChosenLaw:
    """A law to hold the models against, and Python that makes its parameters."""

    title: str
    law: str
    parameters: Parameters
    source: str
    code: str


def show_famous_models(study: ScalingStudy | None, law: str) -> None:
    """Who was over-trained by the law of this name (`choose_famous_law`), and by how much."""
    chosen = _chosen_law(law, study)
    if chosen is None:
        return
    models = famous_models()
    try:
        found = trained_as(models, chosen.law, chosen.parameters)
    except UserError as error:
        st.info(error_sentence(error), icon=":material/info:")
        return
    known = [model for model in models if model.name in found]
    st.markdown(famous_sentence(found))
    show_scaling_figure(
        famous_figure(_map_dots(known, found), [_frontier(chosen, known)]),
        name="famous-models",
        label=_("Training tokens over parameters of famous models, with the law's compute-optimal frontier"),
        source=_("reports of the models, each in the table; {law}").format(law=chosen.source),
        table=_table(known, found),
        code=_code(chosen),
        height=HEIGHT,
        revision=chosen.title,
    )
    st.dataframe([_row(model, found[model.name]) for model in known], hide_index=True, key="famous_rows")
    _explain(chosen)


def _explain(chosen: ChosenLaw) -> None:
    st.caption(
        _("D / optimal D: tokens beside those that are optimal for its size.")
        + " "
        + _("Optimal N, and the nats given up: beside the best model of the same compute.")
        + " "
        + _(LAWS[chosen.law].ratio)
    )
    st.caption(
        _(
            "Above the line a model saw more tokens than are optimal for its size: it is dearer to train than a larger "
            "one of the same loss, and cheaper to use. Of a mixture of experts (diamonds) N counts the parameters that "
            "work on a token; the law is one of dense models. Losses are those that the law predicts for its own text "
            "and tokenizer, far beyond its runs: read them as a measure of distance."
        )
    )


def show_famous_sizes() -> None:
    """Parameters of every model over the years, those of undisclosed tokens too."""
    models = famous_models()
    _say_growth(models)
    table: list[Row] = [("name", "date", "total_params", "params", "source")]
    table += [(each.name, each.date, each.total_params, each.params, each.source) for each in models]
    show_scaling_figure(
        sizes_figure(_size_dots(models)),
        name="famous-sizes",
        label=_("Parameters of famous models over the years"),
        source=_("reports of the models, each in the table"),
        table=table,
        code="from playground.scaling.famous import famous_models\n\nfor model in famous_models():\n"
        "    print(model.date, model.name, model.total_params, model.params, model.source)\n",
        height=HEIGHT,
    )
    st.caption(
        _(
            "All parameters, also those that a token does not meet (diamonds: mixtures of experts). The date is that "
            "of the report. GPT and GPT-2 stand here alone: no report prints their number of training tokens."
        )
    )


def _say_growth(models: tuple[FamousModel, ...]) -> None:
    largest = max(models, key=lambda model: model.total_params)
    densest = max((model for model in models if not model.is_mixture), key=lambda model: model.params)
    first = models[0]
    st.markdown(
        _(
            "From {first} ({first_size}, {first_date}) to {largest} ({largest_size}, {largest_date}) the largest model "
            "of the table has grown {times} times; the largest dense one is {dense} ({dense_size}, {dense_date})."
        ).format(
            first=first.name,
            first_size=short(first.total_params),
            first_date=first.date,
            largest=largest.name,
            largest_size=short(largest.total_params),
            largest_date=largest.date,
            times=short(largest.total_params / first.total_params),
            dense=densest.name,
            dense_size=short(densest.params),
            dense_date=densest.date,
        )
    )


def choose_famous_law(study: ScalingStudy | None) -> str:
    """A printed law, Gadre's form on Hoffmann's runs, or the page's own fit."""
    titles = {
        **{key: _(published.title) for key, published in PRINTED.items()},
        GADRE: _("Gadre's form on Hoffmann's runs"),
        **({OWN: _("Your fit")} if study is not None else {}),
    }
    return choose_option(FAMOUS_LAW, _("Law"), titles, hidden=True)


def _chosen_law(key: str, study: ScalingStudy | None) -> ChosenLaw | None:
    if key in PRINTED:
        published = PRINTED[key]
        return ChosenLaw(
            title=_(published.title),
            law=published.law,
            parameters=published.parameters,
            source=_(published.source),
            code=f"parameters = {published.parameters!r}",
        )
    if key == GADRE:
        return _fitted(study_of_hoffmann(_("Hoffmann's runs, as read off")), GADRE)
    law = read_choice(LAW, list(LAWS))
    return None if study is None else _fitted(study, law if law in CLOSED_FORMS else "chinchilla")


def _fitted(study: ScalingStudy, law: str) -> ChosenLaw | None:
    fitted: Fit | None = fetch_fit(study, law)
    if fitted is None:
        return None
    return ChosenLaw(
        title=_("{law}, {data}").format(law=law_title(fitted), data=study.title),
        law=law,
        parameters=fitted.parameters,
        source=_("{law} fitted to {data}").format(law=law_title(fitted), data=study.source),
        code=f"parameters = {fitted.parameters!r}  # fitted on the page",
    )


def _map_dots(models: list[FamousModel], found: dict[str, Overtraining]) -> NamedDots:
    # Labels are placed in this order: the models that lie farthest from the frontier keep theirs.
    models = sorted(models, key=lambda model: -abs(math.log(found[model.name].factor)))
    details = [
        "<br>".join(
            [
                _("{date}: N {params}, D {tokens}, D/N {ratio}").format(
                    date=model.date,
                    params=short(model.params),
                    tokens=short(each.tokens),
                    ratio=short(each.tokens / each.params),
                ),
                _("{factor} times its optimal tokens, {loss:.3f} nats given up").format(
                    factor=short(each.factor), loss=each.given_up
                ),
            ]
        )
        for model in models
        for each in [found[model.name]]
    ]
    return NamedDots(
        names=[model.name for model in models],
        x=np.array([model.params for model in models]),
        y=np.array([found[model.name].tokens for model in models]),
        years=np.array([model.years for model in models]),
        is_mixture=[model.is_mixture for model in models],
        details=details,
    )


def _size_dots(models: tuple[FamousModel, ...]) -> NamedDots:
    return NamedDots(
        names=[model.name for model in models],
        x=np.array([model.years for model in models]),
        y=np.array([model.total_params for model in models]),
        years=np.array([model.years for model in models]),
        is_mixture=[model.is_mixture for model in models],
        details=[
            _("{date}: {total} parameters, {active} work on a token").format(
                date=model.date, total=short(model.total_params), active=short(model.params)
            )
            for model in models
        ],
    )


def _frontier(chosen: ChosenLaw, models: list[FamousModel]) -> Line:
    sizes = [model.params for model in models]
    x = np.geomspace(min(sizes) / 3, max(sizes) * 3, CURVE_POINTS)
    frontier = CLOSED_FORMS[chosen.law](chosen.parameters)
    return Line(name=_("optimal: {law}").format(law=chosen.title), x=x, y=frontier.tokens(frontier.flops(x)))


def _row(model: FamousModel, each: Overtraining) -> dict[str, str]:
    return {
        _("Model"): model.name,
        _("Date"): model.date,
        _("Parameters N"): short(model.params),
        _("Tokens D"): short(each.tokens),
        _("D / N"): short(each.tokens / each.params),
        _("D / optimal D"): f"× {each.factor:.3g}",
        _("Nats given up"): f"{each.given_up:.3f}",
        _("Optimal N"): short(each.best_params),
        _("Source"): "; ".join(filter(None, (model.source, model.note))),
    }


def _table(models: list[FamousModel], found: dict[str, Overtraining]) -> list[Row]:
    columns = ("name", "date", "params", "total_params", "tokens", "tokens_over_optimal", "loss_given_up")
    table: list[Row] = [(*columns, "optimal_params_of_its_compute", "note", "source")]
    for model in models:
        each = found[model.name]
        sizes = (model.params, model.total_params, each.tokens, each.factor, each.given_up, each.best_params)
        table.append((model.name, model.date, *sizes, model.note, model.source))
    return table


def _code(chosen: ChosenLaw) -> str:
    return f"""from playground.scaling.famous import famous_models, trained_as

{chosen.code}
for name, model in trained_as(famous_models(), {chosen.law!r}, parameters).items():
    print(name, model.factor, model.given_up, model.best_params)
"""
