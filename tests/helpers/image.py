"""A Dockerfile's lines, run in a clean folder where no container engine is at hand.

The paths of the image (/app, /data, the home) lie below a folder; pip runs in a virtual environment that sees this
one's packages and no index, so that it can only confirm the pins. What needs root is written down, not done. After USER
commands run as that user, in a user namespace where the tests are root.
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

INSTRUCTION = re.compile(r"([A-Z]+)\s+(.*)", re.DOTALL)
OURS = re.compile(r"(?<![\w.\-])/(?=(?:app|data|home/playground)(?![\w.\-]))")
"""The paths of the image that our lines name."""
ROOTS_ONLY = "useradd", "chown"
SECONDS = 300


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction with its argument; comments are dropped, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = (INSTRUCTION.fullmatch(line.strip()) for line in joined.splitlines() if line.strip())
    return [(match[1], match[2].strip()) for match in found if match]


def context_files(context: Path) -> list[str]:
    """What COPY can see: the files that .dockerignore lets through, less what git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(command, cwd=context, capture_output=True, text=True, check=True).stdout.splitlines()
    rules = [line for line in (context / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    return [path for path in tracked if (context / path).is_file() and not _is_ignored(path, rules)]


def _is_ignored(path: str, rules: list[str]) -> bool:
    """The last rule that fits a path, or a folder that it lies in, decides."""
    ignored = False
    parents = ["/".join(path.split("/")[: depth + 1]) for depth in range(path.count("/") + 1)]
    for rule in rules:
        pattern = rule.removeprefix("!").removeprefix("**/")
        if any(fnmatch.fnmatchcase(parent, pattern) for parent in parents):
            ignored = not rule.startswith("!")
    return ignored


@dataclass(kw_only=True)
class Image:
    """What became of a Dockerfile in a folder."""

    folder: Path
    context: Path
    arguments: dict[str, str] = field(default_factory=dict)
    """Of the build, in place of the file's."""
    environment: dict[str, str] = field(default_factory=dict)
    work: Path = Path("/")
    user: str = ""
    base: str = ""
    port: int = 0
    health: str = ""
    command: list[str] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)

    def build(self) -> None:
        """Follow every line. Raises where an instruction is not known or a command fails."""
        self.folder.chmod(0o755)
        self._prepare()
        for name, argument in instructions((self.context / "Dockerfile").read_text()):
            getattr(self, f"_{name.lower()}")(argument)
            self.done.append((name, argument))

    def run(self, command: str | list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the image as it is now."""
        done = subprocess.run(
            self.as_user(command),
            cwd=self.work,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done

    def as_user(self, command: str | list[str]) -> list[str]:
        """The command as a process of the image's user."""
        line = ["bash", "-euc", self.inside(command)] if isinstance(command, str) else command
        become = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if self.user and not os.getuid() else []
        return [*become, *line]

    def variables(self) -> dict[str, str]:
        """The environment of a process: of ours only what a process needs."""
        ours = {name: os.environ[name] for name in ("LANG", "OMP_NUM_THREADS") if name in os.environ}
        path = f"{self.folder}/bin:{self.folder}/environment/bin:{os.environ['PATH']}"
        pip = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        return {**ours, **pip, "HOME": str(self.folder / "home/playground"), "PATH": path, **self.environment}

    def inside(self, text: str) -> str:
        """A text with the image's paths below our folder."""
        return OURS.sub(f"{self.folder}/", text)

    def _prepare(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        for name in ROOTS_ONLY:
            program = self.folder / "bin" / name
            program.write_text(f'#!/bin/sh\nmkdir -p {self.folder}/home/playground\necho {name} "$@" >> "$0.called"\n')
            program.chmod(0o755)

    def _from(self, argument: str) -> None:
        self.base = argument
        home = self.folder / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True, timeout=SECONDS)
        packages = next(home.glob("lib/python*/site-packages"))
        (packages / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        (home / "bin" / "pip").write_text(f'#!/bin/sh\nexec {home}/bin/python -m pip "$@"\n')
        (home / "bin" / "pip").chmod(0o755)

    def _run(self, argument: str) -> None:
        done = self.run(argument)
        assert done.returncode == 0, f"RUN {argument}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"

    def _workdir(self, argument: str) -> None:
        self.work = Path(self.inside(argument))
        self.work.mkdir(parents=True, exist_ok=True)

    def _copy(self, argument: str) -> None:
        source, target = argument.split()
        for path in context_files(self.context):
            if source == "." or path == source:
                to = self.work / target / path
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.context / path, to)

    def _arg(self, argument: str) -> None:
        name, _, value = argument.partition("=")
        self.environment[name] = self.arguments.get(name, shlex.split(value)[0] if value else "")

    def _env(self, argument: str) -> None:
        pairs = (pair.partition("=") for pair in shlex.split(argument))
        self.environment |= {name: self.inside(value) for name, _, value in pairs}

    def _user(self, argument: str) -> None:
        """From here on the app's own folder is somebody else's, who lets it be read."""
        self.user = argument
        for path in (self.work, *self.work.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)

    def _expose(self, argument: str) -> None:
        self.port = int(argument)

    def _healthcheck(self, argument: str) -> None:
        self.health = argument.split("CMD ", 1)[1]

    def _cmd(self, argument: str) -> None:
        self.command = json.loads(argument)
