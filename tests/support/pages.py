"""The repository's Markdown, as far as tests look at it: links, anchors, fenced blocks."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\S*) ?(.*)\n((?:(?!```).*\n)*)```$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_ADDRESS = re.compile(r"<([a-z]+:[^<>\s]+)>")
_HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.MULTILINE)


class Fence(msgspec.Struct, frozen=True):
    """A fenced block. `note` is what stands behind the language: readers do not see it."""

    page: Path
    line: int
    language: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def files() -> frozenset[Path]:
    """Return every file that is in the repository, or would be with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return frozenset(file for name in listed.split("\0") if (file := ROOT / name).is_file())


def pages() -> list[Path]:
    """Return all pages, in the order of their names."""
    return sorted(file for file in files() if file.suffix == ".md")


@cache
def fences(page: Path) -> list[Fence]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text()
    return [
        Fence(page, text.count("\n", 0, found.start()) + 1, *found.groups())
        for found in _FENCE.finditer(text)
    ]


@cache
def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def code(page: Path) -> Iterator[str]:
    """Yield what a page shows as code, within lines and in fenced blocks."""
    yield from (found[0] for found in _CODE.finditer(prose(page)))
    yield from (fence.text for fence in fences(page))


@cache
def links(page: Path) -> list[str]:
    """Return where the links and pictures of a page lead.

    Raises `ValueError` for what looks like one and is none, as with a blank in it.
    """
    text = _CODE.sub("code", prose(page))
    found = _LINK.findall(text)
    if len(found) != text.count("]("):
        raise ValueError(f"{page} has a link that is none")
    return [*found, *_ADDRESS.findall(text)]


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    seen: Counter[str] = Counter()
    found = set()
    for title in _HEADING.findall(prose(page)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found
