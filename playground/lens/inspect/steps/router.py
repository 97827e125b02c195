"""The router of a mixture: a score for every expert, which experts are chosen, and each one's share.

Shazeer et al. 2017; Fedus et al. 2022, section 2. DeepSeek-AI 2024 (arXiv:2412.19437, section 2.1.2): a bias of each
expert counts for the choice and not for the share; experts are chosen within the best groups.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from playground.errors import UserError
from playground.lens.capture.hooks import ModuleOutput
from playground.lens.inspect.steps.activation import agrees
from playground.lens.inspect.steps.feed_forward import has_matrix, linear_map
from playground.lens.inspect.steps.norm_map import LinearMap
from playground.lens.inspect.steps.token_rows import TokenRows


class Routing(NamedTuple):
    """What the router makes of some tokens."""

    scores: Float[Tensor, "row expert"]
    chosen: Int[Tensor, "row choice"]
    """The experts of the largest scores."""
    shares: Float[Tensor, "row choice"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ShareRule:
    """How the scores of the chosen experts become their shares."""

    name: str
    formula: str
    """LaTeX; s are the scores, C are the chosen experts."""
    function: Callable[[Tensor, Tensor], Tensor]
    """From all scores and the choice."""


def _over_all(scores: Tensor, chosen: Tensor) -> Tensor:
    return scores.softmax(-1).gather(1, chosen)


def _over_chosen(scores: Tensor, chosen: Tensor) -> Tensor:
    return scores.gather(1, chosen).softmax(-1)


def _logistic(scores: Tensor, chosen: Tensor) -> Tensor:
    return scores.sigmoid().gather(1, chosen)


def _logistic_normed(scores: Tensor, chosen: Tensor) -> Tensor:
    shares = _logistic(scores, chosen)
    return shares / shares.sum(-1, keepdim=True)


RULES = (
    ShareRule(
        name="chosen",
        formula=r"p_e = \frac{\exp s_e}{\sum_{i \in C} \exp s_i}",
        function=_over_chosen,
    ),
    ShareRule(name="all", formula=r"p_e = \frac{\exp s_e}{\sum_i \exp s_i}", function=_over_all),
    ShareRule(
        name="logistic, normed",
        formula=r"p_e = \frac{\sigma(s_e)}{\sum_{i \in C} \sigma(s_i)}",
        function=_logistic_normed,
    ),
    ShareRule(name="logistic", formula=r"p_e = \sigma(s_e)", function=_logistic),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Preference:
    """By what experts are chosen: logistic scores plus a bias of each, within the best groups of experts."""

    bias: Float[Tensor, "expert"]
    groups: int = 1
    kept: int = 1
    """Groups whose two best experts are best together; the others' experts are not chosen."""

    def __call__(self, scores: Float[Tensor, "row expert"]) -> Float[Tensor, "row expert"]:
        preferred = scores.sigmoid() + self.bias
        if self.kept >= self.groups:
            return preferred
        # 8 experts in 4 groups: [row, 8] becomes [row, 4, 2], of which the groups of the largest sums stay.
        grouped = preferred.view(len(scores), self.groups, -1)
        best = grouped.topk(min(2, grouped.shape[-1]), dim=-1).values.sum(-1).topk(self.kept, dim=-1).indices
        stays = torch.zeros(len(scores), self.groups, dtype=torch.bool).scatter_(1, best, True)
        return grouped.masked_fill(~stays[..., None], float("-inf")).flatten(1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Router:
    """Scores for every expert, of which the largest are chosen."""

    map: LinearMap
    rule: ShareRule
    choices: int
    """How many experts each token goes through."""
    preference: Preference | None = None
    """What the choice looks at besides the scores; None where the largest are chosen."""
    factor: float = 1.0
    """What the shares are multiplied by (DeepSeek-V3)."""

    def __call__(self, x: Float[Tensor, "row width"]) -> Routing:
        scores = self.map(x)
        preferred = scores if self.preference is None else self.preference(scores)
        chosen = preferred.topk(self.choices, dim=-1).indices
        return Routing(scores=scores, chosen=chosen, shares=self.factor * self.rule.function(scores, chosen))


class FoundRouting(NamedTuple):
    """A router, and what it made in the pass."""

    router: Router
    routing: Routing
    """Recomputed."""
    scores: Float[Tensor, "row expert"] | None
    """As its module returned them; None where it returns something else."""
    shares: Float[Tensor, "row expert"]
    """As the experts received them; 0 for those not chosen."""


def find_routing(rows: TokenRows, outputs: Sequence[ModuleOutput], experts: ModuleOutput) -> FoundRouting | None:
    """The router whose scores give the experts and shares that the experts received."""
    x, given = experts.received, rows.choices[experts.module]
    chosen = next((tensor for tensor in given if not tensor.is_floating_point() and tensor.ndim == 2), None)
    shares = next((tensor.float() for tensor in given if tensor.is_floating_point() and tensor.ndim == 2), None)
    if x is None or chosen is None or shares is None:
        return None
    n_experts = len(next(p for p in experts.module.parameters(recurse=False) if p.ndim == 3))
    shares = shares if shares.shape == chosen.shape else shares.gather(1, chosen)
    for item in outputs:
        if not has_matrix(item.module) or linear_map(item.module).weight.shape != (n_experts, x.shape[1]):
            continue
        for router in _routers(rows, outputs, item, x, chosen, shares):
            routing = router(x)
            if torch.equal(routing.chosen.sort(-1).values, chosen.sort(-1).values):
                scores = item.output if agrees(routing.scores, item.output, rows.dtype) else None
                placed = torch.zeros(len(x), n_experts).scatter(1, chosen, shares)
                return FoundRouting(router=router, routing=routing, scores=scores, shares=placed)
    return None


def _routers(
    rows: TokenRows, outputs: Sequence[ModuleOutput], item: ModuleOutput, x: Tensor, chosen: Tensor, shares: Tensor
) -> Iterator[Router]:
    """The rules by which this matrix's scores give the shares of the chosen experts, with every known way to choose."""
    scores_map, dtype = linear_map(item.module), rows.dtype
    scores = scores_map(x)
    fits = [(rule, 1.0) for rule in RULES if agrees(rule.function(scores, chosen), shares, dtype)]
    # At one token a factor makes shares of one rule those of another: only one that the block states counts.
    for factor in () if fits else _stated_factors(outputs, item.module):
        fits += [(rule, factor) for rule in RULES if agrees(factor * rule.function(scores, chosen), shares, dtype)]
    for rule, factor in fits:
        for preference in (None, *_preferences(outputs, item.module, scores.shape[1])):
            yield Router(map=scores_map, rule=rule, choices=chosen.shape[1], preference=preference, factor=factor)


def _stated_factors(outputs: Sequence[ModuleOutput], router: nn.Module) -> list[float]:
    """Numbers that a module of the block keeps: the factor of the shares is one of them (DeepSeek-V3, AFMoE)."""
    modules = dict.fromkeys([router, *(item.module for item in outputs)])
    values = [value for module in modules for value in vars(module).values()]
    return list(dict.fromkeys(value for value in values if isinstance(value, float) and value not in (0.0, 1.0)))


def _preferences(outputs: Sequence[ModuleOutput], router: nn.Module, n_experts: int) -> Iterator[Preference]:
    """Biases of experts that some module of the block holds, alone and with the groups that it states."""
    modules = [router, *(item.module for item in outputs)]
    for module in dict.fromkeys(modules):
        held = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        for bias in held:
            if bias.ndim == 1 and len(bias) == n_experts and bias is not getattr(router, "bias", None):
                values = bias.detach().float().cpu()
                groups = getattr(module, "num_group", getattr(module, "n_group", 1)) or 1
                kept = getattr(module, "topk_group", groups) or groups
                yield Preference(bias=values)
                if isinstance(groups, int) and n_experts % groups == 0:
                    yield Preference(bias=values, groups=groups, kept=int(kept))


def unknown_routing(rows: TokenRows, experts: ModuleOutput) -> UserError:
    """Why no router was found: Llama 4's experts read inputs that were multiplied before."""
    if len(rows.choices[experts.module]) < 2:
        return UserError(
            "The experts of the family {family} are not handed which experts a token goes to, but inputs that were "
            "multiplied before; such a mixture cannot be told here. Choose a model of another family.",
            family=rows.model.family,
        )
    return UserError(
        "The router of the family {family} chooses its experts, or makes their shares, in a way that is not known "
        "here. Choose a model of another family.",
        family=rows.model.family,
    )
