"""What is checked of a model that was just loaded: its weights are numbers, and no token lies behind its embedding."""

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
