"""scripts/setup.sh makes .venv, and makes it anew where the last start was cut off."""

import shutil
from pathlib import Path

import pytest

from tests.unit.shell.programs import SCRIPTS, Programs

MAKE = """
case "$*" in
  "-m venv .venv")
    mkdir -p .venv/bin
    printf '#!/bin/sh\\necho "pip $*" >>%s\\nexit 0\\n' "$0.pip" >.venv/bin/python
    chmod +x .venv/bin/python
    {then}
    ;;
esac
"""
"""Python, as far as it makes a venv."""


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    programs = Programs(tmp_path / "bin")
    programs.hide_all_others_but(
        *("bash", "dirname", "env", "cat", "sha256sum", "rm", "mkdir", "touch", "mktemp"),
        *("sed", "cp", "awk", "chmod"),
    )
    (programs.folder / "sh").symlink_to("/bin/sh")
    return programs


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script in a clone that has nothing yet."""
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    for name in ("setup.sh", "apt.sh"):
        shutil.copy2(SCRIPTS / name, clone / "scripts" / name)
    for name in ("requirements.lock", "pyproject.toml"):
        (clone / name).write_text("")
    return clone / "scripts" / "setup.sh"


def made(programs: Programs) -> int:
    """Return how often a venv was made since this was asked last."""
    return sum(call == "python3.11 -m venv .venv" for call in programs.calls())


def test_what_is_there_is_left_alone(programs: Programs, script: Path) -> None:
    programs.add("python3.11", MAKE.format(then=""))
    for expected in (1, 0, 0):
        assert programs.run(script).returncode == 0
        assert made(programs) == expected
    (script.parents[1] / "requirements.lock").write_text("# another\n")
    assert programs.run(script).returncode == 0
    assert made(programs) == 0


def test_after_a_cut_off_start_the_next_one_makes_it_anew(programs: Programs, script: Path) -> None:
    """A Ctrl-C in the first seconds: there is a python by then, and no whole pip."""
    programs.add("python3.11", MAKE.format(then="touch .venv/half; kill -KILL $PPID"))
    assert programs.run(script).returncode != 0
    assert made(programs) == 1

    programs.add("python3.11", MAKE.format(then=""))
    assert programs.run(script).returncode == 0
    assert made(programs) == 1
    assert not (script.parents[1] / ".venv/half").exists()
    assert programs.run(script).returncode == 0
    assert made(programs) == 0


def test_where_debian_has_no_venv_it_is_installed(programs: Programs, script: Path) -> None:
    programs.add("id", "echo 0")
    programs.add("python3.11", 'case "$*" in "-m venv"*) exit 1;; esac')
    programs.add("apt-get")
    done = programs.run(script)
    assert done.returncode != 0
    calls = programs.calls()
    assert any("install" in call and "python3-venv" in call for call in calls)
    assert sum(call == "python3.11 -m venv .venv" for call in calls) == 2
