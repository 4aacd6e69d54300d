"""Programs of the tests' own, found before those of the machine."""

import os
import shutil
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


class Programs:
    """A folder of programs, and runs of scripts that see these first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._calls = folder / "calls"
        self._path = f"{folder}:{os.environ['PATH']}"
        folder.mkdir()

    def add(self, name: str, body: str = "") -> None:
        """Add a program: a shell script. Each call is kept."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self._calls}\n{body}\n')
        path.chmod(0o755)

    def hide_all_others_but(self, *names: str) -> None:
        """Let scripts see nothing of the machine but these."""
        for name in names:
            found = shutil.which(name)
            assert found is not None, name
            (self.folder / name).symlink_to(found)
        self._path = str(self.folder)

    def calls(self) -> list[str]:
        """Return the calls since this was asked last."""
        if not self._calls.exists():
            return []
        calls = self._calls.read_text().splitlines()
        self._calls.unlink()
        return calls

    def run(self, script: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a script to its end."""
        return ended(self.start(script, *arguments))

    def start(self, script: Path, *arguments: str) -> "subprocess.Popen[str]":
        """Start a script."""
        return subprocess.Popen(
            [script, *arguments],
            env=os.environ | {"PATH": self._path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ended(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    """Wait for the end of a script."""
    out, errors = process.communicate(timeout=30)
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)
