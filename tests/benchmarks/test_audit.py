"""The audit of the pinned packages: a hole is one, and silence is no good news."""

import subprocess

import pytest

from benchmarks import audit

SOUND = {"name": "sound", "version": "1.0", "vulns": []}
HOLED = {"name": "holed", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNASKED = {"name": "unasked", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "status", "sentence"),
    [
        ([SOUND], 0, "1 packages audited, 0 known holes."),
        ([SOUND, HOLED], 1, "holed 2.0: PYSEC-1, fixed in 2.1"),
        ([SOUND, UNASKED], 2, "1 of 2 packages could not be audited, unasked first."),
        ([HOLED, UNASKED], 1, "run this where https://pypi.org answers."),
        ([], 2, "0 of 0 packages could not be audited."),
    ],
)
def test_the_verdict(packages, status, sentence):
    code, said = audit.verdict("requirements.txt", packages)
    assert code == status
    assert sentence in "\n".join(said)


@pytest.mark.parametrize(
    ("stdout", "stderr", "sentence"),
    [("", "ERROR:Failed to connect", "gave no answer (ERROR:Failed to connect)"), ("[", "", "no reason given")],
)
def test_no_answer_is_said(monkeypatch, capsys, stdout, stderr, sentence):
    answer = subprocess.CompletedProcess([], 1, stdout=stdout, stderr=stderr)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_args, **_options: answer)
    assert audit.main() == 2
    assert sentence in capsys.readouterr().out


def test_a_missing_tool_is_said(monkeypatch, capsys):
    def missing(*_args, **_options):
        raise FileNotFoundError

    monkeypatch.setattr(audit.subprocess, "run", missing)
    assert audit.main() == 2
    assert "pip install pip-audit" in capsys.readouterr().out
