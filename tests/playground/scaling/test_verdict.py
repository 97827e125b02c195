"""What a fit says of itself: widths of intervals, the runs test by hand, bends that are planted and found."""

import numpy as np
import pytest

from playground.scaling.fits import fit
from playground.scaling.points import Points
from playground.scaling.verdict import RunsTest, bend_of, exponent_sentence, fit_verdict, p_text, runs_test, spread
from tests.helpers.planted_points import scattered


@pytest.mark.parametrize(
    ("n_above", "n_below", "n_streaks", "p"),
    [
        # Counted by hand: of the 20 orders of three and three, 2 have two streaks, 4 have three, 8 have four.
        (3, 3, 2, 2 / 20),
        (3, 3, 3, 6 / 20),
        (3, 3, 4, 14 / 20),
        (3, 3, 6, 1.0),
        # Of the 252 orders of five and five, 2 have two streaks and 8 have three.
        (5, 5, 2, 2 / 252),
        (5, 5, 3, 10 / 252),
        # Of the 10 orders of two and three, 2 have two streaks, 3 have three.
        (2, 3, 2, 2 / 10),
        (2, 3, 3, 5 / 10),
        (4, 0, 1, 1.0),
    ],
)
def test_the_runs_test_counts_orders(n_above, n_below, n_streaks, p):
    assert RunsTest(column="params", n_above=n_above, n_below=n_below, n_streaks=n_streaks).p == pytest.approx(p)


def test_streaks_are_counted_in_the_order_of_a_column_ties_by_the_others():
    points = Points(params=[4.0, 1.0, 2.0, 3.0], tokens=[1.0, 1.0, 1.0, 1.0], loss=[1.0] * 4)
    test = runs_test(np.array([-1.0, 1.0, 1.0, -1.0]), points, "params")
    assert (test.n_above, test.n_below, test.n_streaks) == (2, 2, 2)
    assert test.p == pytest.approx(2 / 6)
    by_tokens = runs_test(np.array([-1.0, 1.0, 1.0, -1.0]), points, "tokens")
    assert by_tokens.n_streaks == 2  # one D: in the order of N
    assert runs_test(np.array([0.0, 1.0, -1.0, 0.0]), points, "params").n_above == 1


def test_the_width_of_an_interval_decides_what_is_said_of_an_exponent():
    assert exponent_sentence("beta", 0.246, (0.219, 0.269)) == "β is 0.246 [0.219, 0.269]."
    assert exponent_sentence("alpha", 0.4, (0.33, 0.5)).endswith("the runs determine it only roughly.")
    assert exponent_sentence("alpha", 1.0352, (0.5795, 1.553)) == (
        "α is 1.04 [0.58, 1.55]: the runs hardly determine it."
    )
    assert exponent_sentence("alpha", 0.1, (-0.1, 0.3)).endswith("the runs hardly determine it.")
    assert spread(0.0, 1.0) == np.inf


def test_a_law_that_has_the_right_shape_shows_no_bend():
    fitted = fit("chinchilla", scattered(noise=0.01), starts=8)
    bend = bend_of(fitted)
    assert not bend.is_clear
    assert bend.size == pytest.approx(0.01, rel=0.2)
    assert "show no bend" in bend.sentence


def test_a_law_without_the_floor_that_the_runs_have_bends():
    tokens = np.geomspace(1e8, 1e11, 60)
    noise = np.exp(0.001 * np.random.default_rng(0).normal(size=60))
    points = Points(params=np.full(60, 1e8), tokens=tokens, loss=(1.5 + 2000 / tokens**0.4) * noise)
    bend = bend_of(fit("power-d", points, starts=8))
    assert bend.is_clear
    assert bend.sentence.endswith("bend along D (runs test, p < 0.001): the law misses something.")


def test_nothing_is_said_of_residuals_that_are_none_or_of_points_that_share_a_curve():
    exact = scattered()
    assert bend_of(fit("chinchilla", exact, starts=8)) is None
    noisy = scattered(noise=0.01)
    shared = Points(
        params=noisy.params, tokens=noisy.tokens, loss=noisy.loss, names=tuple(f"{i // 2}" for i in range(len(noisy)))
    )
    assert bend_of(fit("chinchilla", shared, starts=4)) is None


def test_the_verdict_says_held_out_error_exponents_residuals_and_where_it_ends():
    fitted = fit("power-n", scattered("power-n", {"A": 10.0, "alpha": 0.1}, noise=0.01), starts=4)
    sentences = fit_verdict(fitted, {"alpha": (0.09, 0.11)})
    assert [sentence.split()[0] for sentence in sentences] == ["Fitted", "α", "Residuals", "Beyond"]
    assert [sentence.split()[0] for sentence in fit_verdict(fitted, {})] == ["Fitted", "Residuals", "Beyond"]


def test_a_probability_is_one_digit_or_a_bound():
    assert [p_text(p) for p in (0.5, 0.034, 0.0009)] == ["p = 0.5", "p = 0.03", "p < 0.001"]


def test_an_exponent_that_the_points_do_not_identify_has_no_number_in_the_verdict():
    params = np.geomspace(1e8, 1.02e8, 12)
    tokens = np.tile(np.geomspace(1e9, 1e11, 4), 3)
    points = Points(params=params, tokens=tokens, loss=1.69 + 410.7 / tokens**0.28)
    verdict = fit_verdict(fit("chinchilla", points, starts=2), {"alpha": (0.3, 0.35), "beta": (0.27, 0.29)})
    assert "α is not determined by the runs." in verdict
    assert [sentence for sentence in verdict if sentence.startswith("β is 0.28 [0.27, 0.29]")]
    assert not [sentence for sentence in verdict if "0.35" in sentence]
