"""Bytes to text: every usual encoding, and what is no text at all."""

import pytest

from playground.decoding import decode_plainest, decode_upload
from playground.errors import UserError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_an_upload_is_read_in_every_usual_encoding(encoding):
    assert decode_upload("run,lößs\n".encode(encoding)) == "run,lößs\n"


def test_text_that_is_text_already_loses_its_mark():
    assert decode_upload("\ufeffa") == "a"
    assert decode_upload(b"") == ""


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_before_a_mark_is_no_part_of_the_text(encoding):
    """Joined exports; a table's first column was called U+FEFF text."""
    assert decode_upload("\ufefftext,label\n".encode(encoding)) == "text,label\n"
    assert decode_upload("\ufeff\ufeffa") == "a"


def test_what_is_no_text_is_refused():
    with pytest.raises(UserError, match="not text"):
        decode_upload(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark(encoding):
    """Databases export so; half of it was taken for a binary file."""
    assert decode_upload("text,label\nlößs,Мир\n".encode(encoding)) == "text,label\nlößs,Мир\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be"])
def test_other_letters_without_a_mark_are_refused_and_not_mistaken(encoding):
    """Each byte of Cyrillic in UTF-16 is a character of ASCII."""
    with pytest.raises(UserError, match="not text"):
        decode_upload("Привет мир".encode(encoding))


def test_the_plainer_of_two_readings_is_right():
    text = "“Мир”"
    assert decode_plainest(text.encode("cp1251"), ("iso8859-5", "cp1251")) == text
    assert decode_plainest("né".encode()[:-1], ("utf-8",)) == "n"
    assert decode_plainest("né".encode("latin-1") + b"e", ("utf-8",)) is None
