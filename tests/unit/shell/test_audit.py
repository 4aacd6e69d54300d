"""scripts/audit.sh gives pip-audit an environment of its own, from its lock, and asks then."""

import shutil
from pathlib import Path

import pytest

from tests.unit.shell.programs import SCRIPTS, Programs

PYTHON = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
    *venv*) mkdir -p .cache/audit/bin; cp "$0" .cache/audit/bin/python ;;
    *pip*) exit "$(cat pip-ends)" ;;
    *scripts.audit) echo "$PATH" >first-on-path; exit 2 ;;
esac
"""
MADE = [
    "-m venv --clear .cache/audit",
    "-m pip install --quiet --no-deps --require-hashes --requirement scripts/audit.lock",
]
ASKED = ["-m scripts.audit"]


class Tree:
    """A checkout with little in it, and a Python that does nothing."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        (self.root / "scripts").mkdir(parents=True)
        for name in ("audit.sh", "node.sh"):
            shutil.copy(SCRIPTS / name, self.root / "scripts" / name)
        self.lock = self.root / "scripts" / "audit.lock"
        self.lock.write_text("pip-audit==1\n")
        python = self.root / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        self._calls = folder / "python-calls"
        python.write_text(PYTHON.replace('"$CALLS"', f'"{self._calls}"'))
        python.chmod(0o755)
        self.pip_ends(0)
        self.programs = Programs(folder / "bin")
        self.programs.add("node", "echo v20.19.0")
        self.programs.add("npm")

    def pip_ends(self, code: int) -> None:
        (self.root / "pip-ends").write_text(str(code))

    def run(self) -> tuple[int, list[str]]:
        """Return the exit code, and what was asked of Python."""
        done = self.programs.run(self.root / "scripts" / "audit.sh")
        calls = self._calls.read_text().splitlines() if self._calls.exists() else []
        self._calls.unlink(missing_ok=True)
        return done.returncode, calls


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_the_environment_is_made_once_for_each_lock(tree: Tree) -> None:
    assert tree.run() == (2, [*MADE, *ASKED])
    assert tree.run() == (2, ASKED)
    tree.lock.write_text("pip-audit==2\n")
    assert tree.run() == (2, [*MADE, *ASKED])


def test_its_programs_are_found_first(tree: Tree) -> None:
    tree.run()
    path = (tree.root / "first-on-path").read_text()
    assert path.startswith(f"{tree.root}/.cache/audit/bin:")


def test_what_cannot_be_installed_fails_and_is_tried_again(tree: Tree) -> None:
    tree.pip_ends(1)
    assert tree.run() == (1, MADE)
    tree.pip_ends(0)
    assert tree.run() == (2, [*MADE, *ASKED])


def test_without_node_it_fails(tree: Tree) -> None:
    tree.programs.add("node", "exit 127")
    assert tree.run() == (2, [])
