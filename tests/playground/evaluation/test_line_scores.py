"""Lines under several measures: the corpus' scores equal sacrebleu's, counted together or one after the other."""

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF, TER

from playground.errors import UserError
from playground.evaluation.bleu import BleuConfig
from playground.evaluation.line_scores import LINE_MEASURES, compare_systems, line_scores
from playground.evaluation.lines import ComparedLines

WORDS = ["the", "a", "cat", "dog", "sat", "lay", "on", "mat", "rug,", "today"]


def some_lines(seed: int, n: int = 40) -> tuple[list[str], list[str]]:
    generator = np.random.default_rng(seed)
    references = [" ".join(generator.choice(WORDS, 8)) for _line in range(n)]
    hypotheses = [" ".join(generator.permutation(text.split())[:6]) + " sat on" for text in references]
    return hypotheses, references


def compared(hypotheses: list[str], references: list[str]) -> ComparedLines:
    return ComparedLines(hypotheses=tuple(hypotheses), references=tuple((text,) for text in references))


def test_the_corpus_scores_are_sacrebleus():
    hypotheses, references = some_lines(0)
    report = line_scores(compared(hypotheses, references)).report()
    assert report["bleu"]["score"] == pytest.approx(BLEU().corpus_score(hypotheses, [references]).score, abs=1e-9)
    assert report["chrf"] == pytest.approx(CHRF().corpus_score(hypotheses, [references]).score, abs=1e-9)
    assert report["ter"] == pytest.approx(TER().corpus_score(hypotheses, [references]).score, abs=1e-9)


def test_what_is_counted_later_is_what_would_have_been_counted_at_once():
    lines = compared(*some_lines(1))
    at_once = line_scores(lines)
    first, later = line_scores(lines, measures=("bleu", "chrf")), line_scores(lines, measures=("ter",))
    assert list(first.spreads) == ["bleu", "chrf"]
    assert first.with_measures(later).report() == at_once.report()
    assert first.statistics.keys() == {"bleu", "chrf"}


def test_progress_is_in_lines_whatever_is_counted():
    for measures in (LINE_MEASURES, ("ter",)):
        seen: list[tuple[int, int]] = []
        line_scores(compared(*some_lines(2)), measures=measures, on_progress=lambda *step, seen=seen: seen.append(step))
        assert seen == sorted(seen)
        assert seen[-1] == (40, 40)


def test_two_systems_are_compared_in_what_was_counted_of_both():
    hypotheses, references = some_lines(3)
    first = line_scores(compared(hypotheses, references))
    second = line_scores(compared(references, references), measures=("bleu", "ter"))
    paired = compare_systems(first, second)
    assert list(paired) == ["bleu", "ter"]
    assert paired["bleu"].second.value == pytest.approx(100)
    assert paired["ter"].difference.value == pytest.approx(-first.spreads["ter"].value)
    assert paired["bleu"].is_told_apart


@pytest.mark.parametrize("other", [{"lowercase": True}, None])
def test_systems_on_other_lines_or_counted_otherwise_are_not_compared(other):
    hypotheses, references = some_lines(4)
    first = line_scores(compared(hypotheses, references))
    second = (
        line_scores(compared(hypotheses, references), BleuConfig(**other))
        if other
        else line_scores(compared(hypotheses, references[::-1]))
    )
    with pytest.raises(UserError, match="same references"):
        compare_systems(first, second)
