"""Texts in the address: whatever is packed comes back, and a hostile address does no harm."""

import base64
import zlib

from hypothesis import given
from hypothesis import strategies as st

from ui.state import PLAIN_LENGTH, pack, unpack


@given(st.text(max_size=3000).filter(lambda text: "\ud800" not in text))
def test_a_packed_text_comes_back(text):
    assert unpack(pack(text), "otherwise", 40_000) == text


def test_short_texts_stay_readable_and_long_ones_get_short():
    assert pack("The cat") == "The cat"
    assert len(pack("The cat sat. " * 500)) < PLAIN_LENGTH
    assert pack("~tilde").startswith("~")
    assert unpack(pack("~tilde"), "", 100) == "~tilde"


@given(st.text(max_size=60))
def test_no_address_raises(value):
    assert isinstance(unpack("~" + value, "otherwise", 100), str)


def test_a_small_link_cannot_hold_a_huge_text():
    bomb = "~" + base64.urlsafe_b64encode(zlib.compress(b"a" * 10_000_000)).decode()
    assert len(unpack(bomb, "", 1000)) <= 4000
