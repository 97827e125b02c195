"""A term of the glossary."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GlossaryEntry:
    """One term; its texts are translated when they are shown."""

    forms: tuple[str, ...]
    """How it stands in a sentence, the heading first."""
    meaning: str
    other_senses: tuple[str, ...] = ()
    """Phrases in which a form is another word, such as "arrow keys"."""
    source: str
    """Author, year and what to look for."""
    formula: str = ""
    """Plain text, as a tooltip can show it."""
    score: str = ""
    """The head score that it defines, by the name in the table of all heads."""

    @property
    def key(self) -> str:
        """The heading as it stands in an address."""
        return self.forms[0].lower().replace(" ", "-")
