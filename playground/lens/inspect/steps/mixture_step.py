"""The router of a mixture of experts: a score for every expert, and the shares of those chosen."""

import math
from dataclasses import dataclass

import numpy as np

from playground.lens.inspect.steps import router
from playground.lens.inspect.steps.code_lines import CodeReference
from playground.lens.inspect.steps.derivation import Derivation, Term, sum_of
from playground.lens.inspect.steps.feed_forward import FeedForward
from playground.lens.inspect.steps.mixture import Mixture
from playground.lens.inspect.steps.products import ListedProducts
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.token_inputs import TokenInputs
from playground.lens.inspect.steps.vectors import Origin, Vector
from playground.text import _, subtracted


@dataclass(frozen=True, kw_only=True, eq=False)
class Shares(Vector):
    """Each chosen expert's share; values are 0 for the others."""

    scores: np.ndarray
    chosen: tuple[int, ...]
    rule: str
    factor: float = 1.0

    def derive(self, column: int) -> Derivation:
        """The terms below the quotient, or the one score."""
        if column not in self.chosen:
            return self._derived(column, _("not chosen"), [Term(name=_("not chosen"), value=0.0)], 0.0)
        is_logistic = self.rule.startswith("logistic")
        over = range(len(self.scores)) if self.rule == "all" else self.chosen
        over = (column,) if self.rule == "logistic" else over
        largest = float(self.scores.max())

        def weight(score: float) -> float:
            return 1 / (1 + math.exp(-score)) if is_logistic else math.exp(score - largest)

        name = "σ(s[{e}])" if is_logistic else f"exp(s[{{e}}] {subtracted(largest)})"
        terms = [
            Term(name=name.format(e=e), factors=(float(self.scores[e]),), value=weight(float(self.scores[e])))
            for e in over
        ]
        own, total = self.factor * weight(float(self.scores[column])), sum_of(terms)
        formula = "" if self.factor == 1 else f"{self.factor:g} · "
        formula += name.format(e=column) + ("" if self.rule == "logistic" else f" / Σ {name.format(e='j')}")
        return self._derived(column, formula, terms, own if self.rule == "logistic" else own / total)

    def origin(self, first: int = 0) -> Origin:
        """The score of each."""
        return _("from the score {blank}").format(blank=f"{{{first}}}"), [self.scores]


def router_step(inputs: TokenInputs) -> InsideStep | None:
    """s: the experts' scores; p: the shares of those chosen. None in a dense layer."""
    feed_forward = inputs.feed_forward
    if feed_forward is None or not isinstance(feed_forward.body, Mixture):
        return None
    body = feed_forward.body
    rows = _router_rows(feed_forward, body)
    table = StepTable(
        label=_("Scores of all experts, and the shares of those chosen"),
        rows=rows,
        role="head",
        is_scaled_by_row=True,
        columns=tuple(map(str, rows[0].keys)),
        axis=_("expert"),
    )
    return InsideStep(
        name="router",
        title=_("Router"),
        formula=rf"s = W_{{\mathrm{{router}}}}\hat{{x}} \\[6pt] {body.router.rule.formula}",
        explanation=_explanation(inputs, body),
        tables=(table,),
        code=(CodeReference(module=router, function="Router.__call__", names=("preferred", "topk")),),
    )


def _router_rows(feed_forward: FeedForward, body: Mixture) -> tuple[Row, Row]:
    x, routing = feed_forward.input[:1], body.router(feed_forward.input[:1])
    scores = (routing.scores if feed_forward.scores is None else feed_forward.scores)[0].numpy()
    assert feed_forward.shares is not None
    shares, chosen = feed_forward.shares[0].numpy(), tuple(routing.chosen[0].tolist())
    experts = tuple(range(len(scores)))
    score_vector = ListedProducts(
        name="s[{column}]",
        values=scores,
        map=body.router.map,
        input=x[0].numpy(),
        listed=experts,
        term_name="W_router[{column},{term}] · x̂[{term}]",
        formula="Σ W_router[{column},i] · x̂[i]",
        bias_name="b_router[{column}]",
        is_recomputed=feed_forward.scores is None,
    )
    share_vector = Shares(
        name="p[{column}]",
        values=shares,
        scores=scores,
        chosen=chosen,
        rule=body.router.rule.name,
        factor=body.router.factor,
    )
    return (
        Row(symbol="s", label="s", vector=score_vector, keys=experts),
        Row(symbol="p", label="p", vector=share_vector, keys=experts),
    )


def _explanation(inputs: TokenInputs, body: Mixture) -> str:
    pairs = ", ".join(f"{one.expert} ({one.share:.1%})" for one in inputs.branches if one.expert != body.shared_number)
    template = _("The token goes through {count} of {total} experts: {experts}.")
    sentences = [template.format(count=body.router.choices, total=len(body.tables.up), experts=pairs)]
    shared = next((one for one in inputs.branches if one.expert == body.shared_number), None)
    if shared is not None:
        template = _("A shared expert, which every token goes through, adds {share:.1%} of its output.")
        sentences.append(template.format(share=shared.share))
    if body.router.preference is not None:
        sentences.append(_("Experts are chosen by their logistic scores plus a bias of each, which no share holds."))
    if body.router.preference is not None and body.router.preference.kept < body.router.preference.groups:
        template = _("Only the experts of the best {kept} of {groups} groups are chosen from.")
        sentences.append(template.format(kept=body.router.preference.kept, groups=body.router.preference.groups))
    if body.router.factor != 1:
        sentences.append(_("The shares are multiplied by {factor:g}.").format(factor=body.router.factor))
    if body.router.rule.name == "all":
        sentences.append(_("The shares of the chosen experts do not sum to 1: the softmax runs over all experts."))
    return " ".join(sentences)
