"""The page of `serve --demo`: served as it should be, and kept to what it promises.

What it does in a browser was looked at by hand; what can go wrong unnoticed is checked here.
"""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from allibe_services.contracts.disconnects import NORMAL, TABLE
from tests.support.server import WAIT_SECONDS, Server

_open = build_opener(ProxyHandler({})).open


@pytest.fixture
def page(server: Server) -> str:
    return server.get("/")


def _script(page: str) -> str:
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert isinstance(script, str)
    return script


def _codes(page: str, name: str) -> set[int]:
    found = re.search(rf"{name} = new Set\(\[([0-9, ]+)\]\)", page)
    assert found is not None
    return set(map(int, found[1].split(",")))


def test_the_page_is_served_as_html_and_asked_for_anew_each_time(server: Server) -> None:
    with _open(server.url, timeout=WAIT_SECONDS) as answer:
        assert answer.status == 200
        assert answer.headers.get_content_type() == "text/html"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "<title>Allibe demo</title>" in answer.read().decode()


def test_it_needs_nothing_from_elsewhere(page: str) -> None:
    """It works without the internet, on any port, over http and https."""
    assert not re.findall(r"(?:https?|wss?):?//[^\s\"'`$]", page)
    assert not re.findall(r"""\s(?:src|srcset)=|@import|url\(|\bimport\b""", page)
    assert re.findall(r'<link [^>]*href="([^"]*)"', page) == ["data:,"]
    assert "default-src 'none'" in page


def test_what_people_write_is_never_markup(page: str) -> None:
    script = _script(page)
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert dangerous not in script
    assert "textContent" in script


def test_it_can_be_used_with_a_screen_reader_and_an_input_method(page: str) -> None:
    assert '<html lang="en">' in page
    assert '<meta charset="utf-8">' in page
    assert re.search(r'<div id="log" role="log" aria-label="\w+"', page)
    assert '<label class="hidden-label" for="text">' in page
    assert "event.isComposing" in _script(page)


def test_its_close_codes_are_those_of_the_table(page: str) -> None:
    assert _codes(page, "FINAL") == {one.code for one in TABLE if not one.reconnect}
    assert _codes(page, "NEW_TOKEN") == {one.code for one in TABLE if one.new_token}
    waits = re.search(r"WAIT = \{([^}]*)\}", page)
    assert waits is not None
    told = {int(code): int(ms) for code, ms in re.findall(r"(\d+): (\d+)", waits[1])}
    assert told == {one.code: one.delay_ms for one in TABLE if one.delay_ms}
    assert NORMAL.code in _codes(page, "FINAL")


def test_its_script_is_one_that_an_engine_can_read(page: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    script = tmp_path / "page.js"
    script.write_text(_script(page))
    checked = subprocess.run(
        [node, "--check", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert checked.returncode == 0, checked.stderr
