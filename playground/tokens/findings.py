"""What the pictures of the page Tokens show, in a sentence each; None where nothing can be said."""

from collections.abc import Sequence

import numpy as np

from playground.lens.finding import Finding
from playground.text import N_, _
from playground.tokens.analogies import VectorSum
from playground.tokens.boundaries import SharedBoundaries
from playground.tokens.languages import SENTENCES, LanguageCost
from playground.tokens.projection import Projection
from playground.tokens.tokenization import Tokenization
from playground.tokens.word_states import WordStates


def describe_tokenization(cut: Tokenization) -> Finding:
    """How many characters, bytes and tokens, and whether the replay agrees."""
    tokens = len(cut.content)
    values: dict[str, object] = {
        "characters": len(cut.text) + len(cut.pair or ""),
        "bytes": len(cut.text.encode()) + len((cut.pair or "").encode()),
        "tokens": tokens,
        "ratio": (len(cut.text) + len(cut.pair or "")) / max(1, tokens),
        "template": len(cut.tokens) - tokens,
        "vocabulary": cut.vocabulary,
    }
    return Finding(
        template=N_(
            "{characters:,} characters are {bytes:,} bytes in UTF-8 and {tokens:,} of {vocabulary:,} tokens: "
            "{ratio:.2f} characters a token. The template adds {template}."
        ),
        values=values,
    )


def describe_replay(cut: Tokenization) -> Finding | None:
    """Whether our own steps lead to the tokenizer's answer."""
    if not cut.replayed:
        return None
    values = {"agreeing": cut.agreeing, "replayed": cut.replayed}
    if cut.agreeing == cut.replayed:
        return Finding(
            template=N_(
                "Verified: {replayed:,} of {replayed:,} pre-tokens, cut again step by step, "
                "give the tokenizer's own tokens."
            ),
            values=values,
        )
    return Finding(
        template=N_(
            "Only {agreeing:,} of {replayed:,} pre-tokens, cut again step by step, give the tokenizer's own "
            "tokens: it follows rules that are not shown here."
        ),
        values=values,
    )


def describe_unknown(cut: Tokenization) -> Finding | None:
    """How many tokens stand for what the vocabulary lacks."""
    if not cut.unknown:
        return None
    if cut.unknown == 1:
        return Finding(template=N_("One token is unknown: the vocabulary lacks its characters."))
    template = N_(
        "{unknown:,} tokens are unknown: the vocabulary lacks their characters, and the model cannot tell them apart."
    )
    return Finding(template=template, values={"unknown": cut.unknown})


def describe_boundaries(names: Sequence[str], counts: Sequence[int], shared: SharedBoundaries) -> Finding:
    """How many tokens each needs, and how many cuts they share."""
    return Finding(
        template=N_("{first}: {n_first:,} tokens; {second}: {n_second:,}. They share {shared:,} of {union:,} cuts."),
        values={
            "first": names[0],
            "second": names[1],
            "n_first": counts[0],
            "n_second": counts[1],
            "shared": shared.shared,
            "union": shared.left + shared.right - shared.shared,
        },
    )


def describe_languages(costs: Sequence[LanguageCost]) -> Finding | None:
    """The cheapest and the dearest language, in tokens of one and the same sentence; or that none is read."""
    read = [cost for cost in costs if cost.is_read and cost.language in SENTENCES]
    if not read:
        return Finding(template=N_("The vocabulary lacks characters of every sentence: no count would say anything."))
    if len(read) < 2:
        return None
    cheapest, dearest = min(read, key=_tokens), max(read, key=_tokens)
    return Finding(
        template=N_(
            "The same sentence takes {fewest} tokens in {cheapest} and {most} in {dearest}: {times:.1f} times as many."
        ),
        values={
            "fewest": cheapest.tokens,
            "most": dearest.tokens,
            "cheapest": _(cheapest.language),
            "dearest": _(dearest.language),
            "times": dearest.tokens / max(1, cheapest.tokens),
        },
    )


def _tokens(cost: LanguageCost) -> int:
    return cost.tokens


def describe_sum(names: Sequence[str], answer: VectorSum, labels: tuple[str, str]) -> Finding:
    """The first answer with and without the tokens of the question. labels: of the two answers."""
    values: dict[str, object] = {
        "question": " ".join(names),
        "first": labels[0],
        "cosine": answer.all[0].cosine,
        "other": labels[1],
        "other_cosine": answer.others[0].cosine,
    }
    if answer.is_changed:
        return Finding(
            template=N_(
                "Nearest to {question} is {first} ({cosine:.2f}), a token of the question itself. Published "
                "analogies leave those out; then it is {other} ({other_cosine:.2f})."
            ),
            values=values,
        )
    return Finding(
        template=N_(
            "Nearest to {question} is {first} ({cosine:.2f}), whether or not the question's own tokens are left out."
        ),
        values=values,
    )


def describe_projection(projection: Projection) -> Finding:
    """How much of the variance two dimensions hold."""
    return Finding(
        template=N_(
            "These two directions hold {share:.1%} of the variance: tokens far apart here are far apart, tokens "
            "near here need not be near."
        ),
        values={"share": sum(projection.explained)},
    )


def describe_word(states: WordStates) -> Finding:
    """How alike the word's states are at first, and at the end."""
    first, second = states.pairs[int(np.argmin(states.cosines[:, -1]))]
    row, others = states.cosines[states.pairs.index((first, second))], float(states.others[-1])
    template = N_(
        "“{word}” in texts {first} and {second}: cosine {start:.2f} before the first layer, {end:.2f} after "
        "the last; other tokens there: {others:.2f}."
    )
    if np.isnan(others):
        template = N_(
            "“{word}” in texts {first} and {second}: cosine {start:.2f} before the first layer, {end:.2f} after the "
            "last."
        )
    return Finding(
        template=template,
        values={
            "word": states.word,
            "first": first + 1,
            "second": second + 1,
            "start": float(row[0]),
            "end": float(row[-1]),
            "others": others,
        },
    )
