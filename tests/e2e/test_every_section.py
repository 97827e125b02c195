"""Every section, opened once in the pseudo-language: translated to the last sentence, accessible and readable.

Each sentence stands in ⟦brackets⟧, a third more text overflows nothing, axe-core finds nothing serious in either theme,
each text of a chart is large and clear enough, and no end is blank.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page
from tokenizers import Tokenizer

from playground.glossary import TERMS
from playground.scaling.famous import famous_models
from tests.e2e.test_room import SMALL_TEXTS
from tests.helpers.accessibility import faint_texts, violations
from tests.helpers.contrast import as_hex
from tests.helpers.settling import settle, settle_work
from tests.playground.charts.test_palette import contrast
from ui.sections.tokens.sentences import LINES_EXAMPLE

ROOT = Path(__file__).resolve().parents[2]
LONG_LINE = "+".join(["the", "cat", "sat", "on", "a", "mat"] * 6)
"""Wider than the page, as an address has it."""
PUBLISHED = ("runs", "models", "sizes", "tasks")
EFFECTS = ("scores", "weights", "heads", "states", "forgetting")
SECTIONS = {
    "attention": [{"mode": mode} for mode in ("one", "texts", "models", "bertviz")]
    + [{"model": "tales-translator"}, {"model": "books-encoder"}],
    "inside": [{"section": section} for section in ("hand", "positions", "many", "architecture")]
    + [{"section": "architecture", "model": "tales-translator", "length_cost": "yes"}]
    + [{"section": "hand", "by_hand": part} for part in ("root", "residuals")]
    + [{"step": "all"}],
    "generate": [{"generate": section} for section in ("next", "write", "surprise", "lens")]
    + [{"generate": "fill", "model": "books-encoder"}, {"generate": "translate", "model": "tales-translator"}]
    + [{"generate": "classify", "model": "books-encoder", "pair": "There was nobody.", "explained": "0"}],
    "ablate": [{"section": section} for section in ("ablate", "writes", "patch", "flow", "whole", "heads")],
    "tokens": [
        {"section": section} for section in ("tokenizer", "models", "languages", "embedding", "meaning", "sentences")
    ],
    "train": [{}],
    "evaluate": [{"section": section} for section in ("perplexity", "bleu", "rouge", "edits", "classification")]
    + [{"section": "bleu", "hypotheses": LONG_LINE, "references": LONG_LINE}],
    "finetune": [{"show": "effects", "effect": effect} for effect in EFFECTS]
    + [{"show": view} for view in ("new", "run", "labels", "ranks", "files")],
    "glossary": [{}],
    "scaling": [{"section": section} for section in ("data", "disagree", "plan", "live", "dial", "zipf")]
    + [{"section": "published-runs", "source": "hoffmann", "picture": figure} for figure in PUBLISHED]
    + [{"section": "curves"}]
    + [{"section": "diagnostics", "picture": figure} for figure in ("residuals", "intervals")]
    + [{"section": "allocation", "picture": figure} for figure in ("frontier", "valleys", "training", "map", "ratios")],
    "emergence": [{"section": section} for section in ("addition", "translation", "induction", "grokking")],
}
CASES = [(page, query) for page, queries in SECTIONS.items() for query in queries]
IDS = [f"{name}-{'-'.join(query.values())}"[:60] for name, query in CASES]
WIDE, NARROW = 1400, 390

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
    |LayerNorm|RMSNorm|ReLU|GELU|SiLU|SwiGLU|RoPE|ALiBi|T5|GPT-?2|BERT|BertViz|Python|AdamW|Muon|SGD|L\d+|H\d+|s|min|h|d|[A-Za-zα-ωΑ-Ω])\b
    |LoRA|(?:attention|cross_attention|feed_forward)\.\w+
    |W_\w+|BLEU|chrF|TER|ROUGE(?:-\w+)?|F1|ROC|13a|(?:zh|char|intl|none)(?!\w)
    |Apache-2\.0|[kMG]?Wh\b|<\|\w+\|>|Δℓ
    |\d[\d.,]*[eE][+-−]?\d+|\d+[kMGTB]\b|\d+x\d+""",
    re.VERBOSE,
)
STREAMLITS = {"Skip to main content", "Deploy", "Press Enter to apply", "Choose options", "Drag and drop file here"}
STREAMLITS |= {"Upload", "5MB per file • CSV, TSV, TXT", "5MB per file • CSV, TSV, TXT, JSONL"}
STREAMLITS |= {"50MB per file • CSV, TSV, TXT, JSONL, JSON"}
"""What Streamlit itself writes, in its own language."""
MODELS = ("books-decoder", "books-encoder", "tales-translator")
CELL = re.compile(r"(?:\S{1,3} \()?(?:\d+ )?(?P<tokens>.*?)\)?")
"""What names a cell or a tick: a position and its token, or two tokens; in brackets behind a vector's symbol."""
NUMBERED = re.compile(r"^\d+ ")
SOURCES = {term.source for term in TERMS}
"""Works, which are cited in their own language."""
FAMOUS = {model.name for model in famous_models()}
"""Language models by their names, which no language changes."""
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


def is_line(text: str) -> bool:
    """Whether a tick is a line of the example that the page ranks, or its beginning."""
    beginning = NUMBERED.sub("", text.strip()).removesuffix("…")
    return any(line.startswith(beginning) for line in LINES_EXAMPLE.splitlines())


def overflow(page: Page) -> list[str]:
    """How many pixels of the page stand outside its width, where any do."""
    pixels = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
    return [f"{pixels} pixels stand outside the width"] if pixels > 0 else []


LONGEST_END = 64
"""Pixels below the last element of a page that scrolls."""
BLANK_END = """() => {
    const main = document.querySelector("[data-testid=stMain]");
    if (main.scrollHeight <= main.clientHeight) return 0;
    const boxes = [...main.querySelectorAll("[data-testid=stElementContainer]")]
        .map((part) => part.getBoundingClientRect()).filter((box) => box.height > 1);
    const last = Math.max(...boxes.map((box) => box.bottom));
    return main.getBoundingClientRect().top - main.scrollTop + main.scrollHeight - last;
}"""


def blank_end(page: Page) -> list[str]:
    """How many pixels of the page's end are blank, where it scrolls and many are."""
    pixels = page.evaluate(BLANK_END)
    return [f"the last {pixels:.0f} pixels are blank"] if pixels > LONGEST_END else []


def untranslated(page: Page) -> list[str]:
    """The texts in sight that stand in no brackets."""
    typed = {word for value in page.evaluate(TYPED) for word in value.split()}
    blocks = [text for text, is_cell in page.evaluate(BLOCKS) if not (is_cell and (is_token(text) or is_line(text)))]
    blocks = [text for text in blocks if NUMBERED.sub("", text.strip()) not in typed | SOURCES]
    return sorted({rest for rest in map(unwrapped, blocks) if rest} - STREAMLITS - FAMOUS)


SMALLEST_TEXT, READABLE = 11, 4.5
CHART_TEXTS = """() => [...document.querySelectorAll(".live-chart .main-svg :is(text, tspan)")]
    .filter((node) => node.textContent.trim() && node.getClientRects().length)
    .map((node) => [node.textContent, parseFloat(getComputedStyle(node).fontSize), getComputedStyle(node).fill])"""
GROUND = {"light": "#ffffff", "dark": "#12151b"}


def unreadable(page: Page, scheme: str) -> list[str]:
    """Texts of charts that are small or faint."""
    texts = page.evaluate(CHART_TEXTS)
    small = [f"{text}: {size} px" for text, size, _fill in texts if size < SMALLEST_TEXT]
    return small + [f"{text}: {fill}" for text, _, fill in texts if contrast(as_hex(fill), GROUND[scheme]) < READABLE]


@pytest.fixture(scope="module")
def page(visitor: BrowserContext) -> Iterator[Page]:
    """A page that goes on from section to section: what it loads and compiles takes as long as all that is checked."""
    page = visitor.new_page()
    yield page
    page.close()


def go_to(page: Page, address: str) -> None:
    """Open an address; from the second on as a browser's history does, without loading Streamlit again."""
    if page.url == "about:blank":
        page.goto(address)
        return
    page.evaluate(
        "address => { history.pushState({}, '', address); dispatchEvent(new PopStateEvent('popstate')); }", address
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "query"), CASES, ids=IDS)
def test_a_section_is_translated_accessible_and_readable(
    page: Page, app_server: str, name: str, query: dict[str, str]
) -> None:
    parameters = "&".join(f"{key}={value}" for key, value in {**query, "lang": "qps"}.items())
    go_to(page, f"{app_server}/{name}?{parameters}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDE, "height": 1000})
    settle_work(page)
    faults = [*untranslated(page), *violations(page), *unreadable(page, "light"), *page.evaluate(SMALL_TEXTS)]
    faults += [*overflow(page), *blank_end(page)]
    page.emulate_media(color_scheme="dark")
    settle(page)
    faults += [f"dark: {fault}" for fault in (*faint_texts(page), *unreadable(page, "dark"))]
    page.set_viewport_size({"width": NARROW, "height": 1000})
    settle(page)
    faults += [f"{NARROW} px: {fault}" for fault in (*untranslated(page), *overflow(page), *blank_end(page))]
    assert not faults, "\n".join(faults)
