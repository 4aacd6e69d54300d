"""Write requirements.lock: every version with its hashes, the running system first.

One resolution in one file. All above the line `# development` is what the product runs on
(`scripts/setup.sh` stops reading there unless it is asked for the tools), the rest is for tests.
Needs uv on the PATH; `make lock` installs it. No index address goes into the file.
"""

import re
import subprocess
from pathlib import Path

LOCK = Path("requirements.lock")
DIVIDER = "# development: what tests and checks need on top; scripts/setup.sh reads it on request\n"
COMPILE = [
    "uv",
    "pip",
    "compile",
    "pyproject.toml",
    "--quiet",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
]


def compiled(*options: str) -> list[str]:
    """Return the pinned requirements, one string each, hashes included."""
    # The command is fixed above; nothing from outside goes into it.
    text = subprocess.run([*COMPILE, *options], check=True, capture_output=True, text=True).stdout  # noqa: S603
    return [block.strip() + "\n" for block in re.split(r"\n(?=\S)", text) if "==" in block]


def main() -> None:
    runtime = compiled("--extra", "build")
    LOCK.write_text("".join(runtime))
    everything = compiled("--extra", "build", "--extra", "dev", "--constraints", str(LOCK))
    development = [block for block in everything if block not in runtime]
    if len(everything) != len(runtime) + len(development):
        raise SystemExit("lock: the development tools move a version of the running system")
    LOCK.write_text("".join([*runtime, DIVIDER, *development]))


if __name__ == "__main__":
    main()
