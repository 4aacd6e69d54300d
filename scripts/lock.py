"""Write requirements.lock, and scripts/audit.lock: every version with its hashes.

The running system first, one resolution in one file. All above the line `# development` is what
the product runs on (`scripts/setup.sh` stops reading there unless it is asked for the tools), the
rest is for tests. What `make audit` runs has a lock and an environment of its own, so that nothing
else waits for its packages.
Needs uv on the PATH; `make lock` installs it. No index address goes into the file.
"""

import re
import subprocess
from pathlib import Path

LOCK = Path("requirements.lock")
AUDIT_LOCK = Path("scripts", "audit.lock")
AUDIT = "pip-audit>=2.10\n"
DIVIDER = "# development: what tests and checks need on top; scripts/setup.sh reads it on request\n"
COMPILE = [
    "uv",
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
]


def compiled(source: str, *options: str, given: str | None = None) -> list[str]:
    """Return the pinned requirements, one string each, hashes included; of `given` for `-`."""
    command = [*COMPILE, source, *options]
    # The command is fixed above; nothing from outside goes into it.
    text = subprocess.run(command, check=True, input=given, capture_output=True, text=True).stdout  # noqa: S603
    return [block.strip() + "\n" for block in re.split(r"\n(?=\S)", text) if "==" in block]


def main() -> None:
    runtime = compiled("pyproject.toml", "--extra", "build")
    LOCK.write_text("".join(runtime))
    everything = compiled(
        "pyproject.toml", "--extra", "build", "--extra", "dev", "--constraints", str(LOCK)
    )
    development = [block for block in everything if block not in runtime]
    if len(everything) != len(runtime) + len(development):
        raise SystemExit("lock: the development tools move a version of the running system")
    LOCK.write_text("".join([*runtime, DIVIDER, *development]))
    AUDIT_LOCK.write_text("".join(compiled("-", given=AUDIT)))


if __name__ == "__main__":
    main()
