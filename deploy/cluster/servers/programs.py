"""Where the servers' programs are, and what to say when they are not."""

import shutil
import subprocess
from pathlib import Path

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/lib/rabbitmq/bin", "/usr/sbin", "/usr/bin")
"""Looked at before PATH, which has Debian's wrappers: of psql and postgres, a slow Perl program;
of rabbitmq-server, one that insists on the user rabbitmq. It also lacks /usr/sbin for most users.
"""

RUN_SECONDS = 60.0
"""For a program that ends by itself, on a machine that is overloaded."""


class ProgramMissing(RuntimeError):
    """A program is not installed. Its text is one line that says what to do."""


def find_program(name: str) -> str:
    """Return the path of a program; of the newest, where there are several."""
    for folder in _FOLDERS:
        for path in sorted(Path("/").glob(f"{folder.lstrip('/')}/{name}"), reverse=True):
            return str(path)
    if found := shutil.which(name):
        return found
    raise ProgramMissing(f"{name} is missing: run scripts/servers.sh")


def run(
    command: list[str],
    *,
    environment: dict[str, str],
    cwd: Path | None = None,
    text: str = "",
    timeout: float = RUN_SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, with `text` as its input."""
    return subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
        cwd=cwd,
    )
