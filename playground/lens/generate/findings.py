"""What the pictures of predictions show, in a sentence each with its numbers; None where nothing can be said."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.lens.finding import Finding
from playground.text import N_

SMALLEST_SHARE = 0.0001
"""A share below this is written as less than it: two decimals of a per cent would show 0."""


def percent(share: float) -> str:
    """A probability in per cent with two decimals; one that is neither 0 nor 1 is never written as if it were.

    >>> percent(0.3167), percent(0.0), percent(1e-7), percent(0.999999), percent(1.0)
    ('31.67%', '0%', '<0.01%', '>99.99%', '100%')
    """
    if share in (0, 1):
        return f"{100 * share:.0f}%"
    if share < SMALLEST_SHARE:
        return f"<{100 * SMALLEST_SHARE:.2f}%"
    return f">{100 * (1 - SMALLEST_SHARE):.2f}%" if share > 1 - SMALLEST_SHARE else f"{100 * share:.2f}%"


def describe_next_token(before: str, token: str, probability: float, entropy: float, n_tokens: int) -> Finding | None:
    """The most probable token after another, and the entropy against its maximum.

    The uniform distribution has the largest entropy, ln(n) nats, and exp(entropy) is how many equally probable tokens
    would be as uncertain (Cover and Thomas 2006, section 2.6). entropy: in nats, of the raw distribution.
    """
    if n_tokens < 2 or not math.isfinite(entropy):
        return None
    template = N_(
        "Most probable after {before}: {token} with {probability}. Entropy {entropy:.2f} of at most {uniform:.2f} nats "
        "(uniform): as uncertain as a choice among {choices} equally probable tokens."
    )
    choices = math.exp(entropy)
    values = {
        "before": before,
        "token": token,
        "probability": percent(probability),
        "entropy": entropy,
        "uniform": math.log(n_tokens),
        "choices": f"{choices:.1f}" if choices < 10 else f"{choices:,.0f}",
    }
    return Finding(template=template, values=values)


def describe_surprisal(
    tokens: Sequence[str],
    nats: Float[np.ndarray, "token"],
    predicted: Bool[np.ndarray, "token"],
    *,
    is_masked: bool,
    in_bits: bool = False,
) -> Finding | None:
    """The most surprising token, mean and perplexity; None for fewer than two predicted tokens.

    is_masked: each token was predicted from all others, so that exp(mean) is a pseudo-perplexity (Salazar et al. 2020,
    section 2.3), which is not comparable with a perplexity. nats: surprisals; other tokens' numbers are ignored.
    """
    positions = np.flatnonzero(predicted)
    if len(positions) < 2 or not np.isfinite(nats[positions]).all():
        return None
    most, mean = int(positions[np.argmax(nats[positions])]), float(nats[positions].mean())
    template = (
        N_(
            "Most surprising: {token} with {largest:.2f} {unit} (probability {probability}). The mean is {mean:.2f} "
            "{unit} per token, pseudo-perplexity {perplexity:,.1f} (each token masked alone, Salazar et al. 2020): not "
            "comparable with a decoder's perplexity."
        )
        if is_masked
        else N_(
            "Most surprising: {token} with {largest:.2f} {unit} (probability {probability}). The mean is {mean:.2f} "
            "{unit} per token, perplexity {perplexity:,.1f}."
        )
    )
    scale = 1 / math.log(2) if in_bits else 1.0
    values = {
        "token": tokens[most],
        "largest": float(nats[most]) * scale,
        "probability": percent(math.exp(-float(nats[most]))),
        "mean": mean * scale,
        "unit": Finding(template=N_("bits") if in_bits else N_("nats")),
        "perplexity": math.exp(mean),
    }
    return Finding(template=template, values=values)


def describe_depth(before: str, answer: str, rank: Int[np.ndarray, "row"]) -> Finding | None:
    """After which layer the tracked token is top-1 for the first time, and from which it stays top-1.

    rank: the number of more probable tokens after the embedding (row 0) and after each layer. None without layers.
    """
    layers = len(rank) - 1
    if layers < 1:
        return None
    hits = np.flatnonzero(rank == 0)
    values: dict[str, object] = {"before": before, "answer": answer, "layers": layers}
    if not len(hits):
        template = N_("After {before}, {answer} is top-1 in none of the {layers} layers; best rank {best:,}.")
        if layers == 1:
            template = N_("After {before}, {answer} is not top-1 in the only layer; best rank {best:,}.")
        return Finding(template=template, values={**values, "best": int(rank.min()) + 1})
    first, misses = int(hits[0]), np.flatnonzero(rank > 0)
    values["first"] = first
    if len(misses) and misses[-1] == layers:
        template = N_("After {before}, {answer} is top-1 after layer {first} of {layers}, but not at the end.")
        return Finding(template=template, values=values)
    stays = int(misses[-1]) + 1 if len(misses) else 0
    if stays == 0:
        template = N_("After {before}, {answer} is top-1 from the embedding on, through all {layers} layers.")
        if layers == 1:
            template = N_("After {before}, {answer} is top-1 from the embedding on, through the only layer.")
    elif first == stays:
        template = N_("After {before}, {answer} first appears as top-1 after layer {first} of {layers}, and stays so.")
    else:
        template = N_(
            "After {before}, {answer} first appears as top-1 after layer {first} of {layers} (0: the embedding) and "
            "stays top-1 from layer {stays} on."
        )
    return Finding(template=template, values={**values, "stays": stays})


def describe_mask(
    position: int,
    tokens: Sequence[str],
    probabilities: Sequence[float],
    entropy: float,
    original: tuple[str, float] | None,
) -> Finding | None:
    """The most probable tokens at a mask, and what the token that stood there has.

    tokens, probabilities: most probable first. original: the token that was masked, and its probability.
    """
    if len(tokens) < 2:
        return None
    values: dict[str, object] = {
        "position": position,
        "first": tokens[0],
        "share": percent(probabilities[0]),
        "second": tokens[1],
        "second_share": percent(probabilities[1]),
        "entropy": entropy,
    }
    if original is None:
        template = N_(
            "Position {position}: {first} with {share}, then {second} with {second_share}; entropy {entropy:.2f} nats."
        )
    elif original[0] == tokens[0]:
        template = N_(
            "Position {position}: {first} with {share}, which stood there, then {second} with {second_share}; entropy "
            "{entropy:.2f} nats."
        )
    else:
        template = N_(
            "Position {position}: {first} with {share}, then {second} with {second_share}; {original}, which stood "
            "there, has {original_share}; entropy {entropy:.2f} nats."
        )
        values |= {"original": original[0], "original_share": percent(original[1])}
    return Finding(template=template, values=values)


def describe_answers(
    scores: Sequence[float], log_probabilities: Sequence[float], lengths: Sequence[int]
) -> Finding | None:
    """The best answer of a beam search and its margin to the second; None without finished answers.

    scores: best first, the log probability over the length to the power of the penalty (Wu et al. 2016, section 7).
    """
    if not scores:
        return None
    values: dict[str, object] = {"log_probability": log_probabilities[0], "tokens": lengths[0], "score": scores[0]}
    if len(scores) == 1:
        template = N_(
            "The only answer: log probability {log_probability:.2f} nats over {tokens} tokens, score {score:.3f}."
        )
        return Finding(template=template, values=values)
    template = N_(
        "Best of {count} answers: log probability {log_probability:.2f} nats over {tokens} tokens, score {score:.3f}, "
        "{margin:.3f} above the second."
    )
    return Finding(template=template, values={**values, "count": len(scores), "margin": scores[0] - scores[1]})


def compare_greedy(greedy: float, best: float) -> Finding | None:
    """Whether greedy decoding missed a more probable answer; both are log probabilities in nats."""
    if not (math.isfinite(greedy) and math.isfinite(best)):
        return None
    if math.isclose(greedy, best, abs_tol=1e-3):
        return Finding(template=N_("Greedy decoding finds an answer as probable."))
    template = (
        N_("Greedy decoding finds a less probable one: {gap:.2f} nats lower.")
        if greedy < best
        else N_(
            "Greedy decoding finds a more probable one, {gap:.2f} nats higher, which the length penalty ranks lower."
        )
    )
    return Finding(template=template, values={"gap": abs(best - greedy)})


def describe_labels(labels: Sequence[str], scores: Float[np.ndarray, "label"], scale: str) -> Finding | None:
    """The labels that a classifier answers with; None for numbers that are none.

    scale: softmax, of which one label is chosen; sigmoid, each label for itself; none, a regression's values.
    """
    if not len(scores) or not np.isfinite(scores).all():
        return None
    first, *rest = np.argsort(-scores, kind="stable").tolist()
    values: dict[str, object] = {"first": labels[first], "share": percent(float(scores[first]))}
    if scale == "none":
        template = N_("Value of {first}: {value:.4g}. A regression answers with numbers, not with probabilities.")
        return Finding(template=template, values={**values, "value": float(scores[first])})
    if not rest:
        return Finding(template=N_("Probability of {first}: {share}."), values=values)
    if scale == "sigmoid":
        template = N_(
            "{above} of {count:,} labels have a probability above 50%; the highest is {first} with {share}. Each "
            "label is answered for itself, so that they add up to nothing in particular."
        )
        return Finding(template=template, values={**values, "above": int((scores > 0.5).sum()), "count": len(scores)})
    values |= {"second": labels[rest[0]], "other": percent(float(scores[rest[0]]))}
    values |= {"chance": percent(1 / len(scores)), "count": len(scores)}
    template = N_(
        "Most probable label: {first} with {share}, then {second} with {other}; a uniform guess among {count:,} labels "
        "has {chance}."
    )
    return Finding(template=template, values=values)
