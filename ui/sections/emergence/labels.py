"""Names and descriptions of the metrics and runs of the page Emergence."""

from playground.emergence.tables import MeasuredCheckpoint
from playground.text import N_, _

_METRICS: dict[str, tuple[str, str]] = {
    "exact_match": (
        N_("Exact match"),
        N_("Share of answers that are correct in every token. Discontinuous: one wrong token fails the answer."),
    ),
    "expected_exact_match": (N_("Expected exact match pᴸ"), N_("Exact match if tokens were correct independently.")),
    "token_accuracy": (
        N_("Token accuracy"),
        N_("Share of correct tokens, each predicted after the correct ones before it: the p of pᴸ. Continuous."),
    ),
    "token_edit_distance": (
        N_("Edit distance"),
        N_("Mean number of tokens to insert, delete or substitute to make the answer correct."),
    ),
    "edit_distance": (
        N_("Normalised edit distance"),
        N_("Edit distance over the length of the longer of answer and reference."),
    ),
    "token_probability": (
        N_("Mean token probability"),
        N_("Probability of the correct token, averaged over all tokens. Continuous."),
    ),
    "answer_probability": (
        N_("Sequence probability"),
        N_("Product of the probabilities of an answer's tokens, averaged over all answers: steep, but never cut off."),
    ),
    "held_out_loss": (N_("Loss"), N_("Cross-entropy in nats per token: what the model is trained on.")),
    "repeat_accuracy": (N_("Accuracy on 2nd copy"), ""),
    "repeat_probability": (N_("Mean token probability on 2nd copy"), ""),
    "repeat_loss": (N_("Loss on 2nd copy (nats)"), ""),
    "induction_score": (N_("Induction score (best head)"), ""),
    "previous_score": (N_("Previous-token score (best head)"), ""),
    "train_accuracy": (N_("Training accuracy"), ""),
    "test_accuracy": (N_("Test accuracy"), ""),
    "train_loss": (N_("Training loss"), ""),
    "test_loss": (N_("Test loss"), ""),
    "restricted_loss": (N_("Restricted loss"), ""),
    "excluded_loss": (N_("Excluded loss"), ""),
    "embedding_gini": (N_("Gini coefficient of the embedding"), ""),
    "squared_weights": (N_("Sum of squared weights"), ""),
}
_AXES = {
    "exact_match": N_("exact match"),
    "token_accuracy": N_("token accuracy"),
    "token_edit_distance": N_("edit distance (tokens)"),
    "edit_distance": N_("normalised edit distance"),
    "token_probability": N_("mean token probability"),
    "answer_probability": N_("sequence probability"),
    "held_out_loss": N_("loss (nats per token)"),
}
_RUNS = {
    "two-layers": N_("two layers"),
    "one-layer": N_("one layer"),
    "with-decay": N_("with weight decay"),
    "without-decay": N_("without weight decay"),
}


def metric_title(name: str) -> str:
    """A metric's label; its name where it has none."""
    return _(_METRICS[name][0]) if name in _METRICS else name


def metric_description(name: str) -> str:
    """What a metric is, in a sentence; empty where the label says it."""
    description = _METRICS.get(name, ("", ""))[1]
    return _(description) if description else ""


def metric_axis_title(name: str) -> str:
    """A metric's axis title, with its unit."""
    return _(_AXES[name]) if name in _AXES else metric_title(name)


def run_title(checkpoint: MeasuredCheckpoint) -> str:
    """A run's label in a legend: what it varies, or else its size."""
    if checkpoint.run in _RUNS:
        return _(_RUNS[checkpoint.run])
    return _("{count:,} parameters").format(count=checkpoint.parameters)
