"""Files that only we can read: passwords, and configurations that hold one."""

import secrets
from contextlib import suppress
from pathlib import Path


def secret(path: Path) -> str:
    """Return the password in a file, which is made on first use."""
    if not path.exists():
        draft = write_private(path.with_name(f"{path.name}.{secrets.token_hex(4)}"), _random())
        with suppress(FileExistsError):
            path.hardlink_to(draft)  # of several that make it at once, one wins
        draft.unlink()
    return path.read_text()


def write_private(path: Path, text: str) -> Path:
    """Write a file, which nobody else can read at any time; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _random() -> str:
    return secrets.token_hex(24)
