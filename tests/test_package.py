"""The wheel in another folder: the package, its command, the app and the shipped models, without the checkout."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.browser import free_port
from playground.command.app import app_command
from playground.errors import UserError
from playground.folders import app_folder, assets_folder
from tests.helpers.app_server import wait_until_healthy

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel is installed, and nothing else."""
    folder = tmp_path_factory.mktemp("package")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheel")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = (folder / "wheel").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "--quiet"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(wheel)], check=True, capture_output=True, timeout=120)
    return folder / "site"


@pytest.fixture(scope="module")
def run(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a program with the installed package, in a folder and a home of its own; return what it prints."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "HOME": str(elsewhere),
        "PLAYGROUND_CACHE": str(elsewhere / "cache"),
        "HF_HUB_OFFLINE": "1",
    }

    def run_it(*command: str) -> str:
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run_it


def test_only_the_package_stands_beside_other_peoples(installed: Path) -> None:
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == {"playground", "bin"}


def test_everything_of_the_app_travels_along(installed: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    moved = ("app.py", "asgi.py", "pages/", "ui/", "assets/", ".streamlit/config.toml")
    expected = {f"playground/app/{path}" for path in tracked if path.startswith(moved) and (ROOT / path).exists()}
    expected |= {path for path in tracked if path.startswith("playground/") and (ROOT / path).exists()}
    assert {path for path in expected if not (installed / path).is_file()} == set()


def test_a_picture_in_any_folder_and_nothing_heavy_by_importing(installed: Path, run: Callable[..., str]) -> None:
    code = """
import sys, json, playground
light = not {"torch", "transformers", "streamlit", "numpy"} & set(sys.modules)
traced = playground.trace(playground.load("books-decoder"), "The cat sat")
print(json.dumps([playground.__file__, light, len(traced._repr_html_()) > 50_000, traced.attention(0, 0).shape]))
"""
    file, light, has_picture, shape = json.loads(run(sys.executable, "-c", code))
    assert Path(file).is_relative_to(installed)
    assert (light, has_picture, shape) == (True, True, [4, 4])


def test_the_console_command_is_called_by_its_name(installed: Path, run: Callable[..., str]) -> None:
    program = str(installed / "bin" / "transformer-playground")
    help_text = run(program, "--help")
    assert help_text.startswith("usage: transformer-playground")
    for name in ("app", "models", "trace", "train", "sweep", "fit", "evaluate"):
        assert name in help_text
    assert "books-decoder" in run(program, "models")


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The app of the installed package, opened by its command."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    command = [str(installed / "bin" / "transformer-playground"), "app", "--headless", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--address", "127.0.0.1"],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until_healthy(server, f"http://127.0.0.1:{port}", tmp_path / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def test_the_app_opens_from_the_package(served: str, browser: Any) -> None:
    page = browser.new_context().new_page()
    page.goto(served)
    page.locator(".root[data-paint]").first.wait_for()
    assert page.locator("h1").first.inner_text() == "Attention"
    with urllib.request.urlopen(f"{served}/_stcore/health", timeout=5) as answer:
        assert answer.status == 200
    page.close()


def test_in_a_checkout_the_app_is_the_checkouts() -> None:
    assert app_folder() == ROOT
    assert (assets_folder() / "models" / "books-decoder").is_dir()


def test_a_port_that_there_is_not_is_refused() -> None:
    from playground.__main__ import _parser

    arguments = _parser(["app"]).parse_args(["app", "--port", "8600", "--hosted"])
    assert app_command(arguments)[-2:] == [str(ROOT / "asgi.py"), "--server.port=8600"]
    with pytest.raises(UserError, match="1 to 65535"):
        app_command(_parser(["app"]).parse_args(["app", "--port", "0"]))
