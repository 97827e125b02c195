"""The steps after the last block: final norm, one logit, and the softmax over all tokens.

Vaswani et al. 2017, section 3.4.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from playground.lens.generate import predictions
from playground.lens.inspect.steps.code_lines import CodeReference, in_transformer
from playground.lens.inspect.steps.derivation import Derivation, Term, sum_of
from playground.lens.inspect.steps.feed_forward_norm import norm_formula
from playground.lens.inspect.steps.norm_map import LinearMap, NormMap
from playground.lens.inspect.steps.output_head import OutputHead
from playground.lens.inspect.steps.output_head_step import own_stages, stage_vector
from playground.lens.inspect.steps.products import ListedProducts
from playground.lens.inspect.steps.step import InsideStep, Row, StepTable
from playground.lens.inspect.steps.stream_step import final_vector
from playground.lens.inspect.steps.token_inputs import MOST_DIMENSIONS, TokenInputs
from playground.lens.inspect.steps.vectors import NamedTerm, Origin, Products, SumOfTerms, Vector
from playground.text import _, fill, subtracted

LISTED_TERMS = 200
"""Terms of a softmax that are listed one by one; the others are one term together."""


def final_norm_step(inputs: TokenInputs) -> InsideStep | None:
    """f: the stream after the last block; g: the norm's weights; n: what is read of it."""
    stage = inputs.token.ending.norm
    if stage is None or not isinstance(stage.map, NormMap):
        return None
    rows = (
        Row(symbol="f", label=_("final state"), vector=final_vector(inputs.stream)),
        Row(
            symbol="g",
            label=_("norm weights"),
            vector=Vector(name="w[{column}]", values=stage.map.step.weight, note=_("learned")),
        ),
        Row(symbol="n", label=_("normed"), vector=stage_vector(stage, "x̂", "f")),
    )
    root = stage.map.at(stage.before[0].numpy()).root
    template = _("The stream after the last block, divided by {root:.4g} and multiplied by the norm's weights.")
    return InsideStep(
        name="final_norm",
        title=_("Final norm"),
        formula=norm_formula(stage.map, "f"),
        explanation=template.format(root=root),
        tables=(StepTable(label=_("Final state and its norm"), rows=rows, role="stream", is_scaled_by_row=True),),
        code=(in_transformer("Transformer.encode", "norm", "residual"),),
    )


def logit_step(inputs: TokenInputs) -> InsideStep | None:
    """w, n, p: the traced token's row, the state and their products; l: the logits of the listed tokens; k: capped."""
    head, token = inputs.head, inputs.traced
    if head is None or token is None or inputs.logits is None:
        return None
    state = head.state[0].numpy()
    weight = head.matrix.weight[token].float().cpu().numpy()
    products = weight * state
    largest = tuple(np.argsort(-np.abs(products), kind="stable")[:MOST_DIMENSIONS].tolist())
    weights = Vector(name=f"W_U[{token},{{column}}]", values=weight, note=_("learned"))
    state_vector = state_of(inputs, head)
    product = Products(
        name=f"W_U[{token},{{column}}] · h[{{column}}]",
        values=products,
        left=NamedTerm(name=weights.name, values=weight),
        right=NamedTerm(name=state_vector.name, values=state),
        says_formula=False,
    )
    template = _("Row of {token} in the output matrix, the state, and their products: the {listed} largest of {count}")
    rows = (
        Row(symbol="w", label="W_U", vector=weights, keys=largest),
        Row(symbol="h", label=_("state"), vector=state_vector, keys=largest),
        Row(symbol="p", label=_("product"), vector=product, keys=largest),
    )
    row_table = StepTable(
        label=template.format(token=inputs.spelling(token), listed=len(largest), count=len(state)),
        rows=rows,
        role="stream",
        is_scaled_by_row=True,
        columns=tuple(map(str, largest)),
        axis=_("dimension"),
    )
    return InsideStep(
        name="logit",
        title=_("Logits"),
        formula=_logit_formula(head),
        explanation=_logit_sentence(inputs, head, products),
        tables=(row_table, _logit_table(inputs, head)),
        code=(in_transformer("Transformer.forward", "head"),),
    )


def state_of(inputs: TokenInputs, head: OutputHead) -> Vector:
    """What the output matrix reads, with how the last stage made it."""
    if not head.stages:
        final = final_vector(inputs.stream)
        return SumOfTerms(name="h[{column}]", values=final.values, terms=final.terms, formula=final.formula)
    own = own_stages(inputs.token.ending)
    if not own:
        return stage_vector(head.stages[-1], "h", "f")
    return stage_vector(own[-1].stage, own[-1].letter, own[-1].source)


def _logit_formula(head: OutputHead) -> str:
    product = r"W_U\, h" if head.factor == 1 else rf"{head.factor:.4g} \cdot W_U\, h"
    bias = "" if head.matrix.bias is None and head.bias is None else " + b"
    capped = "" if head.cap is None else rf" \\[6pt] \ell' = {head.cap:g} \tanh(\ell / {head.cap:g})"
    return rf"\ell = {product}{bias}{capped}"


def _logit_sentence(inputs: TokenInputs, head: OutputHead, products: np.ndarray) -> str:
    assert inputs.logits is not None
    assert inputs.traced is not None
    template = _("The products of {token} sum to {total:.5g}; the model's logit is {logit:.5g}.")
    logit = float(inputs.logits[inputs.traced])
    token = inputs.spelling(inputs.traced)
    sentences = [fill(template, token=token, total=float(products.sum()), logit=logit)]
    if head.factor != 1:
        sentences.append(_("This family multiplies the sum by {factor:.4g}.").format(factor=head.factor))
    bias = head.matrix.bias if head.bias is None else head.bias
    if bias is not None:
        sentences.append(fill(_("The token's bias is {bias:.4g}."), bias=float(bias[inputs.traced])))
    if head.cap is not None:
        sentences.append(_("A soft cap keeps every logit between −{cap:g} and {cap:g}.").format(cap=head.cap))
    return " ".join(sentences)


def _logit_table(inputs: TokenInputs, head: OutputHead) -> StepTable:
    """The logits of the listed tokens, before and behind the cap."""
    rows = [Row(symbol="l", label="ℓ", vector=_uncapped_vector(inputs, head), keys=inputs.top)]
    if head.cap is not None:
        rows.append(Row(symbol="k", label="ℓ′", vector=_logit_vector(inputs, head), keys=inputs.top))
    return _token_table(inputs, tuple(rows), _("Logits of the most probable tokens"))


def _uncapped_vector(inputs: TokenInputs, head: OutputHead) -> ListedProducts:
    """Every logit before a cap: the products of its row, and its bias."""
    assert inputs.logits is not None
    return ListedProducts(
        name="ℓ[{column}]",
        values=inputs.logits if head.cap is None else head.uncapped(head.state[:1])[0].numpy(),
        map=head.matrix if head.bias is None else LinearMap(weight=head.matrix.weight, bias=head.bias),
        input=head.state[0].numpy(),
        listed=inputs.top,
        term_name="W_U[{column},{term}] · h[{term}]",
        formula="Σ W_U[{column},i] · h[i]",
        factor=head.factor,
    )


def _logit_vector(inputs: TokenInputs, head: OutputHead) -> Vector:
    """Every logit of the model."""
    uncapped = _uncapped_vector(inputs, head)
    if head.cap is None:
        return uncapped
    assert inputs.logits is not None
    name = f"{head.cap:g} · tanh(ℓ[{{column}}] / {head.cap:g})"
    term = NamedTerm(name=name, values=inputs.logits, factors=(uncapped.values,))
    return SumOfTerms(name="ℓ′[{column}]", values=inputs.logits, terms=(term,))


def _token_table(inputs: TokenInputs, rows: tuple[Row, ...], label: str) -> StepTable:
    names = tuple(inputs.spelling(token) for token in inputs.top)
    return StepTable(
        label=label, rows=rows, role="head", is_scaled_by_row=True, columns=names, axis=_("token of the vocabulary")
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class VocabularySoftmax(Vector):
    """values = exp(logit - largest) / sum over the whole vocabulary."""

    logits: Float[np.ndarray, "token"]

    def derive(self, column: int) -> Derivation:
        """The largest exponentials of the denominator one by one, the others together."""
        logits = self.logits.astype(float)
        largest = float(logits.max())
        exponentials = np.exp(logits - largest)
        order = np.argsort(-exponentials, kind="stable")
        listed, rest = order[:LISTED_TERMS], order[LISTED_TERMS:]
        terms = [
            Term(name=f"exp(ℓ[{token}] {subtracted(largest)})", factors=(float(logits[token]),), value=float(value))
            for token, value in zip(listed, exponentials[listed], strict=True)
        ]
        if len(rest):
            name = _("the other {count:,} tokens").format(count=len(rest))
            terms.append(Term(name=name, value=float(exponentials[rest].sum())))
        total = sum_of(terms)
        formula = f"exp(ℓ[{column}] {subtracted(largest)}) / Σ exp(ℓ[j] {subtracted(largest)})"
        return self._derived(column, formula, terms, float(exponentials[column]) / total)

    def origin(self, first: int = 0) -> Origin:
        """The logit of each."""
        return _("from the logit {blank}").format(blank=f"{{{first}}}"), [self.logits]


def probabilities_step(inputs: TokenInputs) -> InsideStep | None:
    """l: logits; e: exponentials; p: probabilities of the listed tokens."""
    if inputs.logits is None or inputs.traced is None or inputs.head is None:
        return None
    logits, largest = inputs.logits, float(inputs.logits.max())
    exponentials = np.exp(logits - largest)
    probabilities = exponentials / exponentials.sum()
    exponential = NamedTerm(name=f"exp(ℓ[{{column}}] {subtracted(largest)})", values=exponentials, factors=(logits,))
    rows = (
        Row(symbol="l", label="ℓ", vector=_logit_vector(inputs, inputs.head), keys=inputs.top),
        Row(
            symbol="e",
            label="exp",
            vector=SumOfTerms(name="e[{column}]", values=exponentials, terms=(exponential,)),
            keys=inputs.top,
        ),
        Row(
            symbol="p",
            label="p",
            vector=VocabularySoftmax(name="p[{column}]", values=probabilities, logits=logits),
            keys=inputs.top,
        ),
    )
    return InsideStep(
        name="probabilities",
        title=_("Probabilities"),
        formula=r"p_t = \frac{e^{\ell_t}}{\sum_j e^{\ell_j}}",
        explanation=_explain_probabilities(inputs, inputs.traced, float(exponentials.sum()), probabilities),
        tables=(_token_table(inputs, rows, _("Logits, exponentials and probabilities of the most probable tokens")),),
        code=(CodeReference(module=predictions, function="_tempered", names=("scores", "softmax")),),
    )


def _explain_probabilities(
    inputs: TokenInputs, traced: int, total: float, probabilities: Float[np.ndarray, "vocabulary"]
) -> str:
    return _(
        "The exponentials of all {count:,} tokens sum to {total:.5g}. {token} gets {probability:.2%}; the tokens "
        "listed get {listed:.1%} together."
    ).format(
        count=len(probabilities),
        total=total,
        token=inputs.spelling(traced),
        probability=float(probabilities[traced]),
        listed=float(probabilities[list(inputs.top)].sum()),
    )
