"""From scores to weights, their mix of values, and what goes back into the residual stream."""

import math

import numpy as np

from playground.lens.inspect.steps.accounts.account import (
    Account,
    Term,
    normed,
    single,
    single_product,
    summed,
    times,
    without_terms,
)
from playground.lens.inspect.steps.layer import HeadInside

HIDDEN = -1e4
"""Scores below this may not be seen: some families subtract a huge number instead of infinity."""


def _met(found: HeadInside) -> tuple[str, str]:
    """Query and key as they meet: with a stroke where positions turned them."""
    return "q′" if found.query.rotates else "q", "k′" if found.keys.rotates else "k"


def score_product(found: HeadInside, index: int, place: int) -> Account:
    steps, (q, k) = found.steps, _met(found)
    left, right = float(steps.query[place]), float(steps.keys[index, place])
    return single_product(
        f"p[{index},{place}]", (f"{q}[{place}]", left), (f"{k}[{index},{place}]", right), left * right
    )


def score(found: HeadInside, index: int, _place: int) -> Account:
    steps, (q, k) = found.steps, _met(found)
    terms = [
        times(f"{q}[{i}] · {k}[{index},{i}]", a, b)
        for i, (a, b) in enumerate(zip(steps.query, steps.keys[index], strict=True))
    ]
    return summed(f"s[{index}]", steps.products[index], f"Σ {q}[i] · {k}[{index},i]", terms)


def scaled(found: HeadInside, index: int, _place: int) -> Account:
    steps, cap = found.steps, found.steps.softcap
    formula = f"s[{index}] · {steps.scaling:.6g}"
    terms = [times(formula, steps.products[index], steps.scaling)]
    if cap is None:
        return summed(f"s′[{index}]", steps.scores[index], formula, terms)
    capped = f"{cap:g} · tanh({formula} / {cap:g})"
    return summed(f"s′[{index}]", steps.scores[index], capped, terms, lambda total: cap * math.tanh(total / cap))


def masked(found: HeadInside, index: int, _place: int) -> Account:
    steps = found.steps
    is_hidden = steps.masked[index] < HIDDEN
    added = -math.inf if is_hidden else float(steps.masked[index]) - float(steps.scores[index])
    value = -math.inf if is_hidden else steps.masked[index]
    terms = [single(f"s′[{index}]", steps.scores[index]), single(f"b[{index}]", added)]
    return summed(f"m[{index}]", value, f"s′[{index}] + b[{index}]", terms)


def weight(found: HeadInside, index: int, _place: int) -> Account:
    steps = found.steps
    masked = np.where(steps.masked < HIDDEN, -np.inf, steps.masked.astype(float))
    largest = float(masked.max()) if np.isfinite(masked).any() else 0.0
    terms = [
        Term(name=f"exp(m[{key}] − {largest:.6g})", factors=(float(m),), value=math.exp(m - largest))
        for key, m in enumerate(masked)
    ]
    above = terms[index].value
    if steps.sink is not None:
        terms.append(Term(name="exp(sink)", factors=(steps.sink,), value=math.exp(steps.sink - largest)))
    formula = f"exp(m[{index}] − {largest:.6g}) / Σ exp(m[j] − {largest:.6g})"
    return summed(f"a[{index}]", steps.weights[index], formula, terms, lambda total: above / total if total else 0.0)


def weighted(found: HeadInside, index: int, place: int) -> Account:
    a, v = float(found.steps.weights[index]), float(found.steps.values[index, place])
    return single_product(f"y[{index},{place}]", (f"a[{index}]", a), (f"v[{index},{place}]", v), a * v)


def mixed(found: HeadInside, _index: int, place: int) -> Account:
    steps = found.steps
    terms = [
        times(f"a[{key}] · v[{key},{place}]", a, v)
        for key, (a, v) in enumerate(zip(steps.weights, steps.values[:, place], strict=True))
    ]
    return summed(f"z[{place}]", steps.z[place], f"Σ a[j] · v[j,{place}]", terms)


def share(found: HeadInside, _index: int, place: int) -> Account:
    terms = [
        times(f"W_O[{place},{i}] · z[{i}]", w, z)
        for i, (w, z) in enumerate(zip(found.output_weight[place], found.steps.z, strict=True))
    ]
    return summed(f"o[{place}]", found.share[place], f"Σ W_O[{place},i] · z[i]", terms)


def written(found: HeadInside, _index: int, place: int) -> Account:
    terms = [single(f"o_{head}[{place}]", row[place]) for head, row in enumerate(found.head_shares)]
    formula = f"Σ o_h[{place}]"
    if found.output_bias is not None:
        terms.append(single(f"b_O[{place}]", found.output_bias[place]))
        formula += f" + b_O[{place}]"
    return summed(f"o[{place}] of all heads", found.written[place], formula, terms)


def added(found: HeadInside, _index: int, place: int) -> Account:
    """What went into the stream: as written, or normed first (Gemma 2)."""
    name, value = f"d[{place}]", found.added[place]
    if np.allclose(found.added, found.written, atol=1e-6):
        return written(found, 0, place)
    if found.added_norm is None:
        return without_terms(name, value, is_known=False)
    return normed(name, value, found.added_norm, found.written, place, letter="o")


def after(found: HeadInside, _index: int, place: int) -> Account:
    terms = [single(f"r[{place}]", found.residual[place]), single(f"d[{place}]", found.added[place])]
    return summed(f"r′[{place}]", found.after[place], f"r[{place}] + d[{place}]", terms)
