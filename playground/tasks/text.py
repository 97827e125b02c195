"""Language modelling on plain text: predict each next token. Right is a high probability of what came next."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.perplexity import bits_per_byte
from playground.tasks.induction import COPYING_LENGTH, SHORTEST_BLOCK, repeated_block_batch
from playground.tasks.line_wrapping import Joining, check_joining, join_lines
from playground.tasks.sources import check_held_out, check_sources, read_texts
from playground.tasks.task import Batch, Needs, Probe, Sample, TaskKind, TextSample, check_needs, reading_saved
from playground.tasks.vocabulary import VocabularyKind, check_vocabulary, train_vocabulary
from playground.transformer import Transformer, TransformerConfig, check_count

SHORTEST = 8
"""The fewest tokens to train on or to hold out."""
PROBE_TOKENS = 64
SAMPLE_TOKENS = 120


@dataclass(frozen=True, kw_only=True)
class TextTaskConfig:
    """Where the text comes from, and how rows are made of it."""

    sources: tuple[str, ...] = ()
    """Files, archives and data sets, written as sources.py says."""
    text: str = ""
    """Text that was typed in."""
    vocabulary: VocabularyKind = "bpe"
    vocabulary_size: int = 4096
    held_out: float = 0.05
    """The last share of each text, never trained on."""
    repeats: float = 0.0
    """The share of training rows in which a passage occurs twice; induction heads form on them."""
    unwrap: Joining = "prose"
    """Join the lines of paragraphs: all, none, or where they are wrapped prose."""
    copying_first: int = 0
    """The first steps train on random blocks that repeat and on no text."""
    copying_rows: int = 40
    """Rows of such blocks in each of these steps."""
    copying_beside: int = 0
    """Rows of such blocks in every later batch, as long as the text's."""

    def __post_init__(self) -> None:
        check_sources(self.sources, self.text)
        check_vocabulary(self.vocabulary, self.vocabulary_size)
        check_held_out(self.held_out)
        check_joining(self.unwrap)
        if not 0 <= self.repeats <= 1:
            raise UserError(
                "The share of repeated passages is {repeats}; choose a number from 0 to 1.", repeats=self.repeats
            )
        for name in ("copying_first", "copying_beside"):
            check_count(name, getattr(self, name), smallest=0)
        check_count("copying_rows", self.copying_rows)

    def needs(self) -> Needs:
        """A decoder with room for the vocabulary and for the shortest row of repeated blocks."""
        beside = 2 * SHORTEST_BLOCK if self.copying_beside else 1
        shortest = COPYING_LENGTH if self.copying_first else beside
        return Needs(kind="decoder", vocabulary=self.vocabulary_size, context=shortest)


@dataclass(frozen=True, kw_only=True, eq=False)
class TextTask:
    """The text as token ids, split into training and held-out."""

    config: TextTaskConfig
    tokenizer: Tokenizer
    train_ids: np.ndarray
    held_out_ids: np.ndarray
    held_out_bytes: int
    start: int = field(default=0)

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the text is too short for one context, or its vocabulary too large for the model."""
        check_needs(self.config.needs(), model, vocabulary=self.tokenizer.get_vocab_size())
        for part, ids in (("training", self.train_ids), ("held-out", self.held_out_ids)):
            if len(ids) < SHORTEST:
                raise UserError(
                    "The {part} text has {n_ids} tokens; at least {shortest} are needed. Choose a longer text, or "
                    "another share to hold out.",
                    part=part,
                    n_ids=len(ids),
                    shortest=SHORTEST,
                )
        # A row of n tokens needs at least n + 1 to start at a random one.
        if len(self.train_ids) <= model.context:
            raise UserError(
                "The training text has {n_train_ids} tokens, too few for a context of {context}. Choose a "
                "context of at most {longest_context}, or a longer text.",
                n_train_ids=len(self.train_ids),
                context=model.context,
                longest_context=len(self.train_ids) - 1,
            )

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """START and a random passage of the training text in each row; repeated blocks as the config says."""
        tokens = self.tokenizer.get_vocab_size()
        if step <= self.config.copying_first:
            return repeated_block_batch(tokens, self.config.copying_rows, generator, start=self.start)
        text = next_token_batch(np.stack([self._row(length, generator) for _ in range(rows)]))
        if not self.config.copying_beside:
            return text
        copying = repeated_block_batch(tokens, self.config.copying_beside, generator, start=self.start, length=length)
        return join_rows(text, copying)

    def _row(self, length: int, generator: np.random.Generator) -> np.ndarray:
        ids = self.train_ids
        begin = int(generator.integers(0, len(ids) - length))
        row = ids[begin : begin + length].astype(np.int64)
        if generator.random() < self.config.repeats:
            passage = int(generator.integers(max(1, length // 8), length // 2 + 1))
            row = np.concatenate([row[:passage], row])[:length]
        return np.concatenate([[self.start], row])

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int | None, length: int) -> dict[str, float]:
        """Held-out loss in nats per token and bits per byte, on windows spread evenly over the held-out text."""
        windows = self._held_out_windows(length, rows)
        losses = torch.cat([next_token_losses(model, batch) for batch in torch.split(windows, 8)])
        nats = float(losses.mean())
        n_bytes = self.held_out_bytes / len(self.held_out_ids) * len(losses)
        return {"held_out_loss": nats, "bits_per_byte": bits_per_byte(losses.double().numpy(), n_bytes)}

    def probe(self, length: int) -> Probe:
        """The beginning of the held-out text, twice: induction heads show on the second copy."""
        body = self.held_out_ids[: max(1, min(PROBE_TOKENS, length - 1) // 2)].astype(np.int64)
        return Probe(batch=Batch(ids=torch.from_numpy(np.concatenate([[self.start], body, body]))[None]))

    def samples(self, model: Transformer) -> list[Sample]:
        """An unprompted sample."""
        return [TextSample(prompt="", text=sample_text(model, self.tokenizer, tokens=SAMPLE_TOKENS))]

    def save(self, folder: Path) -> None:
        """Write the vocabulary and the encoded text, so that resuming reads the same ids."""
        self.tokenizer.save(str(folder / "tokenizer.json"))
        np.savez(
            folder / "tokens.npz",
            train=self.train_ids,
            held_out=self.held_out_ids,
            held_out_bytes=np.array(self.held_out_bytes),
        )

    def _held_out_windows(self, length: int, rows: int | None) -> Int[Tensor, "row token"]:
        ids = self.held_out_ids
        # A text shorter than the context is one window.
        length = min(length, len(ids))
        count = len(ids) // length
        chosen = np.linspace(0, count - 1, min(rows or count, count)).round().astype(int)
        body = ids[: count * length].reshape(count, length)[chosen].astype(np.int64)
        return torch.from_numpy(np.concatenate([np.full((len(body), 1), self.start), body], axis=1))


@torch.no_grad()
def sample_text(
    model: Transformer,
    tokenizer: Tokenizer,
    *,
    prompt: str = "",
    tokens: int,
    temperature: float = 0.8,
    seed: int = 0,
) -> str:
    """Continue a prompt by sampling token after token; the same seed gives the same text.

    Raises UserError unless the temperature is positive.
    """
    if not temperature > 0:
        raise UserError(
            "A temperature of {temperature} cannot be sampled at; choose a positive number.", temperature=temperature
        )
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor([tokenizer.encode(prompt).ids])
    context = model.config.context
    for _ in range(tokens):
        logits = model(ids[:, -context:])[0, -1] / temperature
        sampled = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        ids = torch.cat([ids, sampled[None]], dim=1)
    return str(tokenizer.decode(ids[0].tolist()))


def next_token_losses(
    model: Callable[[Tensor], Tensor], ids: Int[Tensor, "row token"]
) -> Float[Tensor, "row*(token-1)"]:
    """Surprisal of each next token, in nats."""
    logits = model(ids[:, :-1])
    return functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")


def next_token_batch(rows: Int[np.ndarray, "row token"]) -> Batch:
    """A batch whose labels are the next tokens."""
    ids = torch.from_numpy(rows)
    return Batch(ids=ids[:, :-1], labels=ids[:, 1:])


def join_rows(first: Batch, second: Batch) -> Batch:
    """Concatenate two batches of a decoder's rows of equal length."""
    assert first.labels is not None
    assert second.labels is not None
    return Batch(ids=torch.cat([first.ids, second.ids]), labels=torch.cat([first.labels, second.labels]))


def restore_text(config: TextTaskConfig, folder: Path) -> TextTask:
    """The task of a run folder. Raises UserError if its files are damaged."""
    with reading_saved(folder, "tokens.npz", "tokenizer.json"), np.load(folder / "tokens.npz") as tokens:
        return TextTask(
            config=config,
            tokenizer=Tokenizer.from_str((folder / "tokenizer.json").read_text(encoding="utf-8")),
            train_ids=tokens["train"],
            held_out_ids=tokens["held_out"],
            held_out_bytes=int(tokens["held_out_bytes"]),
        )


def prepare_text(config: TextTaskConfig) -> TextTask:
    """Read the sources, train the vocabulary on the training part, and encode both parts."""
    texts = [join_lines(text, config.unwrap) for text in read_texts(config.sources, config.text)]
    cuts = [cut_text(text, config.held_out) for text in texts]
    train = [text[:cut] for text, cut in zip(texts, cuts, strict=True)]
    held_out = [text[cut:] for text, cut in zip(texts, cuts, strict=True)]
    tokenizer = train_vocabulary(config.vocabulary, train, config.vocabulary_size)
    return TextTask(
        config=config,
        tokenizer=tokenizer,
        train_ids=encode_texts(tokenizer, train),
        held_out_ids=encode_texts(tokenizer, held_out),
        held_out_bytes=sum(len(text.encode()) for text in held_out),
    )


def cut_text(text: str, held_out: float) -> int:
    """Where the held-out part begins: at a line, unless that halves the fraction that was asked for."""
    cut = int(len(text) * (1 - held_out))
    line_start = text.find("\n", cut) + 1
    return line_start if line_start and 2 * (len(text) - line_start) >= len(text) - cut else cut


def encode_texts(tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """Their token ids one after the other, without special tokens."""
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return np.concatenate([np.array(encoding.ids, dtype=np.uint16) for encoding in encodings])


KIND = TaskKind(
    name="text",
    config=TextTaskConfig,
    prepare=prepare_text,
    read=restore_text,
    right="A high probability of the token that came next.",
)
