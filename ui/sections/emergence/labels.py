"""What the measures of the Emergence page are called, and what each of them is."""

from functools import cache

from playground.emergence.records import Checkpoint
from playground.text import _


def measure_title(name: str) -> str:
    """A measure's name for a person."""
    return _measures().get(name, (name, ""))[0]


def measure_words(name: str) -> str:
    """What a measure is, in a sentence."""
    return _measures().get(name, ("", ""))[1]


def measure_axis(name: str) -> str:
    """A measure's name along an axis, with its unit."""
    units = {"token_edit_distance": _("edit distance (tokens)"), "held_out_loss": _("loss (nats per token)")}
    return units.get(name, measure_title(name).lower())


def run_title(row: Checkpoint) -> str:
    """A run among others: by its control where it is one, else by its size."""
    words = {
        "two-layers": _("two layers"),
        "one-layer": _("one layer"),
        "with-decay": _("with weight decay"),
        "without-decay": _("without weight decay"),
    }
    return words.get(row.run, _("{count:,} parameters").format(count=row.parameters))


@cache
def _measures() -> dict[str, tuple[str, str]]:
    return {
        "exact_match": (
            _("Exact match"),
            _("The share of answers that are right from the first token to the last: all have to be right at once."),
        ),
        "expected_exact_match": (_("p to the power of L"), _("The exact match if tokens were right independently.")),
        "token_accuracy": (
            _("Tokens right"),
            _("The share of tokens that are right, the right ones before them given: the p of one token."),
        ),
        "token_edit_distance": (
            _("Edit distance"),
            _("How many tokens have to be changed, put in or taken out to make the answer right, on average."),
        ),
        "edit_distance": (
            _("Edit distance, share"),
            _("The edit distance as a share of the longer of both, the answer and the right one."),
        ),
        "token_probability": (
            _("Probability of a token"),
            _("How probable the model holds each right token, the mean over all of them."),
        ),
        "answer_probability": (
            _("Probability of the answer"),
            _("The product of its tokens' probabilities, the mean over all answers: steep again, but never cut off."),
        ),
        "held_out_loss": (
            _("Loss"),
            _("The surprise at the right token in nats, the mean over all of them: what the model is trained on."),
        ),
        "repeat_accuracy": (_("Accuracy on the repeat"), ""),
        "repeat_probability": (_("Probability of the right symbol"), ""),
        "repeat_loss": (_("Loss on the repeat (nats)"), ""),
        "induction_score": (_("Induction score of the best head"), ""),
        "previous_score": (_("Previous-token score of the best head"), ""),
        "train_accuracy": (_("Training accuracy"), ""),
        "test_accuracy": (_("Test accuracy"), ""),
        "train_loss": (_("Training loss"), ""),
        "test_loss": (_("Test loss"), ""),
        "restricted_loss": (_("Restricted loss"), ""),
        "excluded_loss": (_("Excluded loss"), ""),
        "embedding_gini": (_("Gini of the embedding"), ""),
        "squared_weights": (_("Sum of squared weights"), ""),
    }
