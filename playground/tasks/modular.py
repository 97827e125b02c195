"""Addition modulo p: `a + b =`, and the right answer is (a + b) mod p. Grokking was first observed on it.

Training sees a fraction of all pairs. The network memorises them first; much later, and only with weight decay, it
generalises: it maps numbers to angles of a few frequencies and adds the angles.
Power et al. 2022, "Grokking"; Nanda et al. 2023, "Progress measures for grokking via mechanistic interpretability".
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from playground.errors import UserError
from playground.evaluation.answers import accuracy
from playground.tasks.task import (
    IGNORED,
    AnswerSample,
    Batch,
    Needs,
    Probe,
    Sample,
    SpectrumSample,
    StatelessTask,
    TaskKind,
    check_needs,
)
from playground.tasks.vocabulary import word_vocabulary
from playground.transformer import Transformer, TransformerConfig, check_count

LARGEST = 199
"""Every evaluation reads all p² pairs."""
CONTEXT = 5
"""START a + b =; the last position predicts the answer."""
SPLIT = 20220106
N_SAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class ModularConfig:
    """Addition modulo `modulus`, trained on the fraction `train_share` of all pairs; the seed `split` decides which."""

    modulus: int = 53
    train_share: float = 0.4
    split: int = 0

    def __post_init__(self) -> None:
        check_count("modulus", self.modulus, smallest=3)
        check_count("split", self.split, smallest=0)
        if self.modulus > LARGEST:
            raise UserError(
                "modulus is {modulus}; choose at most {largest}, which makes {n_pairs:,} pairs.",
                modulus=self.modulus,
                largest=LARGEST,
                n_pairs=LARGEST**2,
            )
        if not 0 < self.train_share < 1:
            raise UserError(
                "The share of pairs to train on is {train_share}; choose a number between 0 and 1.",
                train_share=self.train_share,
            )

    @property
    def train_pairs(self) -> int:
        """How many pairs are trained on: at least one, and at least one is held out."""
        pairs = self.modulus**2
        return min(max(1, round(pairs * self.train_share)), pairs - 1)

    def needs(self) -> Needs:
        """A decoder that reads `START a + b =`."""
        return Needs(kind="decoder", vocabulary=_tokenizer(self).get_vocab_size(), context=CONTEXT)


@dataclass(frozen=True, kw_only=True, eq=False)
class ModularTask(StatelessTask):
    """All pairs as rows, split into training and test."""

    config: ModularConfig
    tokenizer: Tokenizer
    train_rows: Int[Tensor, "row 6"]
    test_rows: Int[Tensor, "row 6"]

    class_names: tuple[str, ...] = ()

    def check_fits(self, model: TransformerConfig) -> None:
        """Raise UserError if the model is no decoder or too small."""
        check_needs(self.config.needs(), model)

    def batch(self, generator: np.random.Generator, *, rows: int, length: int, step: int) -> Batch:
        """Distinct training pairs; all of them if `rows` is at least their number."""
        if rows >= len(self.train_rows):
            return _batch(self.train_rows)
        chosen = generator.choice(len(self.train_rows), rows, replace=False)
        return _batch(self.train_rows[torch.from_numpy(chosen)])

    @torch.no_grad()
    def evaluate(self, model: Transformer, *, rows: int, length: int) -> dict[str, float]:
        """Loss and accuracy on all pairs of both parts, whatever `rows` is."""
        test_loss, test_accuracy = _loss_and_accuracy(model, self.test_rows)
        train_loss, train_accuracy = _loss_and_accuracy(model, self.train_rows)
        return {
            "held_out_loss": test_loss,
            "test_accuracy": test_accuracy,
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
        }

    def probe(self, length: int) -> Probe:
        """The first test pair."""
        return Probe(batch=_batch(self.test_rows[:1]))

    @torch.no_grad()
    def samples(self, model: Transformer) -> list[Sample]:
        """The spectrum of the number embeddings, and the answers to some test pairs."""
        rows = self.test_rows[:N_SAMPLES]
        guesses = model(rows[:, :-1])[:, -1].argmax(-1)
        answers = [self._sample(row, guess) for row, guess in zip(rows, guesses, strict=True)]
        return [SpectrumSample(power=tuple(spectrum(self.number_embeddings(model)).tolist())), *answers]

    def _sample(self, row: Int[Tensor, "6"], guess: Int[Tensor, ""]) -> AnswerSample:
        words = [str(self.tokenizer.id_to_token(index)) for index in row.tolist()]
        answer = str(self.tokenizer.id_to_token(int(guess)))
        return AnswerSample(
            question=" ".join(words[1:5]), answer=answer, right=words[5], is_right=bool(guess == row[5])
        )

    def number_embeddings(self, model: Transformer) -> Float[Tensor, "number width"]:
        """The embeddings of 0 … p-1."""
        embeddings: Tensor = model.embedding.weight.detach()[_number_ids(self.tokenizer, self.config.modulus)]
        return embeddings


def spectrum(embeddings: Float[Tensor, "number width"]) -> Float[Tensor, "frequency"]:
    """Power spectrum, over frequencies 0 … p/2, of the embeddings as functions of the number, without their mean.

    A single wave cos(2 pi 3 n / p) has all its power at index 3. Nanda et al. 2023, section 4.1.
    """
    waves = torch.fft.rfft(embeddings.double() - embeddings.double().mean(0), dim=0)
    power: Tensor = waves.abs().square().sum(1)
    # rfft leaves out the negative frequencies; all but 0 and p/2 have one.
    count = len(embeddings)
    power[1 : (count + 1) // 2] *= 2
    shares: Tensor = power / power.sum().clamp(min=1e-30)
    return shares.float()


def _batch(rows: Int[Tensor, "row 6"]) -> Batch:
    labels = torch.full((len(rows), CONTEXT), IGNORED)
    labels[:, -1] = rows[:, -1]
    return Batch(ids=rows[:, :-1], labels=labels)


def _loss_and_accuracy(model: Transformer, rows: Int[Tensor, "row 6"]) -> tuple[float, float]:
    """Mean surprisal of the answers in nats, and accuracy."""
    logits = torch.cat([model(part[:, :-1])[:, -1] for part in torch.split(rows, 4096)])
    loss = functional.cross_entropy(logits, rows[:, -1])
    return float(loss), accuracy(logits.argmax(-1).numpy(), rows[:, -1].numpy())


def _tokenizer(config: ModularConfig) -> Tokenizer:
    return word_vocabulary([*map(str, range(config.modulus)), "+", "="])


def _number_ids(tokenizer: Tokenizer, modulus: int) -> list[int]:
    return [tokenizer.encode(str(number)).ids[-1] for number in range(modulus)]


def prepare_modular(config: ModularConfig) -> ModularTask:
    """Build all pairs, shuffle them by the seed `split`, and split them in two."""
    tokenizer = _tokenizer(config)
    numbers = np.array(_number_ids(tokenizer, config.modulus))
    pairs = np.random.default_rng((SPLIT, config.split, 1)).permutation(config.modulus**2)
    first, second = np.divmod(pairs, config.modulus)
    start, plus, equals = (np.full(len(pairs), tokenizer.encode(text).ids[-1]) for text in ("", "+", "="))
    answers = numbers[(first + second) % config.modulus]
    columns = [start, numbers[first], plus, numbers[second], equals, answers]
    rows = torch.from_numpy(np.stack(columns, axis=1))
    cut = config.train_pairs
    return ModularTask(config=config, tokenizer=tokenizer, train_rows=rows[:cut], test_rows=rows[cut:])


KIND = TaskKind(
    name="modular",
    config=ModularConfig,
    prepare=prepare_modular,
    right="The sum of both numbers, less p where it reaches p.",
)
