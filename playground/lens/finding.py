"""A sentence that says what a picture shows: a template with the numbers that were computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from playground.text import _, fill


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence, looked up and filled in where it is shown.

    >>> str(Finding(template="{kept} of {all} heads are sufficient.", values={"kept": 3, "all": 8}))
    '3 of 8 heads are sufficient.'
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return fill(_(self.template), **self.values)
