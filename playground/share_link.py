"""A link to a state of a page: short and readable, as the code of a frame, and as a QR code."""

import html
import io
from collections.abc import Iterable
from urllib.parse import quote_plus, unquote_plus, urlsplit, urlunsplit

from playground.errors import UserError

READABLE = ",:;@/?!$*~"
"""What stands as it is: RFC 3986, section 3.4, allows it in a query, and neither forms (& = +) nor quoting (' ( ))
give it another meaning."""
STRAY = ",:;?!*~.-_+"
"""Programs for mail and chat take these for the end of the sentence in which a link stands; + is a blank."""
LONGEST_QR = 800
"""Characters of a link in a QR code: 97 squares a side at most, which a telephone still reads from a screen."""
FRAME_HEIGHT = 600


def share_link(page: str, values: Iterable[tuple[str, str]]) -> str:
    """The link to a page's address with these parameters; nothing is encoded that may stand in a query.

    page: the address as the browser has it; what it says behind `?` and `#`, and a password, are left out.

    >>> share_link("http://localhost:8501/inside", [("text", "A cat, a dog."), ("head", "1.1")])
    'http://localhost:8501/inside?text=A+cat,+a+dog.&head=1.1'
    """
    parts = urlsplit(page)
    query = "&".join(f"{quote_plus(name)}={quote_plus(value, safe=READABLE)}" for name, value in values)
    if query and query[-1] in STRAY:
        query = f"{query[:-1]}%{ord(unquote_plus(query[-1])):02X}"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def embed_link(link: str) -> str:
    """The link under which a page shows its picture alone.

    >>> embed_link("http://localhost:8501/inside"), embed_link("http://localhost:8501/inside?head=1.1")
    ('http://localhost:8501/inside?embed=true', 'http://localhost:8501/inside?head=1.1&embed=true')
    """
    return f"{link}{'&' if urlsplit(link).query else '?'}embed=true"


def frame_code(link: str, title: str) -> str:
    """HTML that shows the link's picture in another page."""
    source, name = html.escape(embed_link(link)), html.escape(title)
    return (
        f'<iframe src="{source}" title="{name}" width="100%" height="{FRAME_HEIGHT}" style="border: 0" '
        'loading="lazy"></iframe>'
    )


def qr_code(link: str) -> str:
    """The link as an SVG of dark squares on a white ground with a quiet zone, so that it is read on a dark page too.

    Raises UserError for a link that is too long to be read from a screen.
    """
    import segno

    if len(link) > LONGEST_QR:
        raise UserError(
            "The link has {count:,} characters, and a QR code that a phone can read holds {most}. "
            "Shorten the text, or send the link itself.",
            count=len(link),
            most=LONGEST_QR,
        )
    drawn = io.BytesIO()
    segno.make(link, error="l", micro=False).save(
        drawn, kind="svg", border=4, dark="#000000", light="#ffffff", omitsize=True, xmldecl=False
    )
    return drawn.getvalue().decode().strip()
