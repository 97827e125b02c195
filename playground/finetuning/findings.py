"""What the pictures of a fine-tuned model show, in a sentence each with its numbers."""

import math
from collections.abc import Sequence

from playground.evaluation.resampling import PairedSpread, Spread
from playground.finetuning.forgetting import Forgetting
from playground.finetuning.head_drift import FIRST, HeadDrift
from playground.finetuning.held_out_scores import TFIDF, HeldOutScores
from playground.finetuning.held_out_text import HeldOutAnswers, HeldOutText
from playground.finetuning.label_curve import QUESTION, LabelPoint, gain_at
from playground.finetuning.rank_sweep import RankPoint, smallest_sufficient
from playground.finetuning.sample_pairs import SamplePair
from playground.finetuning.stream_drift import StreamDrift
from playground.finetuning.weight_drift import ModelDrift, WeightDrift
from playground.lens.finding import Finding
from playground.text import N_, _


def describe_drift(drift: ModelDrift) -> Finding:
    """How far the weights moved, and where furthest."""
    moved = drift.changed
    if not moved:
        return Finding(template=N_("No weight that both models have has moved."))
    # A new head begins at random: what stands within the layers was trained before.
    inside = [weight for weight in moved if weight.layer is not None] or list(moved)
    matrices = [weight for weight in inside if weight.is_matrix] or inside
    furthest = max(matrices, key=lambda weight: weight.relative)
    template = N_(
        "{moved} of {all} weights moved; all together by {relative:.2%} of their length. Furthest: {name}, by "
        "{most:.2%}, in about {directions:.1f} of {side:,} directions (effective rank)."
    )
    values = {
        "moved": len(moved),
        "all": len(drift.weights),
        "relative": drift.relative,
        "name": furthest.name,
        "most": furthest.relative,
        "directions": furthest.effective_rank,
        "side": min(furthest.shape),
    }
    return Finding(template=template, values=values)


def describe_matrix(weight: WeightDrift) -> Finding:
    """How low-rank one matrix's change is."""
    if not weight.rank:
        return Finding(template=N_("{name} has not moved."), values={"name": weight.name})
    template = N_(
        "The change of {name} has rank {rank:,} of {side:,} beyond rounding; its largest direction alone holds "
        "{first:.1%} of the squared change, the largest eight hold {eight:.1%}."
    )
    values = {
        "name": weight.name,
        "rank": weight.rank,
        "side": min(weight.shape),
        "first": weight.energy(1),
        "eight": weight.energy(8),
    }
    return Finding(template=template, values=values)


def describe_heads(drift: HeadDrift) -> Finding:
    """The head that changed most."""
    first = drift.ranked(1)[0]
    if not first.divergence.value:
        return Finding(template=N_("No head attends otherwise than before."))
    template = N_(
        "Changed most over {n} texts: head {layer}.{head}, by {value:.3f} of at most {most:.3f} nats (95% interval "
        "{low:.3f} to {high:.3f}); it is among the {first} most changed in {share:.0%} of the resamples."
    )
    values = {
        "n": len(drift.texts),
        "layer": first.layer,
        "head": first.head,
        "value": first.divergence.value,
        "most": math.log(2),
        "low": first.divergence.low,
        "high": first.divergence.high,
        "first": FIRST,
        "share": first.among_first,
    }
    return Finding(template=template, values=values)


def describe_stream(drift: StreamDrift) -> Finding:
    """Where the state moves away from what it was."""
    mean = drift.distance.mean(1)
    if not mean.any():
        return Finding(template=N_("The states of this text are the same after every layer."))
    template = N_(
        "Averaged over the tokens, the state has moved by {first:.1%} of its length after the first layer and by "
        "{last:.1%} after the last; the largest step is in layer {layer}."
    )
    steps = mean[1:] - mean[:-1]
    values = {"first": float(mean[1]), "last": float(mean[-1]), "layer": int(steps.argmax())}
    return Finding(template=template, values=values)


def describe_forgetting(found: Forgetting) -> Finding:
    """Whether the interval of the difference leaves out 0."""
    bits = found.bits
    templates = {
        (True, True): N_(
            "Forgotten: general text costs {difference:+.3f} bits per byte ({low:+.3f} to {high:+.3f}), {after:.3f} "
            "instead of {before:.3f}."
        ),
        (True, False): N_(
            "General text even costs less than before: {difference:+.3f} bits per byte ({low:+.3f} to {high:+.3f}), "
            "{after:.3f} instead of {before:.3f}."
        ),
    }
    same = N_(
        "No forgetting can be told on these {n} passages: {difference:+.3f} bits per byte, and the interval {low:+.3f} "
        "to {high:+.3f} holds 0."
    )
    template = templates.get((bits.is_told_apart, bits.difference.value > 0), same)
    return Finding(template=template, values=_paired_values(bits))


def describe_samples(pairs: Sequence[SamplePair]) -> Finding:
    """How soon the continuations part."""
    same = sum(pair.before == pair.after for pair in pairs)
    template = N_("{same} of {n} continuations are the same; the others part after {shared:.1f} tokens on average.")
    if same == len(pairs):
        template = N_("All {n} continuations are the same.")
    elif not same:
        template = N_("All {n} continuations differ; they part after {shared:.1f} tokens on average.")
    parting = [pair.shared for pair in pairs if pair.before != pair.after]
    values = {"same": same, "n": len(pairs), "shared": sum(parting) / max(1, len(parting))}
    return Finding(template=template, values=values)


def describe_scores(scores: HeldOutScores) -> Finding:
    """Accuracy against the best of the others, and whether they can be told apart."""
    own, *others = scores.systems
    if not others:
        template = N_("{right:.1%} of {n:,} held-out rows are right ({low:.1%} to {high:.1%}).")
        return Finding(template=template, values=_accuracy_values(own.spreads.accuracy))
    best = max(others, key=lambda system: system.spreads.accuracy.value)
    assert best.gain is not None
    template = N_(
        "{right:.1%} of {n:,} held-out rows are right ({low:.1%} to {high:.1%}). The best of the others, {name}, has "
        "{other:.1%}: the difference of {gain:+.1f} points ({gain_low:+.1f} to {gain_high:+.1f}) {verdict}."
    )
    if not best.gain.gains.any():
        template = N_(
            "{right:.1%} of {n:,} held-out rows are right ({low:.1%} to {high:.1%}), as many as those of the best of "
            "the others, {name}; no resample of the rows parts the two."
        )
    verdict = N_("is more than chance") if best.gain.is_told_apart else N_("may be chance")
    values = {
        **_accuracy_values(own.spreads.accuracy),
        "name": _(best.name),
        "other": best.spreads.accuracy.value,
        "gain": 100 * best.gain.difference.value,
        "gain_low": 100 * best.gain.difference.low,
        "gain_high": 100 * best.gain.difference.high,
        "verdict": _(verdict),
    }
    return Finding(template=template, values=values)


def describe_held_out_text(found: HeldOutText) -> Finding:
    """What the counted tokens cost before and after, and whether the two can be told apart."""
    template = N_(
        "A byte of held-out text costs {after:.3f} bits, before fine-tuning {before:.3f}: the difference of "
        "{difference:+.3f} ({low:+.3f} to {high:+.3f}) over {n:,} rows {verdict}. Perplexity of a token: "
        "{perplexity:.3g} instead of {perplexity_before:.3g}."
    )
    first, second = found.perplexities
    return Finding(
        template=template,
        values={**_paired_values(found.bits), "perplexity": second.value, "perplexity_before": first.value},
    )


def describe_held_out_answers(found: HeldOutAnswers) -> Finding:
    """BLEU before and after, and whether the two can be told apart."""
    template = N_(
        "The greedy answers to {n:,} held-out sources reach BLEU {after:.1f}, before fine-tuning {before:.1f}: the "
        "difference of {difference:+.1f} ({low:+.1f} to {high:+.1f}) {verdict}."
    )
    return Finding(template=template, values=_paired_values(found.bleu))


def _paired_values(paired: PairedSpread) -> dict[str, object]:
    verdict = N_("is more than chance") if paired.is_told_apart else N_("may be chance")
    return {
        "before": paired.first.value,
        "after": paired.second.value,
        "difference": paired.difference.value,
        "low": paired.difference.low,
        "high": paired.difference.high,
        "n": paired.first.n,
        "verdict": _(verdict),
    }


def describe_tfidf(scores: HeldOutScores) -> Finding | None:
    """Say so where counting words does better."""
    system = scores.of(TFIDF)
    if system is None or system.gain is None or system.gain.difference.high >= 0:
        return None
    template = N_("Here counting words does better than the transformer: TF-IDF is ahead by {lead:.1f} points.")
    return Finding(template=template, values={"lead": -100 * system.gain.difference.value})


def _accuracy_values(accuracy: Spread) -> dict[str, object]:
    return {"right": accuracy.value, "low": accuracy.low, "high": accuracy.high, "n": accuracy.n}


def describe_label_curve(points: Sequence[LabelPoint], labels: int = QUESTION) -> Finding | None:
    """Whether pre-training is ahead at so many labels, and by how much."""
    gain = gain_at(points, labels)
    if gain is None:
        return None
    value, low, high = (100 * share for share in (gain.value, gain.low, gain.high))
    ahead = N_("With {labels} labels the pre-trained model is ahead by {gain:.1f} points ({low:.1f} to {high:.1f}).")
    behind = N_("With {labels} labels training from scratch is ahead by {gain:.1f} points ({low:.1f} to {high:.1f}).")
    neither = N_(
        "With {labels} labels neither is ahead beyond chance: {gain:+.1f} points ({low:+.1f} to {high:+.1f}) for the "
        "pre-trained model."
    )
    if high < 0:
        return Finding(template=behind, values={"labels": labels, "gain": -value, "low": -high, "high": -low})
    template = ahead if low > 0 else neither
    return Finding(template=template, values={"labels": labels, "gain": value, "low": low, "high": high})


def describe_ranks(points: Sequence[RankPoint], *, higher_is_better: bool) -> Finding | None:
    """The smallest rank that cannot be told from the best one."""
    found = smallest_sufficient(points, higher_is_better=higher_is_better)
    if found is None or len(points) < 2:
        return None
    ordered = sorted(points, key=lambda point: point.rank)
    template = N_(
        "Rank {rank} is the smallest whose interval holds the best score of all ranks. From rank {first} to {last} the "
        "weights move {small:.2%} to {large:.2%} of their length."
    )
    values = {
        "rank": found.rank,
        "first": ordered[0].rank,
        "last": ordered[-1].rank,
        "small": ordered[0].drift,
        "large": ordered[-1].drift,
    }
    return Finding(template=template, values=values)
