"""The grid of a sweep: sizes, token budgets and seeds, each combination (a cell) an ordinary run.

Runs of one size and seed share a trunk. Their schedule is warm-up, stable, decay (Hu et al. 2024, section 4), whose
steps before the decay do not depend on the run's length: the longest run is trained from step 0, and a shorter one
branches off at the trunk's last checkpoint before its own decay. It is the very run that it would have been.
"""

import dataclasses
import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

from playground.errors import UserError
from playground.legacy_names import SWEEP, modernise
from playground.sweeps.flop_counting import all_parameters, without_embeddings
from playground.sweeps.forks import checkpoint_interval, last_stable_step
from playground.sweeps.learning_rates import SizeRate, check_rates
from playground.tasks.registry import task_from_dict, task_to_dict
from playground.tasks.tales.tales_task import TalesConfig
from playground.tasks.task import TaskConfig
from playground.training.config import DeviceName, TrainConfig
from playground.training.estimate import flops_per_step
from playground.transformer import TransformerConfig, check_choice, check_count

Design = Literal["grid", "isoflop", "series"]
Size = tuple[int, int]
"""Width and layers."""

MOST_CELLS = 5000
LARGEST_NUMBER = 1e30


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """Which sizes are trained on how many tokens, with which seeds, and how. Raises UserError for what cannot be."""

    task: TaskConfig = field(default_factory=TalesConfig)
    design: Design = "grid"
    """grid: each size on each of `tokens`. isoflop: each size on as many tokens as each of `flops` pays for.
    series: the first size on the first of `tokens`, the second on the second, and so on (dial.py)."""
    sizes: tuple[Size, ...] = ((16, 1), (24, 2), (32, 3), (48, 3))
    tokens: tuple[int, ...] = (250_000, 500_000, 1_000_000)
    flops: tuple[float, ...] = ()
    """Budgets, counted as `flops_per_token` counts."""
    seeds: tuple[int, ...] = (0,)
    context: int = 128
    batch: int = 8
    """Sequences in a step."""
    head_width: int = 16
    """The least width of an attention head."""
    warm_up: int = 50
    learning_rate: float = 4e-3
    """The peak at `learning_rate_width`; at another width it is times (learning_rate_width / width) ** exponent."""
    learning_rate_width: int = 32
    learning_rate_exponent: float = 1.0
    """1 is that of hidden matrices in Yang et al. 2022, table 3."""
    tuned_rates: tuple[SizeRate, ...] = ()
    """The sizes whose peak was tuned (learning_rates.py); the others follow the rule."""
    rate_factors: tuple[float, ...] = (1.0,)
    """Multiples of each size's peak; several make the sweep a search for the best."""
    weight_decay: float = 0.1
    evaluations: int = 30
    """Of a trunk; shorter runs are evaluated at the same intervals."""
    evaluate_rows: int = 128
    device: DeviceName = "auto"

    def __post_init__(self) -> None:
        check_choice("design", self.design, get_args(Design))
        check_choice("device", self.device, get_args(DeviceName))
        for name in ("context", "batch", "head_width", "learning_rate_width", "evaluations", "evaluate_rows"):
            check_count(name, getattr(self, name))
        check_count("warm_up", self.warm_up, smallest=0)
        _check_list("sizes", self.sizes)
        for size in self.sizes:
            _check_size(size)
        budgets = "flops" if self.design == "isoflop" else "tokens"
        _check_list(budgets, getattr(self, budgets))
        if self.design == "series" and not len(set(self.sizes)) == len(self.sizes) == len(self.tokens):
            raise UserError("A series needs sizes that differ, and as many budgets of tokens as sizes.")
        _check_budgets("tokens", self.tokens)
        _check_budgets("flops", self.flops)
        _check_list("seeds", self.seeds)
        for seed in self.seeds:
            check_count("a seed", seed, smallest=0)
        self._check_rule()
        check_rates(self.tuned_rates, self.rate_factors)
        if self.count > MOST_CELLS:
            raise UserError(
                "The sweep has {count:,} cells; choose at most {most:,}.", count=self.count, most=MOST_CELLS
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
        """The number of cells."""
        budgets = {"grid": len(self.tokens), "isoflop": len(self.flops), "series": 1}[self.design]
        return len(self.sizes) * budgets * len(self.seeds) * len(self.rate_factors)

    @property
    def tokens_per_step(self) -> int:
        """Tokens in a step."""
        return self.batch * self.context

    def peak_rate(self, size: Size) -> float:
        """The peak learning rate of a size: tuned, or by the rule."""
        tuned = {(width, layers): rate for width, layers, rate in self.tuned_rates}
        if size in tuned:
            return tuned[size]
        width, _layers = size
        return self.learning_rate * math.pow(self.learning_rate_width / width, self.learning_rate_exponent)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in sweep.json."""
        return {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "task": task_to_dict(self.task),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "SweepConfig":
        """Read back what `to_dict` wrote. Raises UserError for what is missing, unknown or of the wrong kind."""
        try:
            values = modernise(values, SWEEP)
            fields = {name: _tuples(value) for name, value in values.items() if name != "task"}
            return cls(task=task_from_dict(values["task"]), **fields)
        except UserError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(
                "The sweep's configuration has a field that is missing, unknown or wrong: {error}.", error=error
            ) from error


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a sweep."""

    name: str
    config: TrainConfig
    parameters: int
    parameters_without_embeddings: int
    tokens: int
    """Of all its steps, those before the fork included; so are the FLOPs."""
    flops: int
    trunk: str | None = None
    """The cell that it branches from; None for a trunk, and where the decay begins before the first checkpoint."""
    fork: int | None = None
    """The trunk's last checkpoint before this cell's decay."""

    @property
    def steps(self) -> int:
        """The steps of its own, after the fork."""
        return self.config.steps - (self.fork or 0)


def cells(config: SweepConfig) -> tuple[Cell, ...]:
    """The cells in training order: seed by seed, small sizes first, each trunk before its branches.

    Whenever a sweep is stopped, its finished cells span the sizes. Raises UserError for cells that cannot be.
    """
    shapes = [shape_of(config, size) for size in set(config.sizes)]
    shapes.sort(key=without_embeddings)
    seeds = list(dict.fromkeys(config.seeds))
    factors = list(dict.fromkeys(config.rate_factors))
    runs = ((seed, shape, factor) for seed in seeds for shape in shapes for factor in factors)
    return tuple(cell for seed, shape, factor in runs for cell in _trunk_and_branches(config, shape, seed, factor))


def shape_of(config: SweepConfig, size: Size) -> TransformerConfig:
    """The model of a size. Raises UserError for a task that does not train decoders."""
    width, layers = size
    needs = config.task.needs()
    if needs.kind != "decoder":
        raise UserError("A sweep trains decoders on the next token; choose the task tales or text.")
    return TransformerConfig(
        vocabulary=needs.vocabulary,
        context=config.context,
        width=width,
        layers=layers,
        n_heads=heads_of_width(width, config.head_width),
    )


def heads_of_width(width: int, least: int) -> int:
    """The most heads that are at least so wide; a head's width is even, as rotary positions turn pairs."""
    # Width 24: 1, 2, 3, 4, 6 and 12 heads are 24, 12, 8, 6, 4 and 2 wide; at least 8 wide are up to 3 heads.
    even = [count for count in range(1, width + 1) if width % count == 0 and (width // count) % 2 == 0]
    return max([count for count in even if width // count >= least], default=1)


def flops_per_token(config: SweepConfig, shape: TransformerConfig) -> float:
    """Training FLOPs of one token, forward and backward, attention and head counted, the embedding lookup not."""
    parts = flops_per_step(_train_config(config, shape, seed=0, steps=1))
    return (sum(parts.values()) - parts["embedding"]) / config.tokens_per_step


def token_budgets(config: SweepConfig, shape: TransformerConfig) -> tuple[int, ...]:
    """The token budgets of a size, smallest first: as configured, or what each compute budget pays for."""
    if config.design == "grid":
        return tuple(sorted(set(config.tokens)))
    if config.design == "series":
        return (config.tokens[config.sizes.index((shape.width, shape.layers))],)
    each = flops_per_token(config, shape)
    return tuple(sorted({round(flops / each) for flops in config.flops}))


def _trunk_and_branches(config: SweepConfig, shape: TransformerConfig, seed: int, factor: float) -> list[Cell]:
    """The cells of one size, seed and learning rate: the longest run, then the others from the shortest on."""
    steps = sorted({max(1, round(tokens / config.tokens_per_step)) for tokens in token_budgets(config, shape)})
    every = checkpoint_interval(steps, config.warm_up)
    evaluate_every = max(1, steps[-1] // config.evaluations)
    # Runs of 100, 200 and 800 steps without warm-up: the trunk keeps every 79th step, the others fork at 79 and 158.
    make = partial(_cell, config, shape, seed, factor, checkpoint_every=every, evaluate_every=evaluate_every)
    trunk = make(steps[-1])
    branches = []
    for count in steps[:-1]:
        fork = last_stable_step(count, config.warm_up) // every * every
        branch = make(count)
        branches.append(dataclasses.replace(branch, trunk=trunk.name, fork=fork) if fork else branch)
    return [trunk, *branches]


def _cell(
    config: SweepConfig,
    shape: TransformerConfig,
    seed: int,
    factor: float,
    steps: int,
    *,
    checkpoint_every: int,
    evaluate_every: int,
) -> Cell:
    plain = _train_config(config, shape, seed=seed, steps=steps)
    run = dataclasses.replace(
        plain,
        learning_rate=factor * plain.learning_rate,
        checkpoint_every=checkpoint_every,
        evaluate_every=evaluate_every,
    )
    tokens = steps * config.tokens_per_step
    return Cell(
        name=f"w{shape.width}-l{shape.layers}-t{tokens}-s{seed}" + _suffix(factor),
        config=run,
        parameters=all_parameters(shape),
        parameters_without_embeddings=without_embeddings(shape),
        tokens=tokens,
        flops=round(flops_per_token(config, shape) * tokens),
    )


def _suffix(factor: float) -> str:
    """What a learning rate adds to a run's name, which may not hold a dot: -x0_5."""
    return "" if factor == 1 else f"-x{factor:g}".replace(".", "_").replace("+", "")


def _train_config(config: SweepConfig, shape: TransformerConfig, *, seed: int, steps: int) -> TrainConfig:
    return TrainConfig(
        task=config.task,
        model=shape,
        steps=steps,
        batch=config.batch,
        learning_rate=config.peak_rate((shape.width, shape.layers)),
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
            raise UserError("A budget of {value!r} {name} makes no sense; choose at least 1.", value=value, name=name)


def _tuples(value: Any) -> Any:
    """Lists of a JSON file, nested ones too, as tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
