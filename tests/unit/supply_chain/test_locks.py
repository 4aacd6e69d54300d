"""Whatever is downloaded is pinned with a hash, and no lock says where from."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts import audit

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", audit.PYTHON_LOCKS)
def test_every_python_package_has_one_version_and_its_hashes(name: str) -> None:
    text = re.sub(r"^#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    requirements = text.replace("\\\n", "").splitlines()
    assert len(requirements) > 20
    for line in requirements:
        assert re.match(r"[a-z0-9.-]+==[\w.]+ ( ?;[^#]*?)?(   *--hash=sha256:[0-9a-f]{64})+$", line)


@pytest.mark.parametrize("name", audit.NPM_LOCKS)
def test_every_npm_package_has_one_version_and_its_hash(name: str) -> None:
    """But for those that come inside another, whose hash is theirs, and our own."""
    packages = json.loads((ROOT / name).read_text())["packages"]
    foreign = [one for path, one in packages.items() if "node_modules/" in path]
    downloaded = [one for one in foreign if not (one.get("link") or one.get("inBundle"))]
    assert len(downloaded) > 5
    for one in downloaded:
        assert one["version"]
        assert one["integrity"].startswith("sha512-")
        assert "resolved" not in one


def test_no_lock_is_forgotten_by_the_audit() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "*.lock", "*package-lock.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert sorted(tracked) == sorted([*audit.PYTHON_LOCKS, *audit.NPM_LOCKS])


def test_every_image_that_has_no_digest_is_named_with_how_to_pin_it() -> None:
    places = [ROOT / "deploy" / "Dockerfile", ROOT / "deploy" / "compose.yaml"]
    places += sorted((ROOT / "k8s").rglob("*.yaml"))
    pattern = r"^(?:# syntax=| *-? *image(?:Name)?: |ARG \w+_IMAGE=)(\S+)$"
    images = {
        image
        for place in places
        for image in re.findall(pattern, place.read_text(), flags=re.MULTILINE)
        if "@sha256:" not in image
    }
    page = (ROOT / "docs" / "supply-chain.md").read_text()
    table = page.partition("| image | named in |")[2].partition("\n\n")[0]
    named = re.findall(
        r"`([^`]+)`", "\n".join(line.split("|")[1] for line in table.splitlines()[2:])
    )
    assert images == set(named)
