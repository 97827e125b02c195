"""The README says what is there: its tree, its test command, its figures."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(mark: str) -> str:
    """The code block or table that follows a mark."""
    return README.split(f"<!-- {mark} -->")[1].split("<!-- end -->")[0]


def tracked() -> set[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {line for line in done.stdout.splitlines() if line}


def test_the_tree_is_the_real_tree():
    named: set[str] = set()
    parents: list[str] = []
    for line in section("tree").splitlines():
        match = re.match(r"^( *)([\w.\-/]+)(?:\s{2,}.*)?$", line)
        if not match or line.startswith("```"):
            continue
        depth = len(match[1]) // 4
        parents = [*parents[:depth], match[2].rstrip("/")]
        named.add("/".join(parents))
    files = tracked()
    folders = {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    missing = [name for name in named if name not in files and name not in folders]
    assert missing == []
    top = {path.split("/")[0] for path in files} - {".gitignore", ".ci", ".streamlit"}
    assert top <= {name.split("/")[0] for name in named}
    packages = {path.split("/")[1] for path in files if path.startswith("playground/") and path.count("/") > 1}
    assert packages <= {name.split("/")[1] for name in named if name.startswith("playground/")}


def test_ci_runs_the_readmes_test_command():
    command = next(line for line in section("test command").splitlines() if line.startswith("pip install"))
    assert command == "pip install -r requirements-dev.txt && python -m pytest"
    assert "<!-- test command -->" in (ROOT / ".ci" / "run").read_text()


def test_the_readme_quotes_only_what_the_benchmark_wrote():
    results = json.loads((ROOT / "benchmarks" / "results" / "attention.json").read_text())
    from benchmarks.attention import markdown
    from benchmarks.machine import earlier

    assert section("benchmark").strip() == markdown(results, earlier("attention")).strip()


def test_the_readme_quotes_only_what_the_training_benchmark_wrote():
    results = json.loads((ROOT / "benchmarks" / "results" / "training.json").read_text())
    from benchmarks.machine import earlier
    from benchmarks.training import markdown

    assert section("training").strip() == markdown(results, earlier("training")).strip()


def test_the_readme_quotes_only_what_the_speedrun_measured():
    """The record is the preset as it is: whoever changes one has to measure the other again."""
    results = json.loads((ROOT / "benchmarks" / "results" / "speedrun.json").read_text(encoding="utf-8"))
    from benchmarks.speedrun import markdown
    from playground.training.presets import PRESETS

    assert section("speedrun").strip() == markdown(results).strip()
    recipe = results["contenders"]["speedrun, our trainer"]["recipe"]
    preset = json.loads(json.dumps(PRESETS["speedrun"]().to_dict()))
    assert {**recipe, "task": None} == {**preset, "task": None}


def test_the_readme_quotes_only_what_the_load_measured():
    paths = (ROOT / "benchmarks" / "results" / f"{name}.json" for name in ("load", "soak"))
    from benchmarks.load_table import markdown

    assert (
        section("load").strip() == markdown(*(json.loads(path.read_text()) for path in paths if path.exists())).strip()
    )


def test_requirements_are_pinned_and_hold_what_was_given():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert {"streamlit", "torch", "plotly", "transformers", "bertviz"} <= set(pins)
    assert "+" not in "".join(pins.values())
