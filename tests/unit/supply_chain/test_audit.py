"""`make audit` says what is known, and never takes silence for good news."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import audit

ROOT = Path(__file__).resolve().parents[3]


class Programs:
    """A pip-audit and an npm that answer as they are told, about the known release and the rest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def answer(self, name: str, *, known: str, rest: str, mark: str, ends: int = 1) -> None:
        """Let a program print `known` where it is asked in a folder with `mark`, else `rest`."""
        for kind, text in (("known", known), ("rest", rest)):
            (self._folder / f"{name}.{kind}").write_text(text)
        path = self._folder / name
        path.write_text(
            f"#!/bin/sh\nif {mark}; then kind=known; else kind=rest; fi\n"
            f'cat "{self._folder}/{name}.$kind"; echo "log of {name}" >&2; exit {ends}\n'
        )
        path.chmod(0o755)

    def pip_audit(self, known: str, rest: str) -> None:
        self.answer("pip-audit", known=known, rest=rest, mark="test -e requirements.txt")

    def npm(self, known: str, rest: str) -> None:
        self.answer("npm", known=known, rest=rest, mark="grep -q minimist package-lock.json")

    def run(self) -> tuple[int, list[str]]:
        """Return exit code and lines of an audit."""
        done = subprocess.run(
            [sys.executable, "-m", "scripts.audit"],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{self._folder}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()


def python(*faults: tuple[str, list[str]]) -> str:
    """Return a report of pip-audit on one package."""
    vulns = [{"id": name, "fix_versions": mended} for name, mended in faults]
    return json.dumps({"dependencies": [{"name": "x", "version": "1", "vulns": vulns}]})


def npm(*via: object) -> str:
    """Return a report of npm on one package, or none."""
    found = {"y": {"severity": "high", "via": via}} if via else {}
    return json.dumps({"auditReportVersion": 2, "vulnerabilities": found})


KNOWN = python(("PYSEC-2014-8", ["2.7.2"]))
KNOWN_NPM = npm({"url": "https://advisories.test/1"})
REFUSED = json.dumps({"message": "405 Method Not Allowed"})


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    made = Programs(tmp_path)
    made.pip_audit(KNOWN, python())
    made.npm(KNOWN_NPM, npm())
    return made


def test_where_nothing_is_known_each_lock_says_so(programs: Programs) -> None:
    code, lines = programs.run()
    locks = [*audit.PYTHON_LOCKS, *audit.NPM_LOCKS]
    assert (code, lines) == (0, [f"{lock}: known vulnerabilities: none" for lock in locks])


def test_what_is_known_of_a_python_package_is_said(programs: Programs) -> None:
    programs.pip_audit(KNOWN, python(("PYSEC-1", ["2", "3"]), ("PYSEC-2", [])))
    code, lines = programs.run()
    assert code == 1
    assert "requirements.lock: x 1: PYSEC-1, mended in 2, 3" in lines
    assert "requirements.lock: x 1: PYSEC-2, mended in no version" in lines
    assert "requirements.lock: known vulnerabilities: 2" in lines


def test_what_is_known_of_an_npm_package_is_said(programs: Programs) -> None:
    programs.npm(KNOWN_NPM, npm({"url": "https://advisories.test/2"}, "z"))
    code, lines = programs.run()
    assert code == 1
    assert "web/package-lock.json: y: high, https://advisories.test/2, z" in lines


@pytest.mark.parametrize(
    ("known", "rest", "why"),
    [
        ("", "", "log of pip-audit"),
        (python(), python(), "it knows nothing of a release that is known to be vulnerable"),
        (KNOWN, '{"dependencies": []}', "pip-audit left packages out"),
        (
            KNOWN,
            '{"dependencies": [{"name": "x", "skip_reason": "not on PyPI"}]}',
            "pip-audit left packages out",
        ),
        ("[]", "[]", "pip-audit does not answer with a report"),
    ],
)
def test_an_index_that_cannot_be_asked_fails_the_audit(
    programs: Programs, known: str, rest: str, why: str
) -> None:
    programs.pip_audit(known, rest)
    code, lines = programs.run()
    assert code == 2
    assert lines[:2] == [
        f"The advisory database of PyPI could not be asked: {why}",
        f"So NOTHING is known about: {', '.join(audit.PYTHON_LOCKS)}",
    ]
    assert "web/package-lock.json: known vulnerabilities: none" in lines


@pytest.mark.parametrize(
    ("known", "rest", "why"),
    [
        (REFUSED, REFUSED, "405 Method Not Allowed"),
        (KNOWN_NPM, REFUSED, "405 Method Not Allowed"),
        (npm(), npm(), "it knows nothing of a release that is known to be vulnerable"),
        ("{}", "{}", "npm's answer is no report"),
    ],
)
def test_a_registry_that_cannot_be_asked_fails_the_audit(
    programs: Programs, known: str, rest: str, why: str
) -> None:
    programs.npm(known, rest)
    code, lines = programs.run()
    assert code == 2
    assert lines[-2:] == [
        f"The advisory database of npm could not be asked: {why}",
        f"So NOTHING is known about: {', '.join(audit.NPM_LOCKS)}",
    ]


def test_a_program_that_is_missing_fails_the_audit(tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    programs.npm(KNOWN_NPM, npm())
    code, lines = programs.run()
    assert code == 2
    assert "pip-audit" in lines[0]
