"""chrF and TER: equal to sacrebleu on random corpora."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import CHRF, TER

from playground.evaluation.chrf import chrf_scores, chrf_signature, chrf_statistics
from playground.evaluation.lines import pair_lines
from playground.evaluation.ter import ter_scores, ter_signature, ter_statistics
from tests.playground.evaluation.test_bleu import corpora


@settings(max_examples=150)
@given(corpora())
def test_chrf_is_sacrebleus(lines):
    theirs = CHRF().corpus_score(lines.hypotheses, list(zip(*lines.references, strict=True)))
    assert chrf_scores(chrf_statistics(lines).sum(0)) == pytest.approx(theirs.score, abs=1e-9)


@settings(max_examples=60)
@given(corpora())
def test_ter_is_sacrebleus(lines):
    theirs = TER().corpus_score(lines.hypotheses, list(zip(*lines.references, strict=True)))
    assert ter_scores(ter_statistics(lines).sum(0)) == pytest.approx(theirs.score, abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_ter_of_lines_longer_than_its_beam_is_sacrebleus(seed):
    generator = random.Random(seed)
    rows = []
    for length in (4, 24, 25, 26, 40):
        wanted = [f"w{generator.randrange(20)}" for _place in range(length)]
        cut = generator.randrange(length)
        own = [word if generator.random() > 0.1 else "x" for word in wanted[cut:] + wanted[:cut]]
        rows.append((" ".join(own), " ".join(wanted)))
    lines = pair_lines("\n".join(own for own, _ in rows), ["\n".join(wanted for _, wanted in rows)])
    theirs = TER().corpus_score(lines.hypotheses, list(zip(*lines.references, strict=True)))
    assert ter_scores(ter_statistics(lines).sum(0)) == pytest.approx(theirs.score, abs=1e-9)


def test_chrf_by_hand():
    """`ab` in `abc`: 2 of 2 and 2 of 3 characters, 1 of 1 and 1 of 2 pairs, no triple."""
    precision, recall = (1 + 1) / 2, (2 / 3 + 1 / 2) / 2
    wanted = 100 * 5 * precision * recall / (4 * precision + recall)
    assert chrf_scores(chrf_statistics(pair_lines("ab", ["abc"]))[0]) == pytest.approx(wanted)


def test_ter_by_hand():
    """One block moved is one edit, of five words."""
    assert ter_scores(ter_statistics(pair_lines("d e a b c", ["a b c d e"]))[0]) == pytest.approx(20)


def test_signatures_name_their_settings():
    assert chrf_signature(2).startswith("nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")
    assert ter_signature(1).startswith("nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:")
