"""What a picture of attention needs to know: layers with maps, and the tokens along their sides."""

from collections.abc import Sequence
from typing import Protocol

from playground.lens.capture.site import Site, SiteKind
from playground.lens.capture.tokens import Token


class Attended(Protocol):
    """A trace, or maps that somebody else has computed."""

    @property
    def kinds(self) -> tuple[SiteKind, ...]:
        """The kinds of attention, in the order in which they run."""

    def layers(self, kind: SiteKind | None = None) -> list[Site]:
        """The attention layers of one kind."""

    def site(self, layer: int, kind: SiteKind | None = None) -> Site:
        """One attention layer."""

    def block_numbers(self, kind: SiteKind | None = None) -> Sequence[int]:
        """What each layer is called."""

    def query_tokens(self, kind: SiteKind | None = None) -> tuple[Token, ...]:
        """The tokens along the rows of a kind's maps."""

    def key_tokens(self, kind: SiteKind | None = None) -> tuple[Token, ...]:
        """The tokens along the columns."""
