"""What the token view sends, and what it makes of a click that comes back."""

from typing import Any

import pytest

from tests.e2e.components.test_payload import decode
from ui.components import token_view as module
from ui.components.token_view import TokenItem, encode_items, token_module, token_view

ITEMS = [TokenItem(text="<b>", clickable=True, value=0.5, lines=("rank 1",)), TokenItem(text=" the")]


def test_tokens_are_sent_as_they_are() -> None:
    header, _ = decode(encode_items(ITEMS, layout="text", label="a text"))
    assert [item["text"] for item in header["items"]] == ["<b>", " the"]
    assert header["items"][0]["lines"] == ["rank 1"]
    assert (header["items"][0]["value"], header["items"][1]["value"]) == (0.5, None)
    assert (header["layout"], header["label"]) == ("text", "a text")
    assert (header["items"][0]["second"], header["series"]) == (None, [])


def test_a_second_value_is_sent_under_the_browsers_name() -> None:
    item = TokenItem(text="a", value=0.5, number="50%", second=0.0, second_number="0%", removed=True)
    header, _ = decode(encode_items([item], layout="bars", label="bars", series=("model", "after filters")))
    sent = header["items"][0]
    assert (sent["second"], sent["secondNumber"], sent["removed"]) == (0.0, "0%", True)
    assert header["series"] == ["model", "after filters"]


def test_the_module_makes_no_markup_of_text() -> None:
    code = token_module()
    assert "innerHTML" not in code
    assert "insertAdjacentHTML" not in code
    assert code.count("export ") == 1


@pytest.mark.parametrize(
    ("reported", "picked"), [(0, 0), (1, None), (2, None), (-1, None), (True, None), ("0", None), (None, None)]
)
def test_only_a_place_that_can_be_clicked_is_picked(
    monkeypatch: pytest.MonkeyPatch, reported: Any, picked: int | None
) -> None:
    monkeypatch.setattr(module, "_component", lambda **_: {"picked": reported})
    assert token_view(ITEMS, layout="text", label="a text", key="tokens") == picked
