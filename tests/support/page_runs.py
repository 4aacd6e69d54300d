"""Runs a page as a newcomer would: its blocks in order, in one shell, beside a running server.

- A block in `sh` is run. One in `json` or `text` right behind it is what it prints; `…` there
  stands for what differs each time.
- A block in `js` with the note `name.mjs` is saved under that name, for the shell to run.

The shell's folder looks like the repository after `make run`: it has `.data` and `.venv`, and the
packages that `npm install` would have brought. `make` and `npm` do nothing there but complain of
targets and packages that are not there; the address of `make run` is replaced by the server's.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.node import NODE
from tests.support.pages import ROOT, Fence, fences
from tests.support.server import Server

SHOWN_ADDRESS = "127.0.0.1:8080"

SECONDS = 50.0
"""For all of a page, which takes three on a machine that is not overloaded."""

_STUBS = {
    "make": f'exec /usr/bin/make --directory {ROOT} --dry-run "$@" >/dev/null',
    "npm": f"""
        [ "$1" = install ] || exit 1
        for name in "${{@:2}}"; do
          [ -d "{NODE}/node_modules/$name" ] || {{ echo "no package $name" >&2; exit 1; }}
        done""",
}
_END = "__END_OF_FILE__"


class PageRun:
    """One page in a folder of its own. `outputs` has what each shell block printed."""

    def __init__(self, page: Path, server: Server, folder: Path) -> None:
        self.folder = folder
        self._blocks = fences(page)
        self._address = f"127.0.0.1:{server.port}"
        self._furnish(server)
        self.outputs = self._run()

    @property
    def shown(self) -> list[tuple[Fence, str]]:
        """What the page shows as printed, with what was."""
        printed, found = iter(self.outputs), []
        output = ""
        for before, block in zip([None, *self._blocks], self._blocks, strict=False):
            if block.language == "sh":
                output = next(printed)
            elif before is not None and before.language == "sh" and _is_output(block):
                found.append((block, output))
        return found

    @property
    def environment(self) -> dict[str, str]:
        """What programs of the page are run with."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ALLIBE_")}
        return kept | {"PATH": f"{self.folder / 'stubs'}:{os.environ['PATH']}", "NO_PROXY": "*"}

    def _furnish(self, server: Server) -> None:
        (self.folder / "stubs").mkdir(parents=True)
        for name, script in _STUBS.items():
            stub = self.folder / "stubs" / name
            stub.write_text(f"#!/bin/bash\n{script}\n")
            stub.chmod(0o755)
        (self.folder / "node_modules").symlink_to(NODE / "node_modules")
        (self.folder / ".data").symlink_to(server.data)
        (self.folder / ".venv").symlink_to(Path(sys.prefix))

    def _run(self) -> list[str]:
        script = "set -euo pipefail\n" + "".join(map(self._step, self._blocks))
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        *outputs, rest = done.stdout.split("\0")
        if done.returncode:
            shells = [block for block in self._blocks if block.language == "sh"]
            raise AssertionError(f"{shells[len(outputs)]} fails: {rest}{done.stderr}")
        return outputs

    def _step(self, block: Fence) -> str:
        text = block.text.replace(SHOWN_ADDRESS, self._address)
        if block.language == "sh":
            return f"{text}\nprintf '\\0'\n"
        if block.note.endswith(".mjs"):
            return f"cat > {block.note} <<'{_END}'\n{text}{_END}\n"
        return ""


def _is_output(block: Fence) -> bool:
    return block.language in ("json", "text")


def like(shown: object, came: object) -> bool:
    """Tell whether what came is what is shown; `…` within a text stands for any text."""
    if isinstance(shown, dict) and isinstance(came, dict):
        return list(shown) == list(came) and all(like(shown[key], came[key]) for key in shown)
    if isinstance(shown, list) and isinstance(came, list):
        return len(shown) == len(came) and all(map(like, shown, came))
    if isinstance(shown, str) and isinstance(came, str):
        return re.fullmatch(re.escape(shown).replace("…", ".+"), came, re.DOTALL) is not None
    return type(shown) is type(came) and shown == came


def is_printed(block: Fence, output: str) -> bool:
    """Tell whether a block shows what was printed."""
    if block.language == "text":
        return like(block.text.rstrip("\n"), output.rstrip("\n"))
    return like(json.loads(block.text), json.loads(output))
