"""plotly.min.js is put where Streamlit serves files."""

import os
from importlib.resources import files
from pathlib import Path

from ui.static_files import plotly_name, publish_plotly


def test_the_file_is_plotlys_own(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    assert publish_plotly(folder)
    source = files("plotly") / "package_data" / "plotly.min.js"
    assert (folder / plotly_name()).read_bytes() == source.read_bytes()
    assert os.listdir(folder) == [plotly_name()]


def test_a_file_that_a_kill_cut_short_is_replaced(tmp_path: Path) -> None:
    (tmp_path / plotly_name()).write_text("half")
    assert publish_plotly(tmp_path)
    assert (tmp_path / plotly_name()).stat().st_size > 1_000_000


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "static").write_text("a file where the folder should be")
    assert not publish_plotly(tmp_path / "static")
