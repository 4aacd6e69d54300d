"""Every link of every page leads somewhere, and what pages name is there. No network is asked."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from allibe_services import settings
from tests.support.pages import ROOT, anchors, code, files, links, pages

_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_LOCAL = ("127.0.0.1", "localhost")

NO_SETTINGS = {"ALLIBE_CHAOS_ROUNDS", "ALLIBE_CHAOS_SEED", "ALLIBE_FUZZ_SEED"}
"""Variables of the tests."""


def fault(page: Path, target: str) -> str | None:
    """Return what is wrong with a link of a page, None where nothing is."""
    scheme, host, path, _, anchor = urlsplit(target)
    if scheme or host:
        return None if _is_address(target) else "is no address"
    place = (page.parent / unquote(path)).resolve() if path else page
    if place not in files() and not any(place in file.parents for file in files()):
        return "is not in the repository"
    if anchor and (place.suffix != ".md" or anchor not in anchors(place)):
        return "names a heading that is not there"
    return None


def _is_address(target: str) -> bool:
    parts = urlsplit(target)
    if parts.hostname in _LOCAL:
        return parts.scheme == "http"
    return parts.scheme == "https" and _HOST.fullmatch(parts.hostname or "") is not None


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    """To a file or folder of the repository and a heading there, or to an address by its form."""
    faults = {target: wrong for target in links(page) if (wrong := fault(page, target))}
    assert not faults


@pytest.mark.parametrize(
    "target",
    [
        "docs/none.md",
        "docs",
        "../README.md",
        "README.md",
        "protocol.md#no-such-heading",
        "#no-such-heading",
        "settings.md#",
        "images/desktop.png#top",
        "http://example.com/",
        "https://example/",
        "ftp://example.com/",
        "//example.com/",
        "../../outside.md",
    ],
)
def test_a_wrong_link_is_found(target: str) -> None:
    right = {"../README.md", "settings.md#"}
    assert (fault(ROOT / "docs" / "protocol.md", target) is None) is (target in right)


def test_what_only_looks_like_a_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](b c)\n")
    with pytest.raises(ValueError, match="none"):
        links(page)


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A b: `/c/{d}`\n## [Link](x) a_b-c\n## Twice\n## Twice\n```sh\n# no\n```\n")
    assert anchors(page) == {"a-b-cd", "link-a_b-c", "twice", "twice-1"}


def test_every_page_and_picture_is_found_from_the_readme() -> None:
    """By links alone; a link to a folder leads to all that is in it."""
    shown = {file for file in files() if file.parent == ROOT / "docs" / "images"}
    wanted = {*pages(), *shown} - {ROOT / "CHANGELOG.md"}
    waiting, found = [ROOT / "README.md"], set[Path]()
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        found.add(page)
        parts = [urlsplit(target) for target in links(page)] if page.suffix == ".md" else []
        paths = [one.path for one in parts if one.path and not one.netloc]
        places = [(page.parent / path).resolve() for path in paths]
        waiting += [one for one in wanted if any(one.is_relative_to(p) for p in places)]
    assert wanted - found == set()


def test_every_setting_that_a_page_names_exists() -> None:
    known = {variable for variable, _, _ in settings.table()} | NO_SETTINGS
    known |= {f"ALLIBE_{secret.upper()}_FILE" for secret in settings.FROM_FILES}
    for page in set(pages()) - {ROOT / "CHANGELOG.md"}:
        named = set(re.findall(r"\bALLIBE_[A-Z_]+[A-Z]\b", page.read_text()))
        assert named <= known, page


def test_every_make_target_that_a_page_names_exists() -> None:
    known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in pages():
        named = re.findall(r"(?:^|[`\s])make ([a-z-]+)", "\n".join(code(page)))
        assert set(named) <= set(known), page
