"""The Dockerfile's own lines in a clean folder: no root, a folder that cannot be written, a health check."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.browser import free_port
from tests.helpers.image import Image, context_files, instructions

ROOT = Path(__file__).resolve().parents[2]
SPACE = ROOT / "docs" / "hosting" / "space" / "README.md"


def test_lines_are_joined_and_comments_are_none():
    text = '# not this\nFROM a\nRUN one \\\n    && two\n\n# nor this\nCMD ["x"]\n'
    assert instructions(text) == [("FROM", "a"), ("RUN", "one && two"), ("CMD", '["x"]')]


def test_the_image_holds_what_the_app_needs_and_no_tests():
    files = set(context_files(ROOT))
    assert {"app.py", "asgi.py", "requirements.txt", ".streamlit/config.toml", "playground/attention.py"} <= files
    assert "assets/models/books-decoder/model.safetensors" in files
    tops = {path.split("/")[0] for path in files}
    assert not tops & {"tests", "docs", "benchmarks", ".git", ".ci", "Makefile"}


def test_the_space_opens_the_port_that_the_image_exposes():
    front = dict(line.split(": ", 1) for line in SPACE.read_text().split("---")[1].strip().splitlines())
    lines = dict(instructions((ROOT / "Dockerfile").read_text()))
    assert (front["sdk"], front["app_port"], front["license"]) == ("docker", lines["EXPOSE"], "apache-2.0")
    assert f'--server.port={lines["EXPOSE"]}"' in lines["CMD"]
    assert len(front["short_description"]) <= 100
    assert f'"{lines["EXPOSE"]}:{lines["EXPOSE"]}"' in (ROOT / "compose.yaml").read_text()


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image, built without the models that it would fetch."""
    folder = Path(tempfile.mkdtemp(prefix="image"))
    built = Image(folder=folder, context=ROOT, arguments={"MODELS": ""})
    try:
        built.build()
        yield built
    finally:
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IWUSR)
        shutil.rmtree(folder)


@pytest.mark.slow
def test_its_lines_can_be_followed(image: Image):
    assert re.fullmatch(r"python:3\.\d+-slim", image.base)
    assert (image.folder / "bin" / "useradd.called").read_text().split()[-1] == image.user == "playground"
    assert [name for name, _ in image.done].index("USER") < [name for name, _ in image.done].index("CMD")
    assert (image.work / "static").glob("plotly-*.min.js")
    user = image.run(
        "id -u; test ! -w /app && ! touch /app/x 2>/dev/null && touch /data/y && echo closed"
    ).stdout.split()
    assert user == [str(os.getuid() or 1000), "closed"]


@pytest.mark.slow
def test_its_health_check_notices_a_server_that_is_not_there(image: Image):
    assert image.run(image.health.replace(str(image.port), str(free_port()))).returncode != 0
