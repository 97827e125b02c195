"""The glossary: every term, searched by its letters."""

from playground.glossary import TERMS
from tests.helpers.page_script import run_page


def headings(**parameters: str) -> list[str]:
    return [heading.value for heading in run_page("glossary", **parameters).subheader]


def test_every_term_stands_there_in_order() -> None:
    shown = headings()
    assert len(shown) == len(TERMS)
    assert shown == sorted(shown, key=str.lower)


def test_a_search_looks_into_forms_and_meanings() -> None:
    assert headings(term="RMS") == ["layer norm"]
    assert "nat" in headings(term="bits")


def test_a_search_without_a_hit_says_what_to_do() -> None:
    app = run_page("glossary", term="<b>")
    assert not app.subheader
    assert "Try fewer" in app.info[0].value
