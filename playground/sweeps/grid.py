"""What a sweep trains: sizes, token budgets and seeds, each combination an ordinary run.

Runs of one size and seed share a line: they follow warm-up, stable rate and decay (Hu et al. 2024, section 4), whose
steps before the decay do not depend on the run's length. So the longest run, the trunk, is trained once, and a
shorter one goes on from the trunk's snapshot before its own decay, as the very run that it would have been from its
first step on.
"""

import dataclasses
import math
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_args

from playground.errors import UserError
from playground.tasks.registry import task_from_dict, task_to_dict
from playground.tasks.tales.tales_task import TalesConfig
from playground.tasks.task import TaskConfig
from playground.training.config import DeviceName, TrainConfig
from playground.training.estimate import flops_per_step
from playground.training.sizes import parameters_by_part
from playground.transformer import TransformerConfig, check_choice, check_count

Design = Literal["grid", "isoflop"]
Size = tuple[int, int]
"""Width and layers."""

MOST_CELLS = 5000
LARGEST_NUMBER = 1e30
STABLE_SHARE = 0.8
"""Of the steps after the warm-up; the rest is the decay (playground/training/schedule.py)."""
TRUNK_SNAPSHOTS = 20
ENDS = ("embedding", "head", "position", "segment")
"""The parts that are left out where parameters are counted without embeddings (Kaplan et al. 2020, section 2.1)."""


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """Which sizes are trained on how many tokens, with which seeds, and how.

    A size is (width, layers). grid: each size on each of `tokens`. isoflop: each size on as many tokens as each of
    `flops` pays for, in operations as they are counted in estimate.flops_per_step without the embedding's lookup.
    The learning rate of a width is learning_rate * (learning_rate_width / width) ** learning_rate_exponent;
    exponent 1 is that of hidden matrices in Yang et al. 2022, table 3. head_width is the least width of a head.
    context and batch are in tokens and rows; warm_up is in steps; evaluations are those of a line's longest run.
    """

    task: TaskConfig = field(default_factory=TalesConfig)
    design: Design = "grid"
    sizes: tuple[Size, ...] = ((16, 1), (24, 2), (32, 3), (48, 3))
    tokens: tuple[int, ...] = (250_000, 500_000, 1_000_000)
    flops: tuple[float, ...] = ()
    seeds: tuple[int, ...] = (0,)
    context: int = 128
    batch: int = 8
    head_width: int = 16
    warm_up: int = 50
    learning_rate: float = 4e-3
    learning_rate_width: int = 32
    learning_rate_exponent: float = 1.0
    weight_decay: float = 0.1
    evaluations: int = 30
    evaluate_rows: int = 128
    device: DeviceName = "auto"

    def __post_init__(self) -> None:
        check_choice("design", self.design, get_args(Design))
        for name in ("context", "batch", "head_width", "learning_rate_width", "evaluations", "evaluate_rows"):
            check_count(name, getattr(self, name))
        check_count("warm_up", self.warm_up, smallest=0)
        _check_list("sizes", self.sizes)
        for size in self.sizes:
            _check_size(size)
        budgets = "tokens" if self.design == "grid" else "flops"
        _check_list(budgets, getattr(self, budgets))
        _check_budgets("tokens", self.tokens)
        _check_budgets("flops", self.flops)
        _check_list("seeds", self.seeds)
        for seed in self.seeds:
            check_count("a seed", seed, smallest=0)
        self._check_rule()
        if self.count > MOST_CELLS:
            raise UserError(
                "The sweep has {count:,} cells; choose at most {most_cells:,}.", count=self.count, most_cells=MOST_CELLS
            )

    def _check_rule(self) -> None:
        for name, least in (("learning_rate", 0.0), ("learning_rate_exponent", -4.0), ("weight_decay", -1e-9)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not least < value <= 4:
                raise UserError(
                    "{name} of the sweep is {value!r}; choose a number above {least:g}, at most 4.",
                    name=name,
                    value=value,
                    least=least,
                )

    @property
    def count(self) -> int:
        """How many cells there are."""
        budgets = self.tokens if self.design == "grid" else self.flops
        return len(self.sizes) * len(budgets) * len(self.seeds)

    @property
    def tokens_per_step(self) -> int:
        """How many tokens are read in a step."""
        return self.batch * self.context

    def rate(self, width: int) -> float:
        """The highest learning rate of a width."""
        return self.learning_rate * math.pow(self.learning_rate_width / width, self.learning_rate_exponent)

    def to_dict(self) -> dict[str, Any]:
        """The record as it stands in sweep.json."""
        return {
            **{one.name: getattr(self, one.name) for one in dataclasses.fields(self)},
            "task": task_to_dict(self.task),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "SweepConfig":
        """Read back what `to_dict` wrote. Raises UserError for what is missing, unknown or of the wrong kind."""
        try:
            rest = {name: _tuples(value) for name, value in values.items() if name != "task"}
            return cls(task=task_from_dict(values["task"]), **rest)
        except UserError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(
                "The sweep's configuration has a field that is missing, unknown or wrong: {error}.", error=error
            ) from error


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a sweep. parameters are all; flops and tokens those of all its steps.

    trunk is the cell that it may branch from, and fork the last snapshot of that one before this cell's decay; None
    for a trunk itself and where the decay begins before the first snapshot.
    """

    name: str
    config: TrainConfig
    parameters: int
    parameters_without_embeddings: int
    tokens: int
    flops: int
    trunk: str | None = None
    fork: int | None = None

    @property
    def steps(self) -> int:
        """The steps that have to be trained for it."""
        return self.config.steps - (self.fork or 0)


def cells(config: SweepConfig) -> tuple[Cell, ...]:
    """The cells in the order in which they are trained: seed by seed, small sizes first, each line's longest first.

    Whenever a sweep is stopped, what is there spans the sizes. Raises UserError for cells that cannot be.
    """
    shapes = sorted((shape_of(config, size) for size in set(config.sizes)), key=lambda shape: _counts(shape)[1])
    seeds = list(dict.fromkeys(config.seeds))
    return tuple(cell for seed in seeds for shape in shapes for cell in _line(config, shape, seed))


def shape_of(config: SweepConfig, size: Size) -> TransformerConfig:
    """The model of a size."""
    width, layers = size
    needs = config.task.needs()
    if needs.kind != "decoder":
        raise UserError("A sweep trains decoders on the next token; choose the task tales or text.")
    return TransformerConfig(
        vocabulary=needs.vocabulary,
        context=config.context,
        width=width,
        layers=layers,
        heads=heads_of(width, config.head_width),
    )


def heads_of(width: int, least: int) -> int:
    """The most heads of at least so many numbers each, an even number of them (rotary positions turn pairs)."""
    fits = [heads for heads in range(1, width + 1) if width % heads == 0 and (width // heads) % 2 == 0]
    return max([heads for heads in fits if width // heads >= least], default=1)


def flops_per_token(config: SweepConfig, shape: TransformerConfig) -> float:
    """Operations of training on one token, forward and backward, attention and head counted, the lookup not."""
    parts = flops_per_step(_train_config(config, shape, seed=0, steps=1))
    return (sum(parts.values()) - parts["embedding"]) / config.tokens_per_step


def budgets_of(config: SweepConfig, shape: TransformerConfig) -> tuple[int, ...]:
    """The tokens that a size is trained on, as asked or as its operations allow; the most last."""
    if config.design == "grid":
        return tuple(sorted(set(config.tokens)))
    each = flops_per_token(config, shape)
    return tuple(sorted({round(flops / each) for flops in config.flops}))


def _line(config: SweepConfig, shape: TransformerConfig, seed: int) -> list[Cell]:
    """The cells of one size and seed, the trunk first, then the others from the shortest on."""
    steps = sorted({max(1, round(tokens / config.tokens_per_step)) for tokens in budgets_of(config, shape)})
    every = snapshot_distance(steps, config.warm_up)
    evaluate_every = max(1, steps[-1] // config.evaluations)
    trunk = _cell(config, shape, seed, steps[-1], every, evaluate_every)
    branches = []
    for count in steps[:-1]:
        fork = last_stable_step(count, config.warm_up) // every * every
        branch = _cell(config, shape, seed, count, every, evaluate_every)
        branches.append(dataclasses.replace(branch, trunk=trunk.name, fork=fork) if fork else branch)
    return [trunk, *branches]


def last_stable_step(steps: int, warm_up: int) -> int:
    """A step up to which a run's learning rates are those of every longer run. 0 where it never reaches the height."""
    if steps <= warm_up:
        return 0
    # One step less than the schedule says: its quotient may be a rounding below 1 there.
    return max(0, warm_up + math.floor(STABLE_SHARE * (steps - warm_up)) - 1)


def snapshot_distance(steps: list[int], warm_up: int) -> int:
    """How many steps lie between the snapshots of a line, so that branches begin close before their decay.

    steps are the line's, in order; the trunk has at most about TRUNK_SNAPSHOTS.
    """
    forks = [last_stable_step(count, warm_up) for count in steps[:-1]]
    least = max(1, steps[-1] // TRUNK_SNAPSHOTS)
    most = max([least, *(fork for fork in forks[:1] if fork)])
    # The largest of those that repeat the fewest steps.
    return min(range(most, least - 1, -1), key=lambda every: sum(fork % every for fork in forks))


def _cell(
    config: SweepConfig, shape: TransformerConfig, seed: int, steps: int, snapshot_every: int, evaluate_every: int
) -> Cell:
    run = dataclasses.replace(
        _train_config(config, shape, seed=seed, steps=steps),
        snapshot_every=snapshot_every,
        evaluate_every=evaluate_every,
    )
    parameters, without = _counts(shape)
    tokens = steps * config.tokens_per_step
    return Cell(
        name=f"w{shape.width}-l{shape.layers}-t{tokens}-s{seed}",
        config=run,
        parameters=parameters,
        parameters_without_embeddings=without,
        tokens=tokens,
        flops=round(flops_per_token(config, shape) * tokens),
    )


def _train_config(config: SweepConfig, shape: TransformerConfig, *, seed: int, steps: int) -> TrainConfig:
    return TrainConfig(
        task=config.task,
        model=shape,
        steps=steps,
        batch=config.batch,
        learning_rate=config.rate(shape.width),
        final_learning_rate=0.0,
        warm_up=min(config.warm_up, steps),
        schedule="stable-decay",
        betas=(0.9, 0.95),
        weight_decay=config.weight_decay,
        seed=seed,
        evaluate_rows=config.evaluate_rows,
        device=config.device,
        frames=0,
    )


@cache
def _counts(shape: TransformerConfig) -> tuple[int, int]:
    """Parameters, and those without embeddings and head."""
    parts = parameters_by_part(shape)
    return sum(parts.values()), sum(count for part, count in parts.items() if part not in ENDS)


def _check_list(name: str, values: object) -> None:
    if not isinstance(values, tuple) or not values:
        raise UserError("The sweep needs at least one of its {name}.", name=name)


def _check_size(size: object) -> None:
    if not isinstance(size, tuple) or len(size) != 2:
        raise UserError("A size is a width and a number of layers, as 32x3; this one is {size!r}.", size=size)
    check_count("a width", size[0], smallest=2)
    check_count("layers", size[1])
    if size[0] % 2:
        raise UserError("The width {size} is odd; rotary positions turn pairs of numbers.", size=size[0])


def _check_budgets(name: str, values: tuple[float, ...]) -> None:
    for value in values:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 1 <= value <= LARGEST_NUMBER:
            raise UserError(
                "A budget of {value!r} {name} makes no sense; choose a number of at least 1.", value=value, name=name
            )


def _tuples(value: Any) -> Any:
    """Lists as they stand in a file become tuples, inner ones too."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
