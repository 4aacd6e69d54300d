"""The steps of docs/operations.md, as tests run them: what the page says is what is executed.

A step is a fence of shell below a comment that names it, `<!-- step: backup-sqlite -->`, or
`<!-- by hand -->` for what no test runs.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from stat import S_IMODE

from tests.support.server import WAIT_SECONDS, clean_environment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"

_STEP = re.compile(r"^<!-- step: ([a-z0-9-]+) -->\n```sh\n((?:.*\n)*?)```$", re.MULTILINE)


def steps() -> dict[str, str]:
    """Return the named steps of the page."""
    return dict(_STEP.findall(PAGE.read_text()))


def walk(step: str, **variables: str) -> str:
    """Run a step with these variables and the installed `allibe`; return what it prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", steps()[step]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * WAIT_SECONDS,
        check=False,
        env=_environment(variables),
    )
    assert done.returncode == 0, f"{step}: {done.stdout}{done.stderr}"
    return done.stdout


def is_private(path: str) -> bool:
    """Tell whether only its owner may read the file."""
    return S_IMODE(Path(path).stat().st_mode) == 0o600


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    ours = str(Path(sys.executable).parent)
    path = variables.get("PATH", os.environ.get("PATH", os.defpath))
    return clean_environment(variables) | {"PATH": f"{ours}:{path}"}
