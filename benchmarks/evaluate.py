"""Count measures of texts beside their reference implementations: `python -m benchmarks.evaluate`.

ROUGE of 5,000 pairs beside rouge-score; BLEU, chrF and TER of 500 pairs beside sacrebleu, each line and the corpus.
Both count the same pairs in turn, over several rounds; their largest difference is written beside the seconds. Ours
include the intervals of 1,000 resamples, which the others do not have. SmolLM2's perplexity on 10,000 tokens is timed.
Writes benchmarks/results/evaluate.json.
"""

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.english import PROSE, tokenizer_of
from benchmarks.machine import RESULTS, measured_on
from benchmarks.table import DECODER
from playground.evaluation.line_scores import LINE_MEASURES, line_scores
from playground.evaluation.lines import ComparedLines
from playground.evaluation.rouge import ROUGE_KINDS, rouge_spreads, rouge_table

PAIRS = {"rouge": 5_000, "translation": 500}
WORDS = 20
READ_TOKENS = 10_000
CHANGED = 0.2
"""Share of words that another word replaces."""
Count = Callable[[ComparedLines], list[float]]
PACKAGES = ("numpy", "sacrebleu", "rouge-score")


def pairs(count: int, seed: int = 0) -> ComparedLines:
    """Lines of English prose, and the same with words replaced and halves exchanged in every third."""
    dice, words = random.Random(seed), PROSE.split()
    hypotheses, references = [], []
    for number in range(count):
        begin = dice.randrange(len(words) - WORDS)
        wanted = words[begin : begin + WORDS]
        own = [dice.choice(words) if dice.random() < CHANGED else word for word in wanted]
        own = own[WORDS // 2 :] + own[: WORDS // 2] if number % 3 == 0 else own
        hypotheses.append(" ".join(own))
        references.append((" ".join(wanted),))
    return ComparedLines(hypotheses=tuple(hypotheses), references=tuple(references))


def ours_rouge(lines: ComparedLines) -> list[float]:
    """The mean F1 of each kind."""
    return [found["f1"].value for found in rouge_spreads(rouge_table(lines)).values()]


def theirs_rouge(lines: ComparedLines) -> list[float]:
    """rouge-score's."""
    from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]

    scorer = RougeScorer(list(ROUGE_KINDS))
    texts = zip(lines.references, lines.hypotheses, strict=True)
    scores = [scorer.score(reference, own) for (reference,), own in texts]
    return [statistics.fmean(score[kind].fmeasure for score in scores) for kind in ROUGE_KINDS]


def ours_translation(lines: ComparedLines) -> list[float]:
    """The corpus' BLEU, chrF and TER; each line's are counted on the way."""
    scores = line_scores(lines)
    return [scores.spreads[name].value for name in LINE_MEASURES]


def theirs_translation(lines: ComparedLines) -> list[float]:
    """sacrebleu's, of the corpus and of each line."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    references = [list(column) for column in zip(*lines.references, strict=True)]
    of_lines, of_corpus = [BLEU(effective_order=True), CHRF(), TER()], [BLEU(), CHRF(), TER()]
    for metric in of_lines:
        for own, given in zip(lines.hypotheses, lines.references, strict=True):
            metric.sentence_score(own, list(given))
    return [metric.corpus_score(list(lines.hypotheses), references).score for metric in of_corpus]


def compare(group: str, ours: Count, theirs: Count, rounds: int) -> dict[str, Any]:
    """Both on the same pairs in turn."""
    lines = pairs(PAIRS[group])
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    values: dict[str, Sequence[float]] = {}
    for _round in range(rounds):
        for side, count in (("ours", ours), ("theirs", theirs)):
            began = perf_counter()
            values[side] = count(lines)
            seconds[side].append(perf_counter() - began)
            print(f"{group}: {side} {seconds[side][-1]:.1f} s", file=sys.stderr)
    ratios = [slow / fast for slow, fast in zip(seconds["theirs"], seconds["ours"], strict=True)]
    difference = max(abs(a - b) for a, b in zip(values["ours"], values["theirs"], strict=True))
    return {"seconds": seconds, "ratio": statistics.median(ratios), "largest_difference": difference}


def perplexity_seconds(threads: int) -> dict[str, Any]:
    """How long SmolLM2 reads the text, and the longest wait from one report of progress to the next."""
    import torch

    from playground import load
    from playground.lens.generate.surprisal import text_surprisal

    torch.set_num_threads(threads)
    model = load(DECODER, device="cpu", dtype="float32")
    text = " ".join([PROSE] * 9)
    _begin, end = tokenizer_of(str(model.folder)).encode(text).offsets[READ_TOKENS - 1]
    text = text[:end]
    reported = [perf_counter()]
    scores = text_surprisal(model, text, on_progress=lambda _done, _total: reported.append(perf_counter()))
    gaps = [after - before for before, after in pairwise(reported)]
    return {
        "model": DECODER,
        "tokens": len(scores.tokens),
        "threads": threads,
        "perplexity": scores.perplexity,
        "seconds": reported[-1] - reported[0],
        "longest_wait_seconds": max(gaps),
    }


def measure(rounds: int) -> dict[str, Any]:
    """Both groups of measures, and the perplexity."""
    return {
        "made": measured_on("evaluate", threads=1, packages=PACKAGES),
        "pairs": PAIRS,
        "words": WORDS,
        "rouge": compare("rouge", ours_rouge, theirs_rouge, rounds),
        "translation": compare("translation", ours_translation, theirs_translation, rounds),
        "perplexity": perplexity_seconds(threads=2),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Count measures of texts beside rouge-score and sacrebleu.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "evaluate.json", help="where the JSON goes")
    arguments = parser.parse_args()
    results = measure(arguments.rounds)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({name: results[name] for name in ("rouge", "translation", "perplexity")}, indent=1))


if __name__ == "__main__":
    main()
