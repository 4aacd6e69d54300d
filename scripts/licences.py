"""Whose code is shipped, under which licences: `python -m scripts.licences` (part of `make lint`).

Shipped is what `allibe` needs to run, and what Vite packs into the page; neither the tools that
build and test, nor the extra `traces`. It says what `docs/licences.md` has not, and which licence
is outside the list of those that may be shipped; exit code 1 then.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "licences.md"
WEB_LOCK = _ROOT / "web" / "package-lock.json"

ALLOWED = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}
)
"""What may be shipped with a program under Apache-2.0 and asks for no more than the licence's text.
MPL-2.0 asks for the sources of changed files: those under it are shipped as they come."""

_READ = {
    "aiosignal": "Apache-2.0",
    "async-timeout": "Apache-2.0",
    "prompt-toolkit": "BSD-3-Clause",
    "wcwidth": "MIT",
}
"""Read in the packages' own licence files: their metadata says it in no form that can be compared,
or they are not installed everywhere (async-timeout is for Python before 3.11.3)."""

OLDEST = {
    "python_version": "3.11",
    "python_full_version": "3.11.2",
    "sys_platform": "linux",
    "platform_system": "Linux",
}
"""Markers of the oldest Python that is supported: it needs the most. With them the page is the
same whatever Python writes it."""

_HEAD = """# Licences

What is shipped with Allibe, which itself is Apache-2.0: the packages that its processes run on, and
those that are packed into the chat page. Versions are in `requirements.lock` and
`web/package-lock.json`; [supply-chain.md](supply-chain.md) says how this list is kept true, and
what it leaves out. `make docs` writes it.

Allowed are {allowed};
`make lint` refuses any other.
"""


@dataclass(frozen=True)
class Package:
    """One that is shipped; `version` is empty where it is not installed here."""

    name: str
    version: str
    licence: str
    needs: tuple[str, ...] = ()


def python_packages(
    folders: list[str] | None = None, markers: Mapping[str, str] | None = None
) -> dict[str, Package]:
    """Return what `allibe` needs to run, and itself, by name.

    `folders` hold the packages, or `sys.path` does; `markers` replace those of this Python. Raises
    `LookupError` when one is missing, or has a licence that cannot be told.
    """
    found = metadata.distributions(path=sys.path if folders is None else folders)
    installed = {normal(one.metadata["Name"]): one for one in reversed(list(found))}
    needs: dict[str, set[str]] = {}
    waiting = [("allibe", "")]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        mine = needs.setdefault(name, set())
        for need in _needs(installed.get(name), {**(markers or {}), "extra": extra}):
            other = normal(need.name)
            mine.add(other)
            new = {(other, each) for each in ("", *need.extras)} - seen
            seen |= new
            waiting += new
    return {
        name: _package(name, installed.get(name), tuple(sorted(needs[name])))
        for name in sorted(needs)
    }


def page_packages(lock: Path = WEB_LOCK) -> dict[str, Package]:
    """Return what the page's parts need to run, by name, as the lock has it.

    That is what the page may hold; what it does hold, the build itself writes down.
    """
    packages = json.loads(lock.read_text())["packages"]
    return {
        name: Package(name, one["version"], one.get("license", ""))
        for path, one in sorted(packages.items())
        if (name := path.rpartition("node_modules/")[2]) != path
        and not one.get("dev")
        and not one.get("link")
    }


def is_allowed(licence: str) -> bool:
    """Tell whether an SPDX expression leaves a choice that may be shipped. Others are refused."""
    choices = licence.split(" OR ")
    return any(ALLOWED.issuperset(choice.split(" AND ")) for choice in choices)


def normal(name: str) -> str:
    """Return the one spelling of a Python package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def render() -> str:
    """Return docs/licences.md."""
    ours = python_packages(markers=OLDEST)
    del ours["allibe"]
    allowed = ", ".join(sorted(ALLOWED))
    return (
        _HEAD.format(allowed=allowed)
        + f"\n## Processes (PyPI)\n\n{_table(ours.values())}"
        + f"\n## The chat page (npm)\n\n{_table(page_packages().values())}"
    )


def faults() -> list[str]:
    """Return a line for each thing that is wrong."""
    shipped = [*python_packages(markers=OLDEST).values(), *page_packages().values()]
    found = [
        f"{one.name}: the licence {one.licence or '(none)'} is not one that may be shipped"
        for one in shipped
        if not is_allowed(one.licence)
    ]
    if PAGE.read_text() != render():
        found.append("docs/licences.md is not what is shipped: make docs")
    return found


def _needs(
    installed: metadata.Distribution | None, markers: dict[str, str]
) -> Iterable[Requirement]:
    for text in (installed and installed.requires) or ():
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate(markers):
            yield need


def _package(name: str, installed: metadata.Distribution | None, needs: tuple[str, ...]) -> Package:
    if installed is None:
        return Package(name, "", _licence(name, {}), needs)
    said = {key: installed.metadata[key] for key in ("License-Expression", "License")}
    return Package(name, installed.version, _licence(name, said), needs)


def _licence(name: str, said: Mapping[str, str | None]) -> str:
    """Return the SPDX expression (PEP 639); the older field counts where it is an id."""
    if expression := said.get("License-Expression"):
        return expression
    if name in _READ:
        return _READ[name]
    older = said.get("License")
    if older and re.fullmatch(r"[A-Za-z0-9.+-]+", older):
        return older
    raise LookupError(f"{name}: is it installed? If so, read its licence, and say it in _READ")


def _table(packages: Iterable[Package]) -> str:
    rows = "".join(f"| {one.name} | {one.licence} |\n" for one in packages)
    return f"| package | licence |\n| --- | --- |\n{rows}"


if __name__ == "__main__":
    if wrong := faults():
        sys.exit("\n".join(wrong))
