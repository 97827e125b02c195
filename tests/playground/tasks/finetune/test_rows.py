"""Tables of texts and labels as people save them: what is wrong is said, and nothing is lost without a word."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import UserError
from playground.tasks.finetune.labels import LabelsConfig, read_labels, source_report
from playground.tasks.finetune.rows import MOST_TRAINED, Rows, SplitRows, draw_labels, read_split, save_rows, split_rows
from playground.tasks.finetune.sentiment import CEILING, UNDECIDED, sentiment_rows
from playground.tasks.finetune.tables import KEPT_TABLES, keep_table, look_at_table


def table(rows, header="text,label") -> str:
    return header + "\n" + "".join(f"{text},{label}\n" for text, label in rows)


GOOD = [(f"text {number}", "yes" if number % 2 else "no") for number in range(20)]


def notes_of(text: str) -> str:
    return " ".join(map(str, read_labels(LabelsConfig(source="table", text=text)).notes))


def test_rows_without_a_label_are_left_out_and_counted():
    rows = [*GOOD, ("nobody knows", ""), ("", "yes"), ("nor this", "  ")]
    assert "a text, a label or an answer are left out: 3, the first in line 22" in notes_of(table(rows))
    assert source_report(LabelsConfig(source="table", text=table(rows))).n_train == 16


def test_labels_that_differ_by_a_blank_are_one():
    rows = [(text, f" {label}  " if number % 3 else label) for number, (text, label) in enumerate(GOOD)]
    assert "differ only by blanks" in notes_of(table(rows))
    assert read_labels(LabelsConfig(source="table", text=table(rows))).names == ("no", "yes")


def test_labels_that_differ_by_capitals_are_two_and_said():
    rows = [(f"text {number}", ("yes", "Yes")[number % 2]) for number in range(20)]
    assert "'Yes' and 'yes' differ only by capitals" in notes_of(table(rows))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (table([(f"text {n}", "yes") for n in range(9)]), "All texts have the label 'yes'"),
        (table([("a", "yes")]), "one row only"),
        (table([("", "yes"), ("a", "")]), "No row has both"),
        ("words\nhello\n", "no column 'text'"),
        ("text,label\na,b,c\n", "3 cells"),
        (table([("the same", "a"), ("the same", "b")]), "stands in the training part"),
        (table([(f"text {n}", f"label {n}") for n in range(1300)]), "mixed up"),
    ],
)
def test_a_table_that_teaches_nothing_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(UserError, match=sentence):
        read_labels(LabelsConfig(source="table", text=text))


def test_a_file_in_another_encoding_is_read_and_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(table([(f"löß {number}", ("né", "ça")[number % 2]) for number in range(9)]).encode("cp1252"))
    split = read_labels(LabelsConfig(source="table", sources=(str(path),)))
    assert split.names == ("né", "ça")
    assert "Windows-1252" in " ".join(map(str, split.notes))


def test_json_lines_and_tabs_are_tables_too():
    lines = "".join(json.dumps({"review": text, "stars": label}) + "\n" for text, label in GOOD)
    split = read_labels(LabelsConfig(source="table", text=lines, text_column="review", label_column="stars"))
    tabs = table(GOOD).replace(",", "\t")
    assert split == read_labels(LabelsConfig(source="table", text=tabs))
    view = look_at_table(lines)
    assert (view.text_column, view.n_rows, view.preview[0]) == ("review", 20, ("text 0", "no"))


def test_of_very_many_rows_a_random_part_is_trained_on():
    count = 100_000
    rows = Rows(texts=tuple(f"text {n}" for n in range(count)), labels=tuple("ab"[n % 2] for n in range(count)))
    split = split_rows(rows, 0.2, most_held_out=500)
    assert (len(split.train), len(split.held_out)) == (MOST_TRAINED, 500)
    assert "Of 100,000 rows 50,000 drawn at random" in str(split.notes[0])
    assert abs(split.train.labels.count("a") / MOST_TRAINED - 0.5) < 0.02


def test_a_text_in_both_parts_is_not_measured():
    rows = [(f"text {n // 2 * 2 if n % 3 == 0 else n}", "ab"[n % 2]) for n in range(200)]
    split = read_labels(LabelsConfig(source="table", text=table(rows)))
    assert not set(split.train.texts) & set(split.held_out.texts)
    assert "held-out texts stand in the training part" in " ".join(map(str, split.notes))


@given(labels=st.lists(st.sampled_from("abc"), min_size=3, max_size=60), count=st.integers(1, 70))
def test_fewer_labels_are_taken_evenly_and_held_out_rows_stay(labels, count):
    train = Rows(texts=tuple(str(n) for n in range(len(labels))), labels=tuple(labels))
    split = SplitRows(train=train, held_out=train.only([0]))
    fewer = draw_labels(split, count)
    assert len(fewer.train) == min(count, len(labels))
    assert fewer.held_out == split.held_out
    counts = {name: fewer.train.labels.count(name) for name in set(labels)}
    for name, taken in counts.items():
        assert taken >= min(max(counts.values()) - 1, labels.count(name))
    assert set(fewer.train.texts) <= set(draw_labels(split, count + 1).train.texts)


def test_fewer_labels_are_drawn_from_everywhere():
    """A book's first passages are its first chapter: the draw reaches into each quarter of a label's texts."""
    train = Rows(texts=tuple(str(n) for n in range(400)), labels=("a", "b") * 200)
    kept = [int(text) for text in draw_labels(SplitRows(train=train, held_out=train.only([0])), 100).train.texts]
    assert all(10 <= sum(100 * k <= row < 100 * (k + 1) for row in kept) <= 40 for k in range(4))


def test_rows_survive_a_file(tmp_path):
    split = SplitRows(
        train=Rows(texts=("a\nb", "ü\u2028"), labels=("1", "2")), held_out=Rows(texts=("c",), labels=("1",))
    )
    save_rows(tmp_path, split)
    assert read_split(tmp_path) == split
    (tmp_path / "rows.jsonl").write_text("{}")
    with pytest.raises(UserError, match="damaged"):
        read_split(tmp_path)


def test_uploaded_tables_are_kept_by_their_content_and_bounded(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path))
    first = keep_table(b"text,label\n")
    assert keep_table(b"text,label\n") == first
    for number in range(KEPT_TABLES + 3):
        keep_table(f"text,label\n{number}".encode())
    assert len(list((tmp_path / "tables").iterdir())) == KEPT_TABLES


def test_the_ceiling_of_the_opinions_is_what_their_sentences_allow():
    """A reader of the rules is right about every sentence but those that say both, of which it gets half."""
    split = sentiment_rows(0.2)
    texts, labels = split.train.texts + split.held_out.texts, split.train.labels + split.held_out.labels
    both = [text.startswith("Some found the") for text in texts]
    assert sum(both) / len(texts) == pytest.approx(UNDECIDED, abs=0.03)
    coin = [label == "positive" for label, is_both in zip(labels, both, strict=True) if is_both]
    assert sum(coin) / len(coin) == pytest.approx(0.5, abs=0.08)
    assert CEILING == 0.95
    assert not set(split.train.texts) & set(split.held_out.texts)


def test_held_out_labels_that_nobody_trains_on_are_counted():
    rows = [(f"text {number}", "ab"[number % 2] if number < 40 else f"rare{number}") for number in range(60)]
    split = read_labels(LabelsConfig(source="table", text=table(rows)))
    assert set(split.held_out.labels) <= set(split.names)
    unknown = 12 - len(split.held_out)
    assert unknown > 0
    assert f"whose label no training text has are left out: {unknown}." in notes_of(table(rows))
