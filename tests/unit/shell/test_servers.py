"""scripts/servers.sh installs the servers that are missing, and lets none of them start."""

import time
from pathlib import Path

import pytest

from tests.unit.shell.programs import SCRIPTS, Programs, ended

SCRIPT = SCRIPTS / "servers.sh"
PACKAGES = "rabbitmq-server postgresql redis-server haproxy nginx prometheus faketime"
PROGRAMS = {
    "rabbitmq-server": "usr/lib/rabbitmq/bin/rabbitmq-server",
    "postgresql": "usr/lib/postgresql/15/bin/initdb",
    "redis-server": "usr/bin/redis-server",
    "haproxy": "usr/sbin/haproxy",
    "nginx": "usr/sbin/nginx",
    "prometheus": "usr/bin/prometheus",
    "faketime": "usr/bin/faketime",
}


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a system's programs lie: there are none yet."""
    system = tmp_path / "system"
    for name in PROGRAMS.values():
        (system / name).parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("SERVERS_SYSTEM", str(system))
    return system


@pytest.fixture
def policy(system: Path) -> Path:
    """What Debian asks before it starts what it has installed."""
    return system / "usr/sbin/policy-rc.d"


@pytest.fixture
def programs(tmp_path: Path, policy: Path) -> Programs:
    """A machine of root's, whose apt-get tells what the policy is meanwhile."""
    programs = Programs(tmp_path / "bin")
    programs.hide_all_others_but(
        *("bash", "dirname", "env", "grep", "mv", "rm", "chmod", "cat", "flock", "sleep")
    )
    programs.add("id", "echo 0")
    programs.add("apt-get", f"sh {policy} || echo policy $? >&2")
    (programs.folder / "sh").symlink_to("/bin/sh")
    return programs


def install(system: Path, *packages: str) -> None:
    for package in packages:
        path = system / PROGRAMS[package]
        path.touch()
        path.chmod(0o755)


def installed(programs: Programs) -> list[str]:
    """Return what apt-get was asked to install, the last words of its call."""
    return [call.rpartition("=300 ")[2] for call in programs.calls() if " install " in call]


def test_nothing_is_done_where_all_are_there(programs: Programs, system: Path) -> None:
    install(system, *PROGRAMS)
    began = time.monotonic()
    done = programs.run(SCRIPT)
    assert (done.returncode, done.stderr, programs.calls()) == (0, "", [])
    assert time.monotonic() - began < 1  # 5 ms, on a machine that has nothing else to do


def test_what_is_missing_is_installed_and_nothing_else(programs: Programs, system: Path) -> None:
    install(system, "postgresql", "haproxy", "nginx", "prometheus", "faketime")
    assert programs.run(SCRIPT).returncode == 0
    assert installed(programs) == ["rabbitmq-server redis-server"]


def test_daemons_may_not_start_meanwhile_and_may_afterwards(
    programs: Programs, policy: Path
) -> None:
    done = programs.run(SCRIPT)
    assert done.returncode == 0
    assert "policy 101" in done.stderr
    assert not policy.exists()
    assert installed(programs) == [PACKAGES]


def test_the_system_gets_its_own_policy_back(programs: Programs, policy: Path) -> None:
    policy.write_text("#!/bin/sh\nexit 7\n")
    assert "policy 101" in programs.run(SCRIPT).stderr
    assert policy.read_text() == "#!/bin/sh\nexit 7\n"
    assert list(policy.parent.iterdir()) == [policy]


def test_an_install_that_fails_is_an_error_and_leaves_the_policy(
    programs: Programs, policy: Path
) -> None:
    policy.write_text("#!/bin/sh\nexit 7\n")
    programs.add("apt-get", "exit 100")
    assert programs.run(SCRIPT).returncode == 100
    assert policy.read_text() == "#!/bin/sh\nexit 7\n"


def test_a_run_that_was_interrupted_leaves_the_policy(programs: Programs, policy: Path) -> None:
    policy.write_text("#!/bin/sh\nexit 7\n")
    programs.add("apt-get", "echo began; exec sleep 1")
    running = programs.start(SCRIPT)
    assert running.stdout is not None
    assert running.stdout.readline() == "began\n"
    running.terminate()
    assert ended(running).returncode == 130
    assert policy.read_text() == "#!/bin/sh\nexit 7\n"


def test_what_a_killed_run_left_is_not_taken_for_the_system_s(
    programs: Programs, policy: Path
) -> None:
    """After it the next run cleans up: with a policy of the system's, and without."""
    for owned in (None, "#!/bin/sh\nexit 7\n"):
        if owned:
            policy.write_text(owned)
        programs.add("apt-get", "echo began; exec sleep 1")
        running = programs.start(SCRIPT)
        assert running.stdout is not None
        assert running.stdout.readline() == "began\n"
        running.kill()
        ended(running)
        assert "scripts/servers.sh" in policy.read_text()
        programs.add("apt-get")
        assert programs.run(SCRIPT).returncode == 0
        assert (policy.read_text() if policy.exists() else None) == owned


def test_they_do_not_start_with_the_machine_either(programs: Programs, system: Path) -> None:
    install(system, "postgresql")
    programs.add("systemctl", "exit 1")  # as in a container, where nobody listens to it
    assert programs.run(SCRIPT).returncode == 0
    others = PACKAGES.replace("postgresql ", "")
    assert f"systemctl disable --quiet {others}" in programs.calls()


def test_who_may_not_install_is_told_what(programs: Programs, policy: Path) -> None:
    programs.add("id", "echo 1000")
    done = programs.run(SCRIPT)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.endswith(f": apt-get install {PACKAGES}")
    assert not policy.exists()


def test_a_system_without_apt_is_told_too(programs: Programs, policy: Path) -> None:
    (programs.folder / "apt-get").unlink()
    done = programs.run(SCRIPT)
    assert done.returncode == 1
    assert done.stderr.endswith(f": apt-get install {PACKAGES}\n")
    assert not policy.exists()
