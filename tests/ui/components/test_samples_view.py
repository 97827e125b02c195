"""What the samples view sends."""

import json
import re

from tests.e2e.components.test_payload import decode
from tests.helpers import synthetic
from ui.components.samples_view import encode_samples, samples_module, samples_view_labels


def test_every_kind_is_sent_but_a_spectrum() -> None:
    header, _ = decode(encode_samples(synthetic.samples(3)))
    assert [entry["step"] for entry in header["entries"]] == [100, 200, 300]
    assert [sample["kind"] for sample in header["entries"][0]["samples"]] == ["text", "answer", "answer", "masked"]
    assert header["entries"][1]["samples"][3]["masked"][0]["guesses"][1] == ["cat", 0.22]


def test_entries_with_nothing_to_read_are_left_out() -> None:
    spectrum = [{"step": 1, "samples": [{"kind": "spectrum", "power": [1.0]}, {"kind": "later"}]}]
    assert decode(encode_samples(spectrum))[0]["entries"] == []


def test_many_entries_are_thinned_with_both_ends_kept() -> None:
    data = encode_samples(synthetic.samples(300), budget=50_000)
    steps = [entry["step"] for entry in decode(data)[0]["entries"]]
    assert len(data) < 52_000
    assert (steps[0], steps[-1]) == (100, 30_000)
    assert len(steps) > 20


def test_a_long_text_is_cut() -> None:
    entry = {"step": 1, "samples": [{"kind": "text", "prompt": "p", "text": "x" * 100_000}]}
    text = decode(encode_samples([entry]))[0]["entries"][0]["samples"][0]["text"]
    assert len(text) == 4_001
    assert text.endswith("…")


def test_what_a_task_writes_is_what_is_read() -> None:
    from dataclasses import asdict

    from playground.tasks.task import AnswerSample, MaskedSample, MaskedWord, TextSample

    masked = MaskedSample(tokens=("a", "b"), masked=(MaskedWord(position=1, right="b", guesses=(("c", 0.5),)),))
    written = [
        TextSample(prompt="p", text="t"),
        AnswerSample(question="q", answer="a", right="r", is_right=False),
        masked,
    ]
    line = json.loads(json.dumps({"step": 5, "samples": [asdict(sample) for sample in written]}))
    (entry,) = decode(encode_samples([line]))[0]["entries"]
    assert [sample["kind"] for sample in entry["samples"]] == ["text", "answer", "masked"]
    assert entry["samples"][1] == {"kind": "answer", "question": "q", "answer": "a", "right": "r", "isRight": False}


def test_every_label_in_the_module_exists() -> None:
    module = samples_module()
    assert set(re.findall(r"\blabels\.(\w+)", module)) <= set(samples_view_labels())
    assert "innerHTML" not in module
