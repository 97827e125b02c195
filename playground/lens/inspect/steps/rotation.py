"""By which angles rotary positions turned a head's queries or keys, read off the vectors before and after."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

TOLERANCE = 1e-3
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

    Families pair number i with i + half (Llama) or neighbours (GPT-J), and some turn the first numbers only (GPT-NeoX).
    """
    for turned in range(2, before.shape[1] + 1, 2):
        # Numbers that are not turned are the very same; slow pairs are turned by little, and must not pass for them.
        if not np.allclose(before[:, turned:], after[:, turned:], rtol=0, atol=1e-6 * np.abs(after).max()):
            continue
        numbers = np.arange(turned)
        halves, neighbours = (numbers[: turned // 2], numbers[turned // 2 :]), (numbers[::2], numbers[1::2])
        for first, second in (halves, neighbours):
            found = _turned(before, after, first, second)
            if found is not None:
                return found
    return None


def _turned(before: np.ndarray, after: np.ndarray, first: np.ndarray, second: np.ndarray) -> Rotation | None:
    """The rotation of these pairs, if they kept their lengths."""
    was, is_now = (numbers[:, first] + 1j * numbers[:, second] for numbers in (before, after))
    longest = max(float(np.abs(was).max()), 1e-12)
    if np.abs(np.abs(was) - np.abs(is_now)).max() > TOLERANCE * longest:
        return None
    return Rotation(first=first, second=second, angles=np.angle(is_now * was.conj()))
