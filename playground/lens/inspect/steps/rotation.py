"""Rotary positions: pairs of numbers of queries and keys, turned by angles that grow with the position.

Su et al. 2021, section 3.2. The angles are read off the vectors before and after, so that no family's frequencies are
needed.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from playground.lens.inspect.steps.code_lines import in_transformer
from playground.lens.inspect.steps.derivation import Derivation, Term, product_term
from playground.lens.inspect.steps.head import ProjectedVectors
from playground.lens.inspect.steps.projection import key_rows
from playground.lens.inspect.steps.step import InsideStep, Row, StepInputs, StepTable
from playground.lens.inspect.steps.vectors import Origin, Vector
from playground.lens.tolerances import ROTATION, UNROTATED_COMPONENT
from playground.text import _

"""How far a pair's length may be from what it was, relative to the longest, to count as turned."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rotation:
    """Pairs of numbers and the angle (radians, -pi to pi) by which each token's were turned.

    after[first] = before[first] * cos - before[second] * sin; after[second] = before[second] * cos + before[first] *
    sin. Numbers in no pair stay as they are.
    """

    first: Int[np.ndarray, "pair"]
    second: Int[np.ndarray, "pair"]
    angles: Float[np.ndarray, "token pair"]

    def turn(self, before: Float[np.ndarray, "token width"]) -> Float[np.ndarray, "token width"]:
        """The vectors after turning."""
        after = before.copy()
        cosine, sine = np.cos(self.angles), np.sin(self.angles)
        after[:, self.first] = before[:, self.first] * cosine - before[:, self.second] * sine
        after[:, self.second] = before[:, self.second] * cosine + before[:, self.first] * sine
        return after


def rotation_of(before: Float[np.ndarray, "token width"], after: Float[np.ndarray, "token width"]) -> Rotation | None:
    """The rotation between vectors; None where no pairs of numbers kept their lengths.

    Of 8 numbers Llama pairs 0-4 1-5 2-6 3-7, GPT-J 0-1 2-3 4-5 6-7, and GPT-NeoX turns the first few only.
    """
    for width in range(2, before.shape[1] + 1, 2):
        # Numbers that are not turned are the very same; slow pairs are turned by little, and must not pass for them.
        if not np.allclose(before[:, width:], after[:, width:], rtol=0, atol=UNROTATED_COMPONENT * np.abs(after).max()):
            continue
        numbers = np.arange(width)
        halves, neighbours = (numbers[: width // 2], numbers[width // 2 :]), (numbers[::2], numbers[1::2])
        for first, second in (halves, neighbours):
            rotation = _rotation_of_pairs(before, after, first, second)
            if rotation is not None:
                return rotation
    return None


def _rotation_of_pairs(before: np.ndarray, after: np.ndarray, first: np.ndarray, second: np.ndarray) -> Rotation | None:
    """The rotation of these pairs, if they kept their lengths: a pair is a complex number, turning multiplies it."""
    was, is_now = (numbers[:, first] + 1j * numbers[:, second] for numbers in (before, after))
    longest = max(float(np.abs(was).max()), 1e-12)
    if np.abs(np.abs(was) - np.abs(is_now)).max() > ROTATION * longest:
        return None
    return Rotation(first=first, second=second, angles=np.angle(is_now * was.conj()))


@dataclass(frozen=True, kw_only=True, eq=False)
class RotatedVector(Vector):
    """A query or key after rotary positions: two of its numbers times cosine and sine."""

    before: Float[np.ndarray, "column"]
    before_name: str
    rotation: Rotation
    token: int

    def derive(self, column: int) -> Derivation:
        """Both products; one term for a number that is not turned."""
        own, partner, angle, sign = self._pair(column)
        name = self.before_name.format(column=own)
        if partner is None:
            value = float(self.before[own])
            return self._derived(column, name, [Term(name=name, value=value)], value)
        cosine = product_term(f"{name} · cos θ", float(self.before[own]), math.cos(angle))
        sine_name = f"{self.before_name.format(column=partner)} · sin θ"
        signed = sine_name if sign > 0 else f"−{sine_name}"
        sine = product_term(signed, float(self.before[partner]), sign * math.sin(angle))
        formula = f"{cosine.name} {'−' if sign < 0 else '+'} {sine_name}, θ = {angle:.6g}"
        return self._derived(column, formula, [cosine, sine], cosine.value + sine.value)

    def origin(self, first: int = 0) -> Origin:
        """Both numbers of the pair and the angle; zeros for a number that is not turned."""
        rotation, before = self.rotation, self.before
        partners, angles = np.zeros_like(before), np.zeros_like(before)
        partners[rotation.first], partners[rotation.second] = -before[rotation.second], before[rotation.first]
        angles[rotation.first] = angles[rotation.second] = rotation.angles[self.token]
        text = f"= {{{first}}} · cos θ + ({{{first + 1}}}) · sin θ, θ = {{{first + 2}}} rad"
        return text, [before, partners, angles]

    def _pair(self, column: int) -> tuple[int, int | None, float, int]:
        """A number's own column, its partner's (None where it is not turned), the angle, and the sine's sign."""
        rotation = self.rotation
        for side, other, sign in ((rotation.first, rotation.second, -1), (rotation.second, rotation.first, 1)):
            (pairs,) = np.nonzero(side == column)
            if len(pairs):
                return column, int(other[pairs[0]]), float(rotation.angles[self.token, pairs[0]]), sign
        return column, None, 0.0, 1


def rotation_step(inputs: StepInputs) -> InsideStep | None:
    """q′, k′: query and keys after rotary positions; None where none turned them."""
    head, tables = inputs.head, []
    if head.query.rotates:
        row = Row(symbol="qr", label="q′", vector=_rotated("q", head.query, 0, ""), token=inputs.query_label)
        tables.append(StepTable(label=_("The query after rotation"), rows=(row,), role="query", is_scaled_by_row=True))
    if head.keys.rotates:
        rows = key_rows(inputs, "kr", lambda key: _rotated("k", head.keys, key, f"{key},"))
        tables.append(
            StepTable(label=_("The keys after rotation"), rows=rows, role="key", is_scaled_by_row=len(rows) <= 2)
        )
    if not tables:
        return None
    return InsideStep(
        name="rotation",
        title=_("Rotary positions"),
        formula=r"\q'_a = \q_a\cos\theta - \q_b\sin\theta \\ \q'_b = \q_b\cos\theta + \q_a\sin\theta",
        explanation=_(
            "Pairs of numbers are rotated by angles that grow with the position. Point at a number to see which."
        ),
        tables=tuple(tables),
        code=(in_transformer("Attention.forward", "rotate"),),
    )


def _rotated(symbol: str, vectors: ProjectedVectors, token: int, prefix: str) -> RotatedVector:
    assert vectors.rotation is not None
    return RotatedVector(
        name=f"{symbol}′[{prefix}{{column}}]",
        values=vectors.at_seam[token],
        before=vectors.projected[token],
        before_name=f"{symbol}[{prefix}{{column}}]",
        rotation=vectors.rotation,
        token=token,
    )
