"""Two models that can be compared weight by weight and head by head."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.errors import UserError

if TYPE_CHECKING:
    from playground.models import LoadedModel


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelPair:
    """A model before and after fine-tuning. Raises UserError for two that differ in more than their numbers."""

    before: "LoadedModel"
    after: "LoadedModel"

    def __post_init__(self) -> None:
        for name, what in (("kind", "kind"), ("layers", "layers"), ("n_heads", "heads")):
            first, second = getattr(self.before, name), getattr(self.after, name)
            if first != second:
                raise UserError(
                    "{before} and {after} are not one architecture ({what}: {first} and {second}); choose a model and "
                    "what was fine-tuned from it.",
                    before=self.before.name,
                    after=self.after.name,
                    what=what,
                    first=first,
                    second=second,
                )
        if self.before.tokenizer.get_vocab() != self.after.tokenizer.get_vocab():
            raise UserError(
                "{before} and {after} have different vocabularies, so that a text is not the same tokens to both.",
                before=self.before.name,
                after=self.after.name,
            )
