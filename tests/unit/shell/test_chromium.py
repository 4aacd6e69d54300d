"""scripts/chromium.sh installs what browser tests lack, or says so; they never go without."""

import pytest

from tests.unit.shell.programs import SCRIPTS, Programs

SCRIPT = SCRIPTS / "chromium.sh"


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """A machine that has all, in the name of an ordinary user."""
    programs = Programs(tmp_path_factory.mktemp("machine") / "bin")
    programs.hide_all_others_but("bash", "dirname", "env")
    programs.add("chromium")
    programs.add("fc-list", "echo NanumGothic")
    programs.add("id", "echo 1000")
    programs.add("apt-get")
    return programs


def test_nothing_is_done_where_all_is_there(programs: Programs) -> None:
    done = programs.run(SCRIPT)
    assert (done.returncode, done.stderr) == (0, "")
    assert programs.calls() == ["fc-list :lang=ko"]


def test_who_may_not_install_is_told_what(programs: Programs) -> None:
    (programs.folder / "chromium").unlink()
    programs.add("fc-list")
    done = programs.run(SCRIPT)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.endswith(": apt-get install chromium fonts-nanum")


def test_a_system_without_apt_is_told_too(programs: Programs) -> None:
    programs.add("id", "echo 0")
    (programs.folder / "apt-get").unlink()
    (programs.folder / "fc-list").unlink()
    done = programs.run(SCRIPT)
    assert done.returncode == 1
    assert done.stderr.endswith(": apt-get install fontconfig fonts-nanum\n")


def test_root_gets_what_is_missing_after_an_update(programs: Programs) -> None:
    """A fresh machine has no lists of packages yet."""
    programs.add("id", "echo 0")
    (programs.folder / "chromium").unlink()
    done = programs.run(SCRIPT)
    update, install = [call for call in programs.calls() if call.startswith("apt-get")]
    assert (done.returncode, update) == (0, "apt-get update -qq")
    assert install.startswith("apt-get install -y ")
    assert install.endswith(" chromium")


def test_an_install_that_fails_is_an_error(programs: Programs) -> None:
    programs.add("id", "echo 0")
    programs.add("apt-get", "exit 100")
    (programs.folder / "chromium").unlink()
    assert programs.run(SCRIPT).returncode == 100
