"""Where text comes from: files, archives, the running Python's documentation; the hub is in test_hub_text.py."""

import os
import zipfile

import pytest

from playground.errors import UserError
from playground.tasks import sources as sources_module
from playground.tasks.sources import read_sources, read_texts, source_name, stamp_of, unwrap


def test_unwrap_by_hand():
    text = "A _long_\r\nline.\r\n\r\n\r\n  Next   one\nends.\n \n\n"
    assert unwrap(text) == "A long line.\nNext one ends."


def test_a_zip_gives_its_texts_in_order_and_a_mark_at_the_beginning_is_dropped(tmp_path):
    path = tmp_path / "books.ZIP"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.txt", "\ufeffsecond".encode())
        archive.writestr("notes.md", "not read")
        archive.writestr("__MACOSX/._b.txt", b"\x00\xff\xfe")
        archive.writestr("a.txt", "first")
    assert read_sources((str(path),)) == ["second", "first"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("latin.txt", "caf\u00e9".encode("latin-1"), r"latin.txt is not UTF-8 text \(byte 3\)"),
        ("empty.txt", b"", "holds no text"),
        ("blank.txt", b" \n\t\n", "holds no text"),
        ("broken.zip", b"PK\x03\x04 and no more", "not a .zip archive"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_sources((str(tmp_path / name),))


def test_a_missing_file_a_folder_and_a_zip_without_text_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file .*gone.txt"):
        read_sources((str(tmp_path / "gone.txt"),))
    with pytest.raises(UserError, match="no file"):
        read_sources((str(tmp_path),))
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("cat.png", b"")
    with pytest.raises(UserError, match=r"no \.txt file in .*pictures.zip"):
        read_sources((str(tmp_path / "pictures.zip"),))


def test_a_text_in_a_damaged_or_locked_archive_is_refused(tmp_path):
    path = tmp_path / "books.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "some words " * 100)
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a \.zip archive"):
        read_sources((str(path),))
    content[45] ^= 0xFF
    for marker, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(marker) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not a \.zip archive"):
        read_sources((str(path),))


def test_a_zip_with_a_text_that_is_not_utf8_names_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "books.zip", "w") as archive:
        archive.writestr("bad.txt", b"\xff\xff")
    with pytest.raises(UserError, match=r"bad.txt in .*books.zip is not UTF-8"):
        read_sources((str(tmp_path / "books.zip"),))


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_written_with_its_old_time_and_size_is_another_version(tmp_path, is_replaced):
    path, other = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_text("one")
    before, times = stamp_of(str(path)), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    assert stamp_of(str(path)) == before
    written = other if is_replaced else path
    written.write_text("two")
    written.replace(path)
    os.utime(path, ns=times)
    assert stamp_of(str(path)) != before


def test_unwrap_leaves_underscores_within_names():
    assert unwrap("the _init_ of __init__ and snake_case or _two\nwords_") == (
        "the init of __init__ and snake_case or two words"
    )


def test_the_documentation_is_english_about_python():
    topics = read_sources(("python-documentation",))
    assert len(topics) > 50
    assert "assert" in "".join(topics)
    assert sum(map(len, topics)) > 300_000


def test_typed_text_comes_first_and_blank_text_is_none(tmp_path):
    (tmp_path / "a.txt").write_text("file")
    path = str(tmp_path / "a.txt")
    assert read_texts((path,), "typed") == ["typed", "file"]
    assert read_texts((path,), " ") == ["file"]


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_module, "LARGEST_FILE", 10)
    (tmp_path / "a.txt").write_text("eleven long")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "a" * 1000)
    for name in ("a.txt", "b.zip"):
        with pytest.raises(UserError, match="choose a part"):
            read_sources((str(tmp_path / name),))


def test_a_source_is_shown_without_its_folder():
    assert source_name("/home/me/secret/diary.txt") == "diary.txt"
    assert source_name("hub:owner/name") == "hub:owner/name"
    assert source_name("python-documentation") == "python-documentation"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(_a, b_):\n    return _a\n\nx = 1\n", "def f(_a, b_):\n    return _a\nx = 1"),
        (
            "O for a Muse\n  of fire,\n\nthat would _ascend_\nthe day",
            "O for a Muse\n  of fire,\nthat would ascend the day",
        ),
        ("  It was\na day.", "It was a day."),
        ("one\rtwo\r\rthree\x0cfour", "one two\nthree four"),
        ("a\r\n \t\r\nb", "a\nb"),
    ],
)
def test_verse_and_code_keep_their_lines_and_names(text, expected):
    assert unwrap(text) == expected
