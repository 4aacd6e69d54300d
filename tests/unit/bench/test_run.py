"""The benchmark's command line: what is refused before anything is measured, and what is shown."""

from pathlib import Path
from typing import Any

import pytest

from bench import choice, run
from bench.scenarios import Measurement, Scenario, Setting

FAKE = Scenario(
    name="fake", title="A fake", unit="ms", target=2.0, more_is_better=False, command="load"
)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of what is measured from now on; only a fake is there."""
    found: list[str] = []

    def measure(self: Scenario, setting: Setting) -> Measurement:
        found.append(self.name)
        return Measurement(1.0)

    monkeypatch.setattr(Scenario, "measure", measure)
    monkeypatch.setattr(choice, "ALL", (FAKE,))
    monkeypatch.setattr(run, "load_generator", lambda: Path("load"))
    monkeypatch.setattr(run, "raise_open_files", lambda: None)
    return found


def bench(*words: Any) -> int:
    return run.main(["--scenario", "fake", *map(str, words)])


@pytest.mark.parametrize("count", ["0", "-1"])
def test_it_is_measured_once_at_least(
    count: str, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("--repeat", count) == 1
    assert capsys.readouterr().out == f"bench: --repeat {count}: once is the least\n"
    assert not measured


def unwritable(folder: Path) -> list[Path]:
    (folder / "noise").write_bytes(b"\xff\xfe")
    (folder / "loop").symlink_to("loop")
    names = [".", "missing/table.md", "noise", "noise/table.md", "loop", "x" * 300]
    return [*(folder / name for name in names), Path("/proc/x"), Path("/dev/null")]


def test_a_file_that_cannot_be_written_is_refused_at_once(
    tmp_path: Path, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line; nothing is made, nor is a folder."""
    paths = unwritable(tmp_path)
    before = sorted(tmp_path.iterdir())
    for path in paths:
        assert bench("--repeat", "1", "--output", path) == 1
        (told,) = capsys.readouterr().out.splitlines()
        assert told.startswith(f"bench: cannot write {path}: "), told
    assert not measured
    assert sorted(tmp_path.iterdir()) == before


def test_nor_is_a_folder_taken_in_which_there_is_no_place_for_plots(
    tmp_path: Path, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images").write_text("")
    assert run.main(["--part", "peers", "--output", str(tmp_path / "table.md")]) == 1
    assert f"cannot write {tmp_path / 'images'}" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_a_table_that_is_not_recorded_is_shown(
    measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the way to have it recorded."""
    assert bench("--repeat", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| A fake | ms | 2.00 | 1.00 | 1.00 | met |  |  |" in lines
    assert lines[-1] == "not recorded: --output FILE writes it there"
    assert measured == ["fake", "fake"]


@pytest.mark.usefixtures("measured")
def test_nor_is_a_comparison_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "compare", lambda *_: {})
    assert run.main(["--scenario", "room-100", "--system", "floor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| one room with 100 subscribers, 8 in flight | not measured |" in lines
    assert lines[-1] == "not recorded: --output FILE writes it there"


def test_what_is_written_leaves_the_rest_of_the_file(
    tmp_path: Path, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.md"
    path.write_text("# Mine\n")
    assert bench("--repeat", "1", "--output", path) == 0
    assert path.read_text().startswith("# Mine\n")
    assert "| A fake |" in path.read_text()
    assert capsys.readouterr().out.splitlines()[-1] == f"written to {path}"
