"""What is checked of a model that was just loaded: it has a place for all its weights, they are numbers, and no token
lies behind its embedding."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from playground.errors import UserError

if TYPE_CHECKING:
    from playground.models.loading import LoadedModel


def refuse_not_a_number(module: nn.Module, name: str) -> None:
    """Raise UserError for NaN in the weights: every output would be NaN, too."""
    for tensor, weight in module.named_parameters():
        # The sum comes first, since it allocates nothing; infinities of both signs make it NaN as well.
        if bool(weight.sum().isnan()) and bool(weight.isnan().any()):
            count = int(weight.isnan().sum())
            raise UserError(
                "The checkpoint of {name} holds NaN, which is not a number: {count:,} of the {numel:,} numbers "
                "in {tensor}. Fetch or save the model again.",
                name=name,
                count=count,
                numel=weight.numel(),
                tensor=tensor,
            )


OTHER_PARTS = re.compile(
    r"pooler|.*heads?|head_.*|cls|.*classifier|classification.*|score|.*predictions?|.*projector|.*_transform|qa_outputs"
    r"|.*summary|vocab_.*|pred_layer|lm_.*|logits_.*|embed_out|generator.*|mtp.*|.*_mtp|nextn.*|multi_modal.*|.*vision.*|visual.*|.*audio.*|speech.*"
)
"""Parts beside a stack that other classes of the family have: heads, what reads pictures and sounds, further tokens."""
KEPT_BUFFERS = re.compile(
    r"(.*\.)?(position_ids|token_type_ids|inv_freq|masked_bias|causal_mask|_float_tensor|version|num_batches_tracked"
    r"|(attn|attention|self_attention|crossattention)\.bias)"
)
"""What old versions stored though it follows from the configuration, masks and positions."""


def refuse_left_over(module: nn.Module, unexpected: Iterable[str], name: str) -> None:
    """Raise UserError for stored tensors that belong into the module's blocks and have no place there.

    unexpected: those that transformers neither placed nor ignores on purpose. Heads of other classes may be left over.
    """
    left = sorted(key for key in unexpected if not KEPT_BUFFERS.fullmatch(key) and _belongs_inside(module, key))
    if left:
        raise UserError(
            "The weights of {name} hold {n_left} tensors that its model has no place for ({first}, …); it would "
            "compute without them. Check that the folder's config.json belongs to its weights.",
            name=name,
            n_left=len(left),
            first=left[0],
        )


def _belongs_inside(module: nn.Module, key: str) -> bool:
    """Whether a stored tensor lacks its place in a part that the module has, rather than being part of another head."""
    from transformers import PreTrainedModel

    parent, base, path = module, getattr(module, "base_model", module), key.split(".")
    while len(path) > 1 and path[0] in dict(parent.named_children()):
        parent = parent.get_submodule(path.pop(0))
    if isinstance(parent, nn.ModuleList) and path[0].isdigit():
        return int(path[0]) - len(parent) >= _further_blocks(module)
    if parent is module and parent is not base:
        return False
    if isinstance(parent, PreTrainedModel):
        return OTHER_PARTS.fullmatch(path[0]) is None
    return len(path) == 1 or any(parent is part for part in base.modules())


def _further_blocks(module: nn.Module) -> int:
    """How many stored blocks predict tokens behind the next one, which nobody runs here."""
    config: Any = module.config
    stated = getattr(config.get_text_config(decoder=True), "num_nextn_predict_layers", None)
    return stated if isinstance(stated, int) else 0


def guard_embedding(model: "LoadedModel") -> None:
    """From now on a token that the embedding lacks raises UserError: some tokenizers know more tokens than their model.

    Texts without such a token can be read.
    """
    embedding = model.adapter.embedding()
    if not isinstance(embedding, nn.Embedding):
        return
    rows = embedding.num_embeddings

    def check(_module: nn.Module, arguments: tuple[Any, ...]) -> None:
        ids = arguments[0] if arguments else None
        # Not of a tensor that holds no numbers, such as that of a pass on the meta device.
        if type(ids) is Tensor and ids.device.type != "meta" and ids.numel() and int(ids.max()) >= rows:
            raise UserError(
                "The tokenizer of {name} makes a token {id:,} of this text, and the model has only {rows:,}: they do "
                "not belong together. Shorten the text, or choose another model.",
                name=model.name,
                id=int(ids.max()),
                rows=rows,
            )

    embedding.register_forward_pre_hook(check)
