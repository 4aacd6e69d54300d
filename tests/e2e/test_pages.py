"""README.md, docs/tutorial.md and docs/http.md, run block by block against a real server."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.page_runs import PageRun, is_printed, like
from tests.support.pages import ROOT, Fence
from tests.support.server import Server, running

pytestmark = pytest.mark.usefixtures("node_packages")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all pages: each makes rooms of its own, or reads only what it has caused."""
    with running(tmp_path_factory.mktemp("pages")) as server:
        yield server


@pytest.mark.parametrize("name", ["tutorial", "http"])
def test_what_a_page_says_is_printed(name: str, shop: Server, tmp_path: Path) -> None:
    """Every `sh` block runs without an error, and prints what the page shows behind it."""
    run = PageRun(ROOT / "docs" / f"{name}.md", shop, tmp_path)
    assert not _left_in_the_checkout(run.folder)
    assert len(run.shown) > 5
    for block, output in run.shown:
        assert is_printed(block, output), f"{block} shows\n{block.text}\nbut this came:\n{output}"


def _left_in_the_checkout(folder: Path) -> set[str]:
    """What git would call untracked."""
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    return {path.name for path in folder.iterdir()} - ignored - {"stubs"}


def test_the_first_messages_of_the_readme_are_seen(shop: Server, tmp_path: Path) -> None:
    """The one over HTTP in the list of rooms, the one over STOMP by who sent it."""
    run = PageRun(ROOT / "README.md", shop, tmp_path)
    assert '"lastMessage":"Hello!"' in run.outputs[-1]
    command = ["node", "hello.mjs"]
    with subprocess.Popen(
        command, cwd=run.folder, env=run.environment, stdout=subprocess.PIPE, text=True
    ) as node:
        assert node.stdout is not None
        try:
            assert any("sender: 'alice'" in line for line in node.stdout)
        finally:
            node.kill()


@pytest.mark.parametrize(
    ("shown", "came", "same"),
    [
        ({"a": "01…", "b": [1]}, {"a": "0193", "b": [1]}, True),
        ({"a": "…"}, {"a": "x", "b": 1}, False),
        ({"a": "…"}, {"a": ""}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ([1], [1, 2], False),
        ("a (b)…", "a (b) c", True),
        ("a.", "ab", False),
    ],
)
def test_what_is_printed_is_compared_to_the_letter(shown: object, came: object, same: bool) -> None:
    """But for `…`."""
    assert like(shown, came) is same


def test_text_is_compared_line_by_line() -> None:
    block = Fence(ROOT / "README.md", 1, "text", "", "alice: one\nbob: …\n")
    assert is_printed(block, "alice: one\nbob: two\n")
    assert not is_printed(block, "alice: one\n")
