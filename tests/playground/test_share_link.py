"""Links to share: read back as they were written, in the letters that a query may have; and their QR codes."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.share_link import LONGEST_QR, embed_link, frame_code, qr_code, share_link

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*")
"""RFC 3986, section 3.4."""


@given(st.lists(st.tuples(texts.filter(bool), texts), max_size=5))
def test_a_link_is_read_as_it_was_written(values):
    link = share_link("http://host:8501/sub/inside", values)
    parts = urlsplit(link)
    assert parse_qsl(parts.query, keep_blank_values=True) == values
    assert QUERY.fullmatch(parts.query)
    assert not parts.query or parts.query[-1].isalnum() or parts.query[-1] in "=$@/"
    embedded = parse_qsl(urlsplit(embed_link(link)).query, keep_blank_values=True)
    assert embedded == [*values, ("embed", "true")]


def test_what_may_stand_in_a_query_is_not_encoded():
    values = [
        ("text", "one, two: three/four; five?"),
        ("head", "1.1"),
        ("run", "a~b"),
        ("quoted", "it's (a) & b+c=d#e"),
    ]
    assert share_link("http://h/inside", values) == (
        "http://h/inside?text=one,+two:+three/four;+five?&head=1.1&run=a~b&quoted=it%27s+%28a%29+%26+b%2Bc%3Dd%23e"
    )


def test_a_program_for_mail_does_not_take_the_last_letter_for_the_end_of_its_sentence():
    assert share_link("http://h/", [("text", "The cat sat.")]) == "http://h/?text=The+cat+sat%2E"


def test_a_link_says_nothing_that_the_address_said_beside_its_path():
    assert share_link("https://ann:secret@h:1/sub/?x=1#y", []) == "https://h:1/sub/"


def test_the_code_of_a_frame_holds_any_link_and_title():
    link, title = "http://h/inside?text=a&head=1.1", '"> <script>alert(1)</script>'
    code = frame_code(link, title)
    source, name = re.fullmatch(r'<iframe src="([^"<>]*)" title="([^"<>]*)" [^<>]*></iframe>', code).groups()
    assert html.unescape(source) == f"{link}&embed=true"
    assert html.unescape(name) == title


SQUARES = re.compile(r"([Mmhv])(-?[\d.]+)(?: (-?[\d.]+))?")


def modules(svg):
    """The dark squares of a drawn code, as rows of booleans: its paths are horizontal strokes of one unit."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    rows = [[False] * side for _ in range(side)]
    x = y = 0.0
    for letter, first, second in SQUARES.findall(re.search(r'stroke="#000" d="([^"]*)"', svg)[1]):
        if letter == "M":
            x, y = float(first), float(second)
        elif letter == "m":
            x, y = x + float(first), y + float(second)
        else:
            for cell in range(int(x), int(x + float(first))):
                rows[int(y)][cell] = True
            x += float(first)
    return rows


def unmasked(matrix, mask, row, column):
    conditions = (
        (row + column) % 2,
        row % 2,
        column % 3,
        (row + column) % 3,
        (row // 2 + column // 3) % 2,
        row * column % 2 + row * column % 3,
        (row * column % 2 + row * column % 3) % 2,
        ((row + column) % 2 + row * column % 3) % 2,
    )
    return matrix[row][column] ^ (conditions[mask] == 0)


def read_small_code(svg):
    """The text of a code of version 2 (25 squares a side), read by ISO/IEC 18004's own rules."""
    drawn = modules(svg)
    matrix = [row[4:-4] for row in drawn[4:-4]]
    size = len(matrix)
    assert size == 25
    assert not any(any(row) for row in drawn[:4] + drawn[-4:])  # the quiet zone
    format_bits = [matrix[8][column] for column in (0, 1, 2, 3, 4)]
    mask = sum(bit << (2 - place) for place, bit in enumerate(format_bits[2:])) ^ 0b101
    bits, column, upwards = [], size - 1, True
    while column > 0:
        column -= column == 6
        for row in range(size - 1, -1, -1) if upwards else range(size):
            for x in (column, column - 1):
                finder = (row < 9 and (x < 9 or x > size - 9)) or (row > size - 9 and x < 9)
                if not finder and 6 not in (row, x) and not (16 <= row <= 20 and 16 <= x <= 20):
                    bits.append(unmasked(matrix, mask, row, x))
        column, upwards = column - 2, not upwards
    data = "".join("01"[bit] for bit in bits)
    assert data[:4] == "0100"  # bytes
    count = int(data[4:12], 2)
    return bytes(int(data[12 + 8 * n : 20 + 8 * n], 2) for n in range(count)).decode()


def test_a_code_says_the_link():
    link = "http://h/a?head=1.1&t=b"
    assert read_small_code(qr_code(link)) == link


def test_a_code_is_dark_on_white_on_every_page():
    svg = qr_code("http://localhost:8501/inside?head=1.1")
    side = re.search(r'viewBox="0 0 (\d+) ', svg)[1]
    assert f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/>' in svg


def test_a_link_that_no_phone_would_read_is_a_sentence():
    assert "viewBox" in qr_code("http://h/".ljust(LONGEST_QR, "a"))
    with pytest.raises(UserError, match=r"801 characters.*Shorten the text, or send the link itself"):
        qr_code("http://h/".ljust(LONGEST_QR + 1, "a"))
