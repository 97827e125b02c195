"""Every page in the pseudo-language: each sentence stands in ⟦brackets⟧, and a third more text overflows nothing."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tokenizers import Tokenizer

from playground.glossary import TERMS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90_000
SECTIONS = {
    "attention": [{"mode": mode} for mode in ("one", "texts", "models", "bertviz")]
    + [{"model": "tales-translator"}, {"model": "books-encoder"}],
    "inside": [{"section": section} for section in ("steps", "hand", "positions", "many")],
    "generate": [{"generate": section} for section in ("next", "write", "surprise", "lens")]
    + [{"generate": "fill", "model": "books-encoder"}, {"generate": "translate", "model": "tales-translator"}],
    "ablate": [{"section": section} for section in ("ablate", "writes", "patch", "flow", "whole", "heads")],
    "train": [{}],
    "glossary": [{}],
    "scaling": [{"section": section} for section in ("data", "disagree", "plan", "live")]
    + [
        {"section": "curves", "picture": figure}
        for figure in ("loss", "training", "valleys", "map", "frontier", "residuals", "parameters")
    ],
    "emergence": [{"section": section} for section in ("addition", "translation", "induction", "grokking")],
}
CASES = [(page, query) for page, queries in SECTIONS.items() for query in queries]
WIDTHS = (1400, 390)

BLOCKS = """() => {
    const skipped = "style, script, code, pre, textarea, bdi, .token, .katex, option, iframe, canvas, " +
        "[data-testid=stIconMaterial], [data-testid=stDataFrame], [data-testid=stToolbar], [role=option]";
    const titles = ".xtitle, .ytitle, .gtitle, .cbtitle, .legend, .annotation";
    const blocks = new Map();
    const walk = (node) => {
        if (node.nodeType === Node.TEXT_NODE) {
            let block = node.parentElement;
            if (!block || !block.checkVisibility?.({ visibilityProperty: true })) return;
            if (getComputedStyle(block).fontFamily.includes("Material")) return;  // an icon's name
            while (block.parentElement && getComputedStyle(block).display.startsWith("inline") &&
                !["text", "BUTTON", "LABEL"].includes(block.tagName)) block = block.parentElement;
            blocks.set(block, (blocks.get(block) ?? "") + node.textContent);
            return;
        }
        if (node.nodeType === Node.ELEMENT_NODE && node.matches(skipped)) return;
        if (node.shadowRoot) walk(node.shadowRoot);
        for (const child of node.childNodes) walk(child);
    };
    walk(document.body);
    const isCell = (block) => block.closest("svg, th[scope=row]") !== null && block.closest(titles) === null;
    return [...blocks].map(([block, text]) => [text, isCell(block)]);
}"""
TYPED = """() => [...document.querySelectorAll("input, textarea")].map((field) => field.value)"""
# What no language changes: names of models, symbols, units, file formats, dtypes, numbers with their exponents.
NAMES = re.compile(
    r"""books-\w+|tales-\w+|smollm2[\w-]*|all-minilm[\w-]*|induction|[\w.-]+/[\w.-]+|https?://\S+
    |\b(?:[kMGTPEZY]?FLOPs?|[kMGTPE]?B|PyTorch|CPU|GPU|GB|MB|kB|nats?|auto|cpu|cuda|mps|float32|bfloat16|float16|main|SVG|PNG|CSV|HTML|JSON|BPE|MLP
    |ReLU|GELU|SiLU|SwiGLU|RoPE|ALiBi|T5|GPT-?2|BERT|BertViz|Python|AdamW|Muon|SGD|L\d+|H\d+|s|min|h|d|[A-Za-zα-ωΑ-Ω])\b
    |Apache-2\.0|[kMG]?Wh\b|<\|\w+\|>
    |\d[\d.,]*[eE][+-−]?\d+|\d+[kMGTB]\b|\d+x\d+""",
    re.VERBOSE,
)
STREAMLITS = {"Skip to main content", "Deploy", "Press Enter to apply", "Choose options", "Drag and drop file here"}
STREAMLITS |= {"Upload", "5MB per file • CSV, TSV, TXT"}
"""What Streamlit itself writes, in its own language."""
MODELS = ("books-decoder", "books-encoder", "tales-translator")
CELL = re.compile(r"(?:\S{1,3} \()?(?:\d+ )?(?P<tokens>.*?)\)?")
"""What names a cell or a tick: a position and its token, or two tokens; in brackets behind a vector's symbol."""
NUMBERED = re.compile(r"^\d+ ")
SOURCES = {term.source for term in TERMS}
"""Works, which are cited in their own language."""
BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
LETTERS = re.compile(r"[^\W\d_]{2,}")


def unwrapped(text: str) -> str:
    """What of a text stands outside all brackets and is no name; empty where nothing is left to translate."""
    while BRACKETED.search(text):
        text = BRACKETED.sub(" ", text)
    rest = NAMES.sub(" ", text)
    return " ".join(text.split()) if LETTERS.search(rest) else ""


@cache
def pieces() -> frozenset[str]:
    """Every token of the shipped models, as a chart shows it."""
    read = [Tokenizer.from_file(str(ROOT / "assets" / "models" / name / "tokenizer.json")) for name in MODELS]
    return frozenset(token.lstrip("Ġ").removeprefix("##") for tokenizer in read for token in tokenizer.get_vocab())


def is_token(text: str) -> bool:
    """Whether a cell's or tick's text is nothing but tokens of a model."""
    match = CELL.fullmatch(" ".join(text.split()))
    parts = match["tokens"].split(" | ") if match else []
    return bool(parts) and all(part.lstrip("␣") in pieces() for part in parts)


def settle(page: Page, *, has_bar: bool) -> None:
    """Wait until the script has run and stays still; has_bar: a bar that stays belongs to the page."""
    page.locator("h1").first.wait_for(timeout=PATIENCE)
    at_work = "[data-testid=stStatusWidget]" + ("" if has_bar else ", [data-testid=stProgress]")
    still = f"() => !document.querySelector('{at_work}')"
    for _ in range(2):
        page.wait_for_function(still, timeout=PATIENCE)
        page.wait_for_timeout(500)


def overflow(page: Page) -> int:
    """How many pixels of the page stand outside its width."""
    return int(page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"))


@pytest.fixture(scope="module")
def address(serve: Callable[..., str]) -> str:
    """A server that nobody reads in another language."""
    return serve(ROOT / "app.py")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "query"), CASES, ids=[f"{name}-{'-'.join(query.values())}" for name, query in CASES])
def test_every_sentence_of_a_section_is_translated(
    browser: Browser, address: str, name: str, query: dict[str, str]
) -> None:
    page = browser.new_page(viewport={"width": WIDTHS[0], "height": 1000})
    parameters = "&".join(f"{key}={value}" for key, value in {**query, "lang": "qps"}.items())
    page.goto(f"{address}/{name}?{parameters}")
    try:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 1000})
            settle(page, has_bar=name == "train")
            typed = {word for value in page.evaluate(TYPED) for word in value.split()}
            blocks = [text for text, is_cell in page.evaluate(BLOCKS) if not (is_cell and is_token(text))]
            blocks = [text for text in blocks if NUMBERED.sub("", text.strip()) not in typed | SOURCES]
            left = sorted({rest for rest in map(unwrapped, blocks) if rest} - STREAMLITS)
            assert not left, f"{name} {query} at {width} px:\n" + "\n".join(left)
            assert overflow(page) <= 0, f"{name} {query} at {width} px"
    finally:
        page.close()
