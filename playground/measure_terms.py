"""The glossary's terms of the page Evaluate."""

from playground.glossary_entry import GlossaryEntry
from playground.text import N_

MEASURE_TERMS: tuple[GlossaryEntry, ...] = (
    GlossaryEntry(
        forms=(N_("bits per byte"),),
        meaning=N_("Total surprisal in bits over the bytes of the text: comparable across tokenizers."),
        source="Gao et al. 2020, The Pile, section 3.1",
    ),
    GlossaryEntry(
        forms=("BLEU",),
        meaning=N_("Share of a translation's n-grams that a reference has, clipped, times a penalty for being short."),
        formula="BP · (p₁ p₂ p₃ p₄)^¼",
        source="Papineni et al. 2002, BLEU: a Method for Automatic Evaluation",
    ),
    GlossaryEntry(
        forms=("chrF",),
        meaning=N_("Precision and recall of character n-grams, recall weighed twice: forgiving of endings."),
        source="Popović 2015, chrF: character n-gram F-score",
    ),
    GlossaryEntry(
        forms=("TER", N_("translation edit rate")),
        meaning=N_("Edits and moved blocks that turn a translation into its reference, over the reference length."),
        source="Snover et al. 2006, A Study of Translation Edit Rate",
    ),
    GlossaryEntry(
        forms=("ROUGE", "ROUGE-L"),
        meaning=N_(
            "How much of a reference summary stands in the model's: n-grams, or the longest common subsequence."
        ),
        source="Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries",
    ),
    GlossaryEntry(
        forms=(N_("word error rate"),),
        meaning=N_("Words substituted, inserted and deleted, over the words of the reference."),
        formula="(S + I + D) / N",
        source="Levenshtein 1966; Morris et al. 2004, From WER and RIL to MER and WIL",
    ),
    GlossaryEntry(
        forms=(N_("precision"),),
        meaning=N_("Share of what was predicted that is right: low where a classifier cries wolf."),
        formula="TP / (TP + FP)",
        source="Van Rijsbergen 1979, Information Retrieval",
    ),
    GlossaryEntry(
        forms=(N_("recall"),),
        meaning=N_("Share of what is there that was found: low where a classifier overlooks."),
        formula="TP / (TP + FN)",
        source="Van Rijsbergen 1979, Information Retrieval",
    ),
    GlossaryEntry(
        forms=("F1", N_("macro F1")),
        meaning=N_("The harmonic mean of precision and recall; macro F1 is its mean over labels, each counting alike."),
        formula="2 TP / (2 TP + FP + FN)",
        source="Van Rijsbergen 1979, Information Retrieval",
    ),
    GlossaryEntry(
        forms=(N_("ROC curve"),),
        meaning=N_("True against false positive rate at every threshold; the area is the chance to rank a pair right."),
        source="Fawcett 2006, An introduction to ROC analysis",
    ),
    GlossaryEntry(
        forms=(N_("calibration"),),
        meaning=N_("Whether of the rows predicted with probability p the share p is right."),
        source="Guo et al. 2017, On Calibration of Modern Neural Networks",
    ),
    GlossaryEntry(
        forms=(N_("gold alignment"), N_("gold alignments"), N_("alignment error rate")),
        meaning=N_("Which source word each written word stands for, known beforehand; attention is compared with it."),
        formula="AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|)",
        source="Och and Ney 2003, A Systematic Comparison of Various Statistical Alignment Models, section 5",
    ),
    GlossaryEntry(
        forms=(N_("bootstrap"), N_("bootstrap resamples")),
        meaning=N_("Drawing the lines again with replacement shows how far a score would move on another sample."),
        source="Efron and Tibshirani 1993, An Introduction to the Bootstrap; Koehn 2004",
    ),
    GlossaryEntry(
        forms=(N_("Wilson's"), N_("Wilson's interval")),
        meaning=N_(
            "The interval of a share of independent rows; where all are right, it still leaves room for errors that "
            "were not drawn."
        ),
        source="Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference",
    ),
)
"""Of texts, of labels, of all."""
