"""What is shipped is listed, and under a licence that may be shipped."""

import json
import re
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest

from allibe_rooms_api import chat_page
from scripts import licences, sbom

ROOT = Path(__file__).resolve().parents[3]
BUILDERS = {
    "editables",
    "hatchling",
    "packaging",
    "pathspec",
    "pluggy",
    "setuptools",
    "tomlkit",
    "trove-classifiers",
}
"""In the lock's first part, to build `allibe` and http-ece, and not in the image."""


def distribution(folder: Path, name: str, *lines: str) -> None:
    """Put a package without code into a folder."""
    place = folder / f"{name}-1.0.dist-info"
    place.mkdir()
    head = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
    (place / "METADATA").write_text(head + "".join(f"{line}\n" for line in lines))


def test_nothing_is_wrong() -> None:
    assert licences.faults() == []


def test_the_list_is_what_the_lock_installs_to_run() -> None:
    lock = (ROOT / "requirements.lock").read_text().partition("# development")[0]
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))
    listed = set(licences.python_packages(markers=licences.OLDEST)) - {"allibe"}
    assert pinned - listed == BUILDERS
    assert listed <= pinned


@pytest.mark.usefixtures("built_page")
def test_the_page_holds_what_is_listed() -> None:
    """By the list that Vite writes when it packs the page (`make page`)."""
    built = sbom.page_list((chat_page.FOLDER / "licences.json").read_text())
    assert {one.name: one for one in built} == licences.page_packages()


@pytest.mark.usefixtures("built_page")
def test_the_page_brings_the_texts_of_the_licences() -> None:
    """As they ask for: rooms-api serves the file beside the page."""
    for one in json.loads((chat_page.FOLDER / "licences.json").read_text()):
        assert "ermission" in one["text"]


@pytest.mark.parametrize(
    "licence", ["MIT", "Apache-2.0 AND MIT", "GPL-3.0-only OR MIT", "MIT AND PSF-2.0 OR GPL-2.0"]
)
def test_a_licence_that_leaves_a_choice_may_be_shipped(licence: str) -> None:
    assert licences.is_allowed(licence)


@pytest.mark.parametrize(
    "licence", ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "mit", "(MIT OR X)", "NOASSERTION"]
)
def test_any_other_may_not(licence: str) -> None:
    assert not licences.is_allowed(licence)


def test_a_licence_outside_the_list_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "ALLOWED", licences.ALLOWED - {"MPL-2.0"})
    said = "\n".join(licences.faults())
    assert "certifi: the licence MPL-2.0 is not one that may be shipped" in said
    assert "docs/licences.md is not what is shipped: make docs" in said


def test_needs_are_followed_with_extras_and_markers(tmp_path: Path) -> None:
    distribution(
        tmp_path,
        "allibe",
        "License-Expression: Apache-2.0",
        "Requires-Dist: A_b[more]",
        "Requires-Dist: tool; extra == 'dev'",
        "Requires-Dist: old; python_version < '3'",
    )
    distribution(tmp_path, "a.B", "License: MIT", "Requires-Dist: c; extra == 'more'")
    distribution(tmp_path, "c", "License-Expression: 0BSD", "Requires-Dist: allibe")
    found = licences.python_packages([str(tmp_path)])
    assert {name: (one.licence, one.needs) for name, one in found.items()} == {
        "allibe": ("Apache-2.0", ("a-b",)),
        "a-b": ("MIT", ("c",)),
        "c": ("0BSD", ("allibe",)),
    }


@pytest.mark.parametrize("line", ["License: see the file", "Classifier: Topic :: Chat"])
def test_a_licence_that_cannot_be_told_is_an_error(tmp_path: Path, line: str) -> None:
    distribution(tmp_path, "allibe", line)
    with pytest.raises(LookupError, match="allibe: "):
        licences.python_packages([str(tmp_path)])


def test_what_is_not_installed_is_an_error(tmp_path: Path) -> None:
    distribution(tmp_path, "allibe", "License: MIT", "Requires-Dist: gone")
    with pytest.raises(LookupError, match="gone: "):
        licences.python_packages([str(tmp_path)])


def test_what_was_read_by_hand_is_still_said_in_no_better_form() -> None:
    for name in licences._READ.keys() - {"async-timeout"}:
        said = metadata.metadata(name)
        assert isinstance(said, Message)
        assert said["License-Expression"] is None, name
