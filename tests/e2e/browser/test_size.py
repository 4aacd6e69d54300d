"""How much the page makes a browser load before it can be used."""

import gzip
import re
from pathlib import Path

import pytest

import allibe_rooms_api

PAGE = Path(allibe_rooms_api.__file__).with_name("page")
MOST_KIB = 120


@pytest.mark.usefixtures("built_page")
def test_scripts_and_styles_are_at_most_120_kib_compressed() -> None:
    """All that the page names, and what those scripts name in turn."""
    wanted = re.findall(r'(?:src|href)="/(assets/[^"]+\.(?:js|css))"', _text("index.html"))
    assert {Path(name).suffix for name in wanted} == {".js", ".css"}
    sizes: dict[str, int] = {}
    while wanted:
        name = wanted.pop()
        if name in sizes:
            continue
        text = _text(name)
        sizes[name] = len(gzip.compress(text.encode(), 9))
        wanted += [f"assets/{found}" for found in _REFERENCE.findall(text)]
    total = sum(sizes.values()) / 1024
    print(f"page: {total:.1f} KiB of {MOST_KIB}: {sizes}")
    assert total <= MOST_KIB
    left_out = {f"assets/{file.name}" for file in PAGE.glob("assets/*.[jc]s*")} - set(sizes)
    assert not [name for name in left_out if not name.endswith((".gz", ".map"))]


_REFERENCE = re.compile(r"""["'`](?:\./|/?assets/)?([\w-]+-[\w-]{8}\.(?:js|css))["'`]""")


def _text(name: str) -> str:
    return (PAGE / name).read_text()
