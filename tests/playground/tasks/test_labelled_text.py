"""Texts and their labels: tables, archives, and sentences of the small world."""

import csv
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.tasks.labelled_text import (
    KINDS,
    LANGUAGES,
    LabelledTexts,
    archive_groups,
    cut_passages,
    decode,
    label_of,
    read_labelled_table,
    table_groups,
    tales_kinds,
    tales_languages,
)

COLUMNS = {"text_column": "text", "label_column": "label"}


def texts_of(labelled: LabelledTexts) -> dict[str, set[str]]:
    return {group.label: set(group.texts) for group in labelled.groups}


# Tables


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_table_by_hand(separator):
    """Columns in any order, quotes, a line end within a cell, and a byte order mark."""
    rows = [["label", "n", "text"], ["good", "1", '"He said ""yes"", twice"'], ["bad", "2", '"no\nnever"']]
    text = "\ufeff" + "\r\n".join(separator.join(row) for row in rows) + "\r\n\r\n"
    assert read_labelled_table(text, **COLUMNS) == [('He said "yes", twice', "good"), ("no\nnever", "bad")]


def test_comments_above_the_header_are_skipped_and_counted():
    assert read_labelled_table("# made by us\ntext;label\nyes;good\n", **COLUMNS) == [("yes", "good")]
    with pytest.raises(UserError, match="ends in line 3 has no text"):
        read_labelled_table("# made by us\ntext,label\n,x\n", **COLUMNS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sentence,label\na,b\n", "no column 'text'. Its columns are sentence, label"),
        ("text,kind\na,b\n", "no column 'label'"),
        ("\n", "table is empty"),
        ("text,label\na,x\n,y\n", "ends in line 3 has no text"),
        ("text,label\na\n", "ends in line 2 has no label"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(text, sentence):
    with pytest.raises(UserError, match=sentence):
        read_labelled_table(text, **COLUMNS)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends_and_delimiters_of_every_make(end):
    text = '# made by us\n"note, short";text;label\n1;"yes; no";good\n'.replace("\n", end)
    assert read_labelled_table(text, **COLUMNS) == [("yes; no", "good")]


def test_a_mark_that_closes_rows_later_is_refused():
    """Four rows would be one without a word."""
    with pytest.raises(UserError, match="The quotation mark in line 3 closes in line 6"):
        read_labelled_table('text,label\na,x\n"b,y\nc,x\nd,y\ne",x\nf,y\n', **COLUMNS)


def test_a_cell_beyond_the_readers_limit_is_refused():
    # The limit is the process's, and some libraries raise it when they are imported.
    before = csv.field_size_limit(1000)
    try:
        with pytest.raises(UserError, match="cannot be read as CSV"):
            read_labelled_table("text,label\n" + "a" * 2000 + ",b\n", **COLUMNS)
    finally:
        csv.field_size_limit(before)


def test_tables_are_joined_and_repeated_rows_counted_once(tmp_path):
    (tmp_path / "more.csv").write_text("label;text\nx;one\nx;two\ny;three\n")
    labelled = table_groups((str(tmp_path / "more.csv"),), "text,label\none,x\nfour,y\n", **COLUMNS)
    assert [(group.label, sorted(group.texts)) for group in labelled.groups] == [
        ("x", ["one", "two"]),
        ("y", ["four", "three"]),
    ]


# Archives


@pytest.mark.parametrize(
    ("name", "label"),
    [("Greek_Ellinika-Greek", "Greek"), ("français.02.txt", "français"), ("de1.txt", "de"), ("01.txt", "")],
)
def test_a_label_is_the_letters_that_the_name_begins_with(name, label):
    assert label_of(name) == label


@pytest.mark.parametrize(
    ("name", "encoding", "text"),
    [
        ("Russian-Cyrillic", "cp1251", "Все люди рождаются свободными"),
        ("Mongolian-Cyrillic", "iso8859-5", "Хун бурийн эрх чолоо"),
        ("Polish-Latin2", "cp1250", "Paryżu, jednomyślnie uchwaliła"),
        ("Czech-Latin2", "iso8859-2", "základem svobody členů šťastně"),
        ("French-Latin1", "latin-1", "égaux en dignité"),
        ("Japanese-SJIS", "shift_jis", "すべての人間は"),
        ("Hungarian-Unicode", "utf-16", "egyenlő és elidegeníthetetlen"),
        ("Greek-UTF8", "utf-8", "Ολοι οι άνθρωποι"),
        ("english.txt", "utf-8-sig", "All human beings"),
    ],
)
def test_encodings_are_those_that_the_names_say(name, encoding, text):
    assert decode(text.encode(encoding), name) == text


def test_a_last_character_that_is_cut_off_is_left_out_and_a_wrong_encoding_is_refused():
    assert decode("né".encode()[:-1], "French-UTF8") == "n"
    assert decode("né".encode("latin-1") + b"e", "French-UTF8") is None


@given(st.text("ab cé", max_size=200), st.integers(8, 60))
def test_passages_keep_the_words_in_order(text, length):
    passages = cut_passages(text + " " + "z" * 100, length)
    assert all(len(passage) <= length for passage in passages)
    assert all(passage in " ".join(f"{text} {'z' * 100}".split()) for passage in passages)


def test_an_archive_gives_passages_and_counts_what_it_skips(tmp_path):
    path = tmp_path / "languages.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("all/French-Latin1", ("Tous les êtres humains naissent libres. " * 3).encode("latin-1"))
        archive.writestr("all/French-UTF8", "Tous les peuples de la terre sont égaux.")
        archive.writestr("all/Thai-Font99", b"\xff\xfe\xfd")
        archive.writestr("all/123.txt", "No label, but a text that is long enough.")
    labelled = archive_groups((str(path),), passage=40)
    assert [group.label for group in labelled.groups] == ["French", "French"]
    assert labelled.groups[0].texts[0] == "Tous les êtres humains naissent libres."
    assert labelled.skipped == 2


def test_archives_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"nothing")
    with pytest.raises(UserError, match="archive that can be opened"):
        archive_groups((str(tmp_path / "a.zip"),), passage=40)
    with pytest.raises(UserError, match="no file"):
        archive_groups((str(tmp_path / "b.zip"),), passage=40)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("Thai-Font99", b"\xff")
    with pytest.raises(UserError, match="No file in the archive"):
        archive_groups((str(tmp_path / "c.zip"),), passage=40)


# The small world


def test_the_small_worlds_sentences_by_kind(monkeypatch):
    monkeypatch.setattr("playground.tasks.labelled_text.TALES_WORDS", 6_000)
    found = texts_of(tales_kinds())
    assert set(found) == set(KINDS)
    assert all(text.split()[0] in ("Who", "Where") for text in found["question"])
    assert all(text.split()[0] in ("Look", "Come", "Give") for text in found["request"])
    assert not any(sign in text for texts in found.values() for text in texts for sign in ".?!")


def test_the_small_worlds_languages(monkeypatch):
    monkeypatch.setattr("playground.tasks.labelled_text.TALES_SCENES", 300)
    found = texts_of(tales_languages())
    assert set(found) == set(LANGUAGES)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in found["chinese"])
    assert all(text.isascii() for text in found["english"])
    assert any(" " in text and not text.isascii() for text in found["french"])
    assert not any(" ." in text or "' " in text for texts in found.values() for text in texts)
