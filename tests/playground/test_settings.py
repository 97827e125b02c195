from dataclasses import fields
from pathlib import Path

import pytest

from playground.errors import UserError
from playground.jobs.limits import limits_of
from playground.settings import HOSTED, PAGES, Settings, read_settings


def written(tmp_path, text: str):
    path = tmp_path / "playground.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_a_laptop_has_its_defaults():
    assert read_settings(None, {}) == Settings()
    assert limits_of(Settings()).retention_days == float("inf")


def test_a_hosted_server_begins_tighter_and_a_file_may_change_it(tmp_path):
    assert read_settings(None, {"PLAYGROUND_HOSTED": "1"}) == Settings(**HOSTED)
    changed = read_settings(written(tmp_path, "hosted = true\nminutes = 45\nslots = 3\n"), {})
    assert (changed.minutes, changed.slots, changed.runs_each) == (45.0, 3, HOSTED["runs_each"])


def test_the_environment_wins(tmp_path):
    path = written(tmp_path, "slots = 3\n")
    found = read_settings(path, {"PLAYGROUND_SLOTS": "5", "PLAYGROUND_DOWNLOADS": "none", "PLAYGROUND_RUNS": "/x"})
    assert (found.slots, found.downloads) == (5, "none")


def test_limits_are_those_of_the_settings():
    limits = limits_of(Settings(minutes=3, run_megabytes=2, all_megabytes=5, retention_days=2, runs_each=4))
    assert (limits.minutes, limits.disk_bytes, limits.all_bytes) == (3, 2 * 2**20, 5 * 2**20)
    assert (limits.retention_days, limits.runs_each) == (2, 4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("minute = 3", "unknown key 'minute'"),
        ("slots = 'many'", "slots is 'many'; it must be a whole number"),
        ("slots = 1.5", "slots is 1.5; it must be a whole number"),
        ("slots = true", "slots is True"),
        ("hosted = 1", "hosted is 1; it must be true or false"),
        ("minutes = 'nan'", "minutes is nan"),
        ("minutes = inf", "minutes is inf"),
        ("slots = 0", "slots is 0; it must be at least 1"),
        ("frame_ancestors = 3", "frame_ancestors is 3; it must be a text"),
        ("downloads = 'all'", "downloads is 'all'; choose hub, catalogue, none"),
        ("pages = 'attention, secrets'", "pages names 'secrets', which is no page; choose among attention, inside"),
        ("uploads = 'maybe'", "uploads is 'maybe'; it must be true or false"),
        ("loaded_models = 0", "loaded_models is 0; it must be at least 1"),
        ("slots = ", "is no TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, sentence):
    with pytest.raises(UserError, match=sentence):
        read_settings(written(tmp_path, text), {})


def test_pages_are_shown_in_the_menus_order():
    from ui.shell import page_icons

    assert Settings().shown_pages == PAGES == tuple(page_icons())
    assert Settings(pages=" glossary,attention ,").shown_pages == ("attention", "glossary")


def test_a_number_of_many_digits_and_a_missing_file_are_sentences(tmp_path):
    with pytest.raises(UserError, match="slots"):
        read_settings(None, {"PLAYGROUND_SLOTS": "9" * 5000})
    with pytest.raises(UserError, match="cannot be read"):
        read_settings(tmp_path / "none.toml", {})


def test_the_readme_lists_every_setting():
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    hosting = readme[readme.index("## Hosting") :]
    assert [line.split("`")[1] for line in hosting.splitlines() if line.startswith("| `")][: len(fields(Settings))] == [
        field.name for field in fields(Settings)
    ]


def test_a_token_is_long_and_never_shown():
    with pytest.raises(UserError, match="16 characters"):
        Settings(status_token="short")
    assert "battery" not in repr(Settings(status_token="correct-horse-battery"))
