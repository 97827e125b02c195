"""The glossary's terms of training, scaling and emergence."""

from playground.glossary_entry import GlossaryEntry
from playground.text import N_

HOFFMANN = "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models"

TRAINING_TERMS: tuple[GlossaryEntry, ...] = (
    GlossaryEntry(
        forms=(N_("learning rate"),),
        meaning=N_("How far the parameters move in one step of training."),
        source="Robbins and Monro 1951, A Stochastic Approximation Method",
    ),
    GlossaryEntry(
        forms=(N_("checkpoint"), N_("checkpoints")),
        meaning=N_("The parameters of a model at one step of its training, kept on disk."),
        source="Abadi et al. 2016, TensorFlow: A System for Large-Scale Machine Learning, section 4.3",
    ),
    GlossaryEntry(
        forms=("FLOP", "FLOPs"),
        meaning=N_("A floating-point operation. Training takes about 6 for each parameter and token."),
        formula="C ≈ 6 N D",
        source="Kaplan et al. 2020, Scaling Laws for Neural Language Models",
    ),
    GlossaryEntry(
        forms=(N_("scaling law"), N_("scaling laws")),
        meaning=N_("How the loss falls with parameters N and tokens D: power laws above an irreducible part E."),
        formula="L(N, D) = E + A/N^α + B/D^β",
        source=HOFFMANN,
    ),
    GlossaryEntry(
        forms=("isoFLOP", N_("isoFLOP profile"), N_("isoFLOP profiles")),
        meaning=N_("Losses of several sizes at one compute: a parabola whose lowest point is the best size."),
        source=HOFFMANN,
    ),
    GlossaryEntry(
        forms=(N_("compute-optimal"),),
        meaning=N_("The size and the number of tokens that give the lowest loss for a given compute."),
        source=HOFFMANN,
    ),
    GlossaryEntry(
        forms=(N_("emergence"), N_("emergent ability")),
        meaning=N_("An ability that small models lack and large ones have; whether it jumps may depend on the metric."),
        source="Wei et al. 2022; Schaeffer et al. 2023, Are Emergent Abilities of Large Language Models a Mirage?",
    ),
    GlossaryEntry(
        forms=(N_("grokking"),),
        meaning=N_("Generalising long after the training examples are known by heart."),
        source="Power et al. 2022, Grokking: Generalization Beyond Overfitting",
    ),
)
