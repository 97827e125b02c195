"""The one exception whose text is meant for the person at the screen."""

from typing import Any

from playground.text import _


class UserError(ValueError):
    """A request that cannot be carried out: one clear sentence that says what to do instead.

    The sentence is a template with values, so that it is translated when it is shown, in the reader's language.

    >>> str(UserError("A width of {width} does not divide into {n_heads} heads.", width=7, n_heads=2))
    'A width of 7 does not divide into 2 heads.'
    """

    def __init__(self, template: str, /, **values: Any) -> None:
        super().__init__(template)
        self.template = template
        self.values = values

    def __str__(self) -> str:
        sentence = _(self.template)
        return sentence.format(**self.values) if self.values else sentence

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.template, self.values, self.__dict__)


def _rebuilt(kind: type[UserError], template: str, values: dict[str, Any], state: dict[str, Any]) -> UserError:
    """An error that comes from another process, with all its attributes."""
    error = kind.__new__(kind)
    ValueError.__init__(error, template)
    error.__dict__.update(state)
    return error
