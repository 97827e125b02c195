"""Ask for known holes of the pinned packages: `make audit`. pip-audit asks; what it could not ask counts as no answer.

By itself pip-audit ends well where no package was found, as without a way to pypi.org.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

PINNED = ("requirements.txt", "requirements-dev.txt")
UNKNOWN = 2
"""The exit status where the question was not answered."""


def verdict(name: str, packages: Sequence[Mapping[str, Any]]) -> tuple[int, list[str]]:
    """The exit status and what to say of a file's packages, as pip-audit's JSON lists them."""
    holes = [
        f"{package['name']} {package['version']}: {hole['id']}, fixed in {', '.join(hole['fix_versions']) or 'none'}"
        for package in packages
        for hole in package.get("vulns", [])
    ]
    unasked = [str(package["name"]) for package in packages if "skip_reason" in package]
    said = [f"{name}: {len(packages) - len(unasked)} packages audited, {len(holes)} known holes.", *holes]
    if unasked or not packages:
        first = f", {unasked[0]} first" if unasked else ""
        said.append(
            f"{name}: {len(unasked)} of {len(packages)} packages could not be audited{first}. The database of "
            "advisories did not know them or was not reached: run this where https://pypi.org answers."
        )
    return 1 if holes else UNKNOWN if unasked or not packages else 0, said


def audit(name: str) -> tuple[int, list[str]]:
    """Ask for one file; also where pip-audit is not there or ends without an answer."""
    command = ["pip-audit", "--no-deps", "--disable-pip", "--format", "json", "--requirement", name]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        packages = json.loads(asked.stdout)["dependencies"]
    except FileNotFoundError:
        return UNKNOWN, ["pip-audit is not installed: pip install pip-audit."]
    except (ValueError, KeyError):
        reason = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        return UNKNOWN, [f"{name} was not audited: the database of advisories gave no answer ({reason})."]
    return verdict(name, packages)


def main() -> int:
    """Audit the pinned files; 1 for a known hole, 2 where not everything could be asked."""
    answers = [audit(name) for name in PINNED]
    print("\n".join(line for _status, said in answers for line in said))
    statuses = {status for status, _said in answers}
    return 1 if 1 in statuses else max(statuses)


if __name__ == "__main__":
    sys.exit(main())
