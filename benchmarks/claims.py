"""Figures of README and docs, derived again: `python -m benchmarks.claims` runs the command of each, and compares.

docs/claims.toml lists them. A claim quotes its document, so that a figure that was changed there fails as one that is
no longer true does. `--some 10` runs ten quick ones, another ten after each commit.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.machine import ROOT
from playground.errors import UserError

LIST = ROOT / "docs" / "claims.toml"
SECONDS = 3600.0
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e-?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One figure."""

    quote: str
    """The words of the document in which it stands; line breaks are spaces."""
    command: str
    """Python whose last printed number is the figure, or with `shell` a command line."""
    where: str = "README.md"
    figure: float | None = None
    """By default the first number of the quote."""
    tolerance: float = 0.0
    """The largest difference, relative to the figure."""
    bound: str = ""
    """"most" where the figure must not be exceeded, "least" where it must be reached."""
    shell: bool = False
    slow: bool = False
    """Whether it takes more than seconds."""

    @property
    def expected(self) -> float:
        """The figure. Raises UserError for a quote without a number."""
        if self.figure is not None:
            return self.figure
        found = NUMBER.search(self.quote)
        if found is None:
            raise UserError("The claim {quote} has no figure.", quote=self.quote)
        return float(found[0].replace(",", ""))

    def stands(self) -> bool:
        """Whether the document says so."""
        return self.quote in " ".join((ROOT / self.where).read_text(encoding="utf-8").split())

    def derive(self) -> float:
        """The figure as the command has it. Raises UserError where the command fails or prints no number."""
        command: str | list[str] = self.command if self.shell else [sys.executable, "-c", self.command]
        done = subprocess.run(
            command, shell=self.shell, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        numbers = NUMBER.findall(done.stdout)
        if done.returncode or not numbers:
            raise UserError("{command} failed: {reason}", command=self.command, reason=done.stderr[-500:])
        return float(numbers[-1].replace(",", ""))

    def agrees(self, derived: float) -> bool:
        """Whether the figure is what was derived, within the tolerance."""
        room = self.tolerance * abs(self.expected) + 1e-12
        if self.bound == "most":
            return derived <= self.expected + room
        if self.bound == "least":
            return derived >= self.expected - room
        return abs(derived - self.expected) <= room


def read_claims() -> list[Claim]:
    """All claims."""
    return [Claim(**entry) for entry in tomllib.loads(LIST.read_text(encoding="utf-8"))["claim"]]


def some_claims(claims: Sequence[Claim], count: int, turn: int) -> list[Claim]:
    """`count` of the quick ones, the next ones at each turn.

    >>> quick = [Claim(quote=str(n), command="") for n in range(5)]
    >>> [claim.quote for claim in some_claims(quick, 2, 4)]
    ['3', '4']
    """
    quick = [claim for claim in claims if not claim.slow]
    return [quick[(turn * count + step) % len(quick)] for step in range(min(count, len(quick)))]


def this_turn() -> int:
    """The number of commits: one commit is always held to the same claims."""
    done = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout.strip() or 0)


def problems(claims: Sequence[Claim]) -> list[str]:
    """What is not so, a sentence each."""
    found = []
    for claim in claims:
        if not claim.stands():
            found.append(f"{claim.where} does not say: {claim.quote}")
            continue
        try:
            derived = claim.derive()
        except UserError as error:
            found.append(f"{claim.where}: {claim.quote}: {error}")
            continue
        verdict = "" if claim.agrees(derived) else " NOT SO"
        print(f"{claim.where}: {claim.quote}: {derived:g}{verdict}", flush=True)
        found += [f"{claim.where}: {claim.quote}: derived {derived:g}"] if verdict else []
    return found


def main() -> int:
    """Derive them, and say what is not so; 1 where something is."""
    parser = argparse.ArgumentParser(description="Derive the figures of README and docs again.")
    parser.add_argument("--some", type=int, metavar="N", help="N quick ones, others after each commit")
    parser.add_argument("--quick", action="store_true", help="all quick ones")
    arguments = parser.parse_args()
    claims = read_claims()
    if arguments.some:
        claims = some_claims(claims, arguments.some, this_turn())
    elif arguments.quick:
        claims = [claim for claim in claims if not claim.slow]
    found = problems(claims)
    print(*found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
