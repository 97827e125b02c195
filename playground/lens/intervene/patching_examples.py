"""Prompt pairs to patch between, each with its source; which of them a model solves.

A pair is solved where the model prefers the correct answer to the clean prompt and the counterfactual one to the
corrupted prompt: clean logit difference > 0 > corrupted one. Only then is the recovered logit difference a scale
from the one answer to the other (Wang et al. 2022, section 3; Heimersheim and Nanda 2024, section 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playground.errors import UserError
from playground.lens.capture.activations import encode_text
from playground.lens.capture.tokens import can_read, encode, spell_symbols, symbols_of
from playground.lens.generate.fill_mask import mask_id, spell_masks
from playground.lens.intervene.patching import first_token_id, is_solved, prepare_pair
from playground.progress import OnProgress, no_progress
from playground.text import N_

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True)
class PatchingExample:
    """Two prompts of as many tokens that differ in a few words."""

    name: str
    clean: str
    corrupted: str
    answer: str
    """The correct answer, to the clean prompt."""
    counterfactual: str
    """The answer to the corrupted prompt."""
    about: str
    """One sentence with its source, to be translated where it is shown."""
    target: str = ""
    """What an encoder-decoder's decoder reads in both."""


EXAMPLES = (
    PatchingExample(
        name=N_("Indirect object"),
        clean="When Mary and John went to the store, John gave a drink to",
        corrupted="When Mary and John went to the store, Mary gave a drink to",
        answer=" Mary",
        counterfactual=" John",
        about=N_("Who receives the drink is whoever was not named twice (Wang et al. 2022)."),
    ),
    PatchingExample(
        name=N_("Induction"),
        clean="Anna Smith met Peter Brown. Anna",
        corrupted="Anna Brown met Peter Smith. Anna",
        answer=" Smith",
        counterfactual=" Brown",
        about=N_("What followed a word the last time follows it again (Olsson et al. 2022)."),
    ),
    PatchingExample(
        name=N_("Agreement"),
        clean="The keys to the cabinet",
        corrupted="The key to the cabinet",
        answer=" are",
        counterfactual=" is",
        about=N_("The verb agrees with its subject, not with the noun beside it (Linzen et al. 2016)."),
    ),
)

TRANSLATION_EXAMPLES = (
    PatchingExample(
        name=N_("Who receives it"),
        clean="french: Anna gives the red ball to Ben.",
        corrupted="french: Anna gives the red ball to Tom.",
        answer="Ben",
        counterfactual="Tom",
        about=N_("The name crosses from the source: cross-attention brings it to the position where it is written."),
        target="Anna donne la balle rouge à",
    ),
    PatchingExample(
        name=N_("What is given"),
        clean="french: Anna gives the red ball to Ben.",
        corrupted="french: Anna gives the red book to Ben.",
        answer="balle",
        counterfactual="livre",
        about=N_("The noun, and with it the French article, comes from one word of the source."),
        target="Anna donne",
    ),
)
"""The same for a model that translates short sentences."""
MASKED_EXAMPLES = (
    PatchingExample(
        name=N_("Whose hand"),
        clean="She took [MASK] hand.",
        corrupted="He took [MASK] hand.",
        answer=" her",
        counterfactual=" his",
        about=N_("The pronoun that is filled in agrees with the one that was read."),
    ),
    PatchingExample(
        name=N_("Whose eyes"),
        clean="She opened [MASK] eyes.",
        corrupted="He opened [MASK] eyes.",
        answer=" her",
        counterfactual=" his",
        about=N_("The pronoun that is filled in agrees with the one that was read."),
    ),
    PatchingExample(
        name=N_("First person"),
        clean="I [MASK] very tired.",
        corrupted="They [MASK] very tired.",
        answer=" am",
        counterfactual=" are",
        about=N_("The verb that is filled in agrees with its subject (Linzen et al. 2016)."),
    ),
)
"""The same for a model that fills in words."""
REPEATED_SYMBOLS = PatchingExample(
    name=N_("Repeated symbols"),
    clean="RHXlEUzcDLRHXlE",
    corrupted="RHXlEqzcDLRHXlE",
    answer="U",
    counterfactual="q",
    about=N_("What followed a symbol the last time follows it again (Olsson et al. 2022)."),
)
"""The same for a model whose vocabulary is single symbols."""
BLOCK = 10
"""Symbols of the block that `_symbols_example` repeats, at most."""


def examples_of(model: "LoadedModel") -> tuple[PatchingExample, ...]:
    """The examples that fit a model's kind and vocabulary, the best first; at least one."""
    candidates = TRANSLATION_EXAMPLES if model.kind == "encoder-decoder" else EXAMPLES
    examples = [example for example in (*_masked_examples(model), *candidates) if _covers(model, example)]
    if examples:
        return tuple(examples)
    return (REPEATED_SYMBOLS if _covers(model, REPEATED_SYMBOLS) else _symbols_example(model) or candidates[0],)


def _masked_examples(model: "LoadedModel") -> list[PatchingExample]:
    try:
        return [
            replace(example, clean=spell_masks(model, example.clean), corrupted=spell_masks(model, example.corrupted))
            for example in MASKED_EXAMPLES
        ]
    except UserError:
        return []


def _covers(model: "LoadedModel", example: PatchingExample) -> bool:
    texts = (example.clean, example.corrupted, example.answer, example.counterfactual, example.target)
    clean, corrupted = (len(encode(model.tokenizer, text)) for text in texts[:2])
    return clean == corrupted and can_read(model, *texts)


def _symbols_example(model: "LoadedModel") -> PatchingExample | None:
    """`REPEATED_SYMBOLS` in the model's own symbols; None where it has fewer than three.

    A block and its beginning, abcd ab, whose answer is c; corrupted, another symbol stands there: abed ab.
    """
    # Two blocks and two special tokens fit the context; one symbol more than a block is the counterfactual answer.
    symbols = symbols_of(model, min(BLOCK, model.context // 2 - 1) + 1)
    if len(symbols) < 3:
        return None
    *block, counterfactual = symbols
    known = len(block) // 2
    beginning, answer = block[:known], block[known]
    clean, corrupted = ([*beginning, token, *block[known + 1 :], *beginning] for token in (answer, counterfactual))
    texts = {"clean": clean, "corrupted": corrupted, "answer": [answer], "counterfactual": [counterfactual]}
    target = {"target": beginning} if model.kind == "encoder-decoder" else {}
    return replace(REPEATED_SYMBOLS, **{name: spell_symbols(model, ids) for name, ids in {**texts, **target}.items()})


def mask_position(model: "LoadedModel", ids: Sequence[int]) -> int | None:
    """Where an encoder's mask token is: its answers are compared there. None without one."""
    try:
        mask = mask_id(model)
    except UserError:
        return None
    return list(ids).index(mask) if mask in ids else None


def logit_differences(model: "LoadedModel", example: PatchingExample) -> tuple[float, float] | None:
    """The example's logit difference, clean and corrupted; None where the model prefers the answer equally in both."""
    target = example.target or None
    try:
        ids = encode_text(model, example.clean, target).ids
        masked = mask_position(model, ids)
        pair = prepare_pair(
            model,
            example.clean,
            example.corrupted,
            answer=first_token_id(model, example.answer),
            counterfactual=first_token_id(model, example.counterfactual),
            position=len(ids) - 1 if masked is None else masked,
            targets=None if target is None else (target, target),
        )
    except UserError:
        return None
    return pair.clean_difference, pair.corrupted_difference


def try_examples(model: "LoadedModel", on_progress: OnProgress = no_progress) -> tuple[tuple[float, float] | None, ...]:
    """`logit_differences` of each of `examples_of`; progress counts examples."""
    differences = []
    examples = examples_of(model)
    for index, example in enumerate(examples):
        differences.append(logit_differences(model, example))
        on_progress(index + 1, len(examples))
    return tuple(differences)


def first_solved(differences: Sequence[tuple[float, float] | None]) -> int | None:
    """The index of the first example that is solved; None where none is.

    >>> first_solved([None, (0.05, 0.29), (3.4, -2.0)]), first_solved([None])
    (2, None)
    """
    return next((index for index, both in enumerate(differences) if both and is_solved(*both)), None)
