"""Whether the residual stream and a logit are the sums that they are shown as, computed again in one more pass."""

from typing import TYPE_CHECKING, Any

import torch

from playground.errors import UserError
from playground.lens.attribute.attribution import attribute_logit
from playground.lens.capture.activations import Activations, capture_arguments
from playground.lens.capture.verification import CheckedStep
from playground.lens.tolerances import tolerance

if TYPE_CHECKING:
    from playground.models import LoadedModel


@torch.inference_mode()
def check_sums(model: "LoadedModel", arguments: dict[str, Any]) -> tuple[CheckedStep, ...]:
    """The stream after each block against its input plus what its layers wrote; the likeliest token's logit.

    A model whose stream or logits are no such sums gets a reason instead of a difference.
    """
    try:
        activations = capture_arguments(model, arguments)
    except UserError as error:
        return tuple(_untold(name, error) for name in ("stream", "parts"))
    return _check_stream(activations), _check_parts(model, activations)


def _untold(name: Any, error: UserError) -> CheckedStep:
    return CheckedStep(name=name, difference=None, allowed=0.0, reason=str(error))


def _check_stream(activations: Activations) -> CheckedStep:
    worst, layer, largest = 0.0, None, 0.0
    blocks = [block for block in activations.parts.blocks if block.is_additive]
    if not blocks:
        error = UserError(
            "No sum of what the attention and feed-forward layers write gives the residual stream of this model."
        )
        return _untold("stream", error)
    for block in blocks:
        key = block.kind, block.layer
        crossed = activations.attention.get(("cross", block.layer)) if block.cross is not None else None
        own = (activations.attention, activations.mixer, activations.feed_forward)
        written = [crossed, *(outputs.get(key) for outputs in own)]
        total = sum(part.float() for part in written if part is not None)
        expected = activations.after[key].float()
        off = float((activations.residual[key].float() + block.factor * total - expected).abs().max())
        largest = max(largest, float(expected.abs().max()))
        if not off <= worst:
            worst, layer = off, block.layer
    allowed = tolerance("module", activations.final.dtype) * max(1.0, largest)
    return CheckedStep(name="stream", difference=worst, allowed=allowed, layer=layer)


def _check_parts(model: "LoadedModel", activations: Activations) -> CheckedStep:
    try:
        logits = activations.predicted()[-1]
        token = int(logits.argmax())
        attribution = attribute_logit(model, activations, position=-1, token=token)
    except UserError as error:
        return _untold("parts", error)
    allowed = 50 * tolerance("module", logits.dtype) * max(1.0, float(logits.abs().max()))
    return CheckedStep(name="parts", difference=abs(attribution.sum - attribution.total), allowed=allowed)
