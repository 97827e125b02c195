"""`effects`: what fine-tuning did to a model, before and after: drift of the weights, heads, forgetting."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from playground.finetuning.model_pair import ModelPair

FIRST = 10
"""Weights and heads that are listed, the most changed first."""
TEXTS, MASKED_TEXTS = 20, 8
"""General texts that are read; fewer by an encoder, which reads each once for each of its tokens."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser("effects", help=_("what fine-tuning did: drift of weights, heads, forgetting"))
    parser.add_argument("before", help=_("the model before; or a fine-tuning's run folder, then without a second name"))
    parser.add_argument("after", nargs="?", help=_("the model after"))
    parser.add_argument("--only", nargs="+", choices=list(EFFECTS), default=list(EFFECTS), help=_("which effects"))
    parser.add_argument("--texts", type=Path, help=_("a file with one text on each line (default: shipped ones)"))
    parser.add_argument("--json", action="store_true", help=_("print everything as JSON"))
    parser.set_defaults(run=print_effects)


def print_effects(arguments: argparse.Namespace) -> None:
    """Load both models, measure, print. Raises UserError for models that are no pair, and as each effect does."""
    pair = _pair(arguments)
    texts = _texts(arguments, pair)
    reports = {name: EFFECTS[name](pair, texts) for name in arguments.only}
    if arguments.json:
        names = {"before": pair.before.name, "after": pair.after.name}
        values = {name: report for name, (report, _said) in reports.items()}
        print(json.dumps({**names, **values}, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(said for _report, said in reports.values()))


def _pair(arguments: argparse.Namespace) -> "ModelPair":
    from playground.finetuning.model_pair import ModelPair
    from playground.models import load
    from playground.training.finetune.result import before_and_after

    names = arguments.before, arguments.after
    if arguments.after is None:
        if not (Path(arguments.before) / "config.json").is_file():
            raise UserError("Name a second model, or the folder of a fine-tuning run.")
        names = before_and_after(Path(arguments.before))
    before, after = (load(name, device="cpu", dtype="float32") for name in names)
    return ModelPair(before=before, after=after)


def _texts(arguments: argparse.Namespace, pair: "ModelPair") -> list[str]:
    from playground.decoding import decode_upload
    from playground.finetuning.general_texts import GENERAL_TEXTS

    if arguments.texts is None:
        return list(GENERAL_TEXTS[: MASKED_TEXTS if pair.before.kind == "encoder" else TEXTS])
    try:
        content = decode_upload(arguments.texts.read_bytes())
    except OSError as error:
        raise UserError(
            "{path} cannot be read ({reason}).", path=arguments.texts, reason=error.strerror or error
        ) from error
    return [line.strip() for line in content.splitlines() if line.strip()]


def _drift(pair: "ModelPair", texts: list[str]) -> tuple[dict[str, Any], str]:
    from playground.finetuning.findings import describe_drift
    from playground.finetuning.weight_drift import model_drift

    drift = model_drift(pair)
    weights = [
        {
            "name": weight.name,
            "shape": list(weight.shape),
            "norm": weight.norm,
            "change": weight.change,
            "relative": weight.relative if weight.norm else None,
            "rank": weight.rank,
            "effective_rank": weight.effective_rank,
            "stable_rank": weight.stable_rank,
        }
        for weight in sorted(drift.weights, key=lambda weight: -weight.relative)
    ]
    report = {"relative": drift.relative, "weights": weights, "added": drift.added, "dropped": drift.dropped}
    lines = [f"  {100 * w.relative:8.3f}%  {w.effective_rank:6.2f}  {w.name}" for w in _furthest(drift.changed)]
    return report, "\n".join([str(describe_drift(drift)), *lines])


def _furthest(weights: Any) -> list[Any]:
    return sorted(weights, key=lambda weight: -weight.relative)[:FIRST]


def _heads(pair: "ModelPair", texts: list[str]) -> tuple[dict[str, Any], str]:
    from playground.finetuning.findings import describe_heads
    from playground.finetuning.head_drift import head_drift

    drift = head_drift(pair, texts)
    heads = [
        {
            "layer": head.layer,
            "head": head.head,
            "divergence": head.divergence.value,
            "low": head.divergence.low,
            "high": head.divergence.high,
            "among_first": head.among_first,
        }
        for head in drift.ranked()
    ]
    lines = [f"  {h['layer']}.{h['head']}  {h['divergence']:.4f} [{h['low']:.4f}, {h['high']:.4f}]" for h in heads]
    return {"texts": len(texts), "heads": heads}, "\n".join([str(describe_heads(drift)), *lines[:FIRST]])


def _forgetting(pair: "ModelPair", texts: list[str]) -> tuple[dict[str, Any], str]:
    from playground.finetuning.findings import describe_forgetting
    from playground.finetuning.forgetting import Passage, forgetting

    if not pair.before.has_output_head or not pair.after.has_output_head:
        reason = UserError("One of the two models predicts no tokens, so that forgetting cannot be measured in bits.")
        return {"refused": str(reason)}, str(reason)
    found = forgetting(pair, [Passage(text=text) for text in texts])
    spreads = {"before": found.bits.first, "after": found.bits.second, "difference": found.bits.difference}
    report = {name: {"value": s.value, "low": s.low, "high": s.high} for name, s in spreads.items()}
    return {"passages": len(texts), "masked": found.is_masked, **report}, str(describe_forgetting(found))


EFFECTS: dict[str, Callable[["ModelPair", list[str]], tuple[dict[str, Any], str]]] = {
    "drift": _drift,
    "heads": _heads,
    "forgetting": _forgetting,
}
"""Each gives its numbers, and what is said of them."""
