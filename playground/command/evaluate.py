"""`evaluate` measures perplexity, BLEU, ROUGE, word errors or a classifier's labels, of files."""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.errors import UserError
from playground.text import _

if TYPE_CHECKING:
    from playground.evaluation.lines import ComparedLines

LARGEST_FILE = 200 << 20


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its measures."""
    parser = commands.add_parser("evaluate", help=_("measure texts, translations, summaries or labels"))
    measures = parser.add_subparsers(dest="measure", required=True)
    _declare_perplexity(measures.add_parser("perplexity", help=_("of up to four models on a text")))
    _declare_held_out(measures.add_parser("held-out", help=_("one of our decoders on its held-out text, as its card")))
    bleu = _add_lines(measures, "bleu", _("BLEU, chrF and TER, with sacrebleu's signatures"), measure_bleu)
    bleu.add_argument("--tokenizer", default="13a", help=_("13a, zh, char, intl or none"))
    bleu.add_argument("--effective-order", action="store_true", help=_("leave out orders that a text is too short for"))
    bleu.add_argument("--lowercase", action="store_true", help=_("compare in lower case"))
    bleu.add_argument("--second", type=Path, help=_("another system's hypotheses: a paired bootstrap compares both"))
    rouge = _add_lines(measures, "rouge", _("ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum"), measure_rouge)
    rouge.add_argument("--stemmed", action="store_true", help=_("compare the stems of English words"))
    rouge.add_argument("--by-sentence", action="store_true", help=_("ROUGE-Lsum takes each sentence for a line"))
    errors = _add_lines(measures, "errors", _("exact match and word error rate"), measure_errors)
    errors.add_argument("--characters", action="store_true", help=_("compare characters instead of words"))
    _declare_classify(measures.add_parser("classify", help=_("accuracy to F1 of a table of labels")))


def _declare_perplexity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="+", help=_("names from `models`, Hugging Face ids or folders; up to four"))
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument("--text", help=_("the text"))
    text.add_argument("--file", type=Path, help=_("a file with the text"))
    parser.add_argument("--window", type=int, default=0, help=_("tokens that a decoder reads at once"))
    parser.add_argument("--stride", type=int, default=0, help=_("tokens from one window to the next"))
    _finish(parser, measure_perplexity)


def _declare_held_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help=_("a name from `models` or a folder that `export` wrote"))
    parser.add_argument("source", nargs="+", help=_("the files that it was trained on: .txt, or .zip of them"))
    _finish(parser, measure_held_out_text)


def _declare_classify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, help=_("CSV, TSV or JSON lines with a header"))
    parser.add_argument("--label", default="label", metavar="COLUMN", help=_("the column of true labels (label)"))
    parser.add_argument(
        "--prediction", default="prediction", metavar="COLUMN", help=_("the column of predictions (prediction)")
    )
    parser.add_argument("--score", metavar="COLUMN", help=_("the column of scores, for curves and calibration"))
    parser.add_argument("--positive", metavar="LABEL", help=_("the label that the score is of"))
    parser.add_argument("--slice", metavar="COLUMN", help=_("measure each value of this column alone"))
    parser.add_argument("--text", metavar="COLUMN", help=_("the column of texts, for the baselines and repeated texts"))
    parser.add_argument("--part", metavar="COLUMN", help=_("the column that says train or test"))
    _finish(parser, measure_labels)


def _add_lines(
    measures: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    parser = measures.add_parser(name, help=about)
    parser.add_argument("hypotheses", type=Path, help=_("a file with one hypothesis a line"))
    parser.add_argument("references", type=Path, nargs="+", help=_("one to four files with one reference a line"))
    _finish(parser, run)
    return parser


def _finish(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], None]) -> None:
    parser.add_argument("--json", action="store_true", help=_("print everything as JSON"))
    parser.set_defaults(run=run)


def measure_perplexity(arguments: argparse.Namespace) -> None:
    """Load each model, score the text, print. Raises UserError for more than four models."""
    if len(arguments.model) > 4:
        raise UserError("{count} models are too many for one text; give up to four.", count=len(arguments.model))
    from playground.lens.generate.surprisal import Windows, surprisal_alone
    from playground.models import load

    text = arguments.text if arguments.file is None else _read_text(arguments.file)
    if not text.strip():
        raise UserError("The text is empty: there is nothing to measure.")
    windows = Windows(window=arguments.window, stride=arguments.stride)
    report = {}
    for name in arguments.model:
        model = load(name)
        scores = surprisal_alone(model, text, windows=windows, on_progress=_progress(name))
        measure = "pseudo_perplexity" if model.kind == "encoder" else "perplexity"
        report[name] = {
            measure: _finite(scores.perplexity),
            "bits_per_byte": None if scores.bits_per_byte is None else _finite(scores.bits_per_byte),
            "bits_per_byte_interval": None if scores.bits_spread is None else scores.bits_spread.interval,
            **({"note": scores.missing_bits} if scores.missing_bits else {}),
            "mean_nats": _finite(scores.mean),
            "tokens": int(scores.predicted.sum()),
            "bytes": scores.bytes,
        }
    _print(report, arguments)


def measure_held_out_text(arguments: argparse.Namespace) -> None:
    """Read the held-out part of the sources again, and measure it beside what the card states."""
    from playground.models import load
    from playground.tasks.held_out import measure_held_out, read_facts

    model = load(arguments.model)
    facts = read_facts(model.folder, model.name)
    measured = measure_held_out(model, tuple(arguments.source))
    _print({**measured, "tokens": facts.tokens, "bytes": facts.bytes, "card": dict(facts.measures)}, arguments)


def measure_bleu(arguments: argparse.Namespace) -> None:
    """BLEU, chrF and TER of files; with a second system the paired bootstrap."""
    from playground.evaluation.bleu import BleuConfig
    from playground.evaluation.line_scores import compare_systems, line_scores

    config = BleuConfig(
        tokenizer=arguments.tokenizer, effective_order=arguments.effective_order, lowercase=arguments.lowercase
    )
    scores = line_scores(_lines(arguments, arguments.hypotheses), config, on_progress=_progress("TER"))
    report = scores.report()
    if arguments.second is not None:
        second = line_scores(_lines(arguments, arguments.second), config, on_progress=_progress("TER"))
        report["second"] = second.report()
        report["paired"] = {name: paired.report() for name, paired in compare_systems(scores, second).items()}
    _print(report, arguments)


def measure_rouge(arguments: argparse.Namespace) -> None:
    """ROUGE of files: the means over lines with their intervals."""
    from playground.evaluation.rouge import RougeConfig, rouge_report

    config = RougeConfig(stemmed=arguments.stemmed, by_sentence=arguments.by_sentence)
    _print(rouge_report(_lines(arguments, arguments.hypotheses), config, _progress("ROUGE")), arguments)


def measure_errors(arguments: argparse.Namespace) -> None:
    """Word or character error rate and exact match of files."""
    from playground.evaluation.edit_alignment import error_report

    lines = _lines(arguments, arguments.hypotheses)
    _print(error_report(lines, characters=arguments.characters, on_progress=_progress("lines")), arguments)


def measure_labels(arguments: argparse.Namespace) -> None:
    """A classifier's labels in a table. Raises UserError that names the line that is wrong."""
    from playground.evaluation.confusion import spelling_note
    from playground.evaluation.label_report import label_report
    from playground.evaluation.text_table import read_text_table

    table = read_text_table(read_limited(arguments.table))
    for note in table.notes:
        print(f"! {note}", file=sys.stderr)
    spelling = spelling_note(table.filled(arguments.label), table.filled(arguments.prediction))
    if spelling:
        print(f"! {spelling}", file=sys.stderr)
    report = label_report(
        table,
        label=arguments.label,
        prediction=arguments.prediction,
        score=arguments.score,
        positive=arguments.positive,
        sliced_by=arguments.slice,
        text=arguments.text,
        part=arguments.part,
    )
    _print(report, arguments)


def read_limited(path: Path) -> bytes:
    """A file's bytes. Raises UserError for one that is not there, or too large to be measured."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UserError("{path} is larger than {most} MB.", path=path, most=LARGEST_FILE >> 20)
        return path.read_bytes()
    except OSError as error:
        raise UserError("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error) from error


def _lines(arguments: argparse.Namespace, hypotheses: Path) -> "ComparedLines":
    from playground.evaluation.lines import pair_lines

    texts = [_read_text(path) for path in (hypotheses, *arguments.references)]
    return pair_lines(texts[0], texts[1:])


def _read_text(path: Path) -> str:
    """A file's text; said on the error stream where its encoding had to be guessed."""
    from playground.decoding import decode_upload
    from playground.evaluation.text_table import encoding_notes

    content = read_limited(path)
    text = decode_upload(content)
    for note in encoding_notes(content):
        print(f"! {path}: {note}", file=sys.stderr)
    return text


def _progress(name: str) -> Callable[[int, int], None]:
    """A line that counts on a terminal."""
    terminal = sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        if terminal:
            end = "\r\033[K" if done >= total else ""
            print(f"\r\033[K{name} {done:,} / {total:,}{end}", end="", file=sys.stderr, flush=True)

    return show


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _print(report: dict[str, Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False))
        return
    print("\n".join(report_lines(report)))


def report_lines(report: dict[str, Any], indent: str = "") -> list[str]:
    """The report for a terminal: a name and a value in each line, parts indented.

    >>> report_lines({"n": 2, "bleu": {"score": 41.113409, "totals": (6, 5)}})
    ['n: 2', 'bleu:', '  score: 41.1134', '  totals: 6 5']
    """
    lines = []
    for name, value in report.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *report_lines(value, indent + "  ")]
        elif isinstance(value, list | tuple):
            lines.append(f"{indent}{name}: {' '.join(_shown(part) for part in value)}")
        else:
            lines.append(f"{indent}{name}: {_shown(value)}")
    return lines


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "–" if value is None else str(value)
