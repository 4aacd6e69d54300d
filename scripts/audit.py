"""Are there known vulnerabilities in what the locks pin? `python -m scripts.audit` (`make audit`).

pip-audit asks PyPI, npm asks its registry. Silence is no good news: a mirror may have the packages
and not the advisories. So each is asked first about a release that was vulnerable for years; who
does not know that cannot be trusted with the rest. Exit codes: 0 nothing is known, 1 something is,
2 (whatever else was found) a database could not be asked, so that nobody knows.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
PYTHON_LOCKS = ("requirements.lock", "scripts/audit.lock")
NPM_LOCKS = (
    "web/package-lock.json",
    "tests/e2e/node/package-lock.json",
    "tests/unit/deployment/crds/package-lock.json",
    "bench/peers/socketio/package-lock.json",
)

SECONDS = 300.0
"""Longest time of one question: a hundred packages, one request each."""

_PIP_AUDIT = ("pip-audit", "--strict", "--disable-pip", "--no-deps", "--progress-spinner", "off")
_NPM_AUDIT = ("npm", "audit", "--package-lock-only", "--json")
_KNOWN_PYTHON = "jinja2==2.4.1\n"  # CVE-2014-1402
_KNOWN_NPM = ("minimist", "0.0.8")  # CVE-2020-7598


class NotAsked(Exception):
    """A database gave no answer, or one that cannot be trusted; the text says which and why."""


def python_faults(lock: Path) -> list[str]:
    """Return a line for each vulnerability of a Python lock. Raises `NotAsked`."""
    report = _report([*_PIP_AUDIT, "--format", "json", "--requirement", str(lock)], lock.parent)
    packages = report.get("dependencies", ())
    if not packages or any("vulns" not in one for one in packages):
        raise NotAsked("pip-audit left packages out")
    return [
        f"{one['name']} {one['version']}: {each['id']}, "
        f"mended in {', '.join(each['fix_versions']) or 'no version'}"
        for one in packages
        for each in one["vulns"]
    ]


def npm_faults(lock: Path) -> list[str]:
    """Return a line for each vulnerable package of an npm lock. Raises `NotAsked`."""
    report = _report(_NPM_AUDIT, lock.parent)
    if "vulnerabilities" not in report:
        raise NotAsked(str(report.get("message", "npm's answer is no report")))
    return [
        f"{name}: {one['severity']}, "
        + ", ".join(via if isinstance(via, str) else via["url"] for via in one["via"])
        for name, one in report["vulnerabilities"].items()
    ]


def _report(command: Iterable[str], folder: Path) -> dict[str, Any]:
    """Return what a program says as JSON; its exit code also means that something was found."""
    words = list(command)
    try:
        done = subprocess.run(  # noqa: S603 (all words are fixed above, but for names of files)
            words, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        report = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAsked(str(error)) from error
    except ValueError as error:
        last = done.stderr.strip().rpartition("\n")[2]
        raise NotAsked(last or f"{words[0]} ends with {done.returncode}") from error
    if not isinstance(report, dict):
        raise NotAsked(f"{words[0]} does not answer with a report")
    return report


def _known_python(folder: Path) -> Path:
    lock = folder / "requirements.txt"
    lock.write_text(_KNOWN_PYTHON)
    return lock


def _known_npm(folder: Path) -> Path:
    name, version = _KNOWN_NPM
    about = {"name": "known", "version": "1.0.0", "dependencies": {name: version}}
    packages = {"": about, f"node_modules/{name}": {"version": version}}
    (folder / "package.json").write_text(json.dumps(about))
    lock = folder / "package-lock.json"
    lock.write_text(json.dumps({**about, "lockfileVersion": 3, "packages": packages}))
    return lock


Question = Callable[[Path], list[str]]


def audited(
    ask: Question, known: Callable[[Path], Path], locks: Iterable[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each lock with its faults. Raises `NotAsked`."""
    with tempfile.TemporaryDirectory() as folder:
        if not ask(known(Path(folder))):
            raise NotAsked("it knows nothing of a release that is known to be vulnerable")
    for lock in locks:
        yield lock, ask(_ROOT / lock)


def main() -> int:
    """Say what is known, and return the exit code."""
    found = asked = 0
    questions = (
        ("PyPI", python_faults, _known_python, PYTHON_LOCKS),
        ("npm", npm_faults, _known_npm, NPM_LOCKS),
    )
    for database, ask, known, locks in questions:
        left = list(locks)
        try:
            for lock, faults in audited(ask, known, locks):
                left.remove(lock)
                _say(*(f"{lock}: {fault}" for fault in faults))
                _say(f"{lock}: known vulnerabilities: {len(faults) or 'none'}")
                found += len(faults)
            asked += 1
        except NotAsked as why:
            _say(
                f"The advisory database of {database} could not be asked: {why}",
                f"So NOTHING is known about: {', '.join(left)}",
            )
    return 2 if asked < len(questions) else int(found > 0)


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
