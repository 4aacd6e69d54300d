"""The image's recipe: no engine is here to build it, so this looks at all that can be looked at.

`test_image_steps.py` runs its commands, outside an image.
"""

import asyncio
import fnmatch
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from allibe_services import ops, settings
from allibe_services.runtime import Readiness
from tests.unit.deployment.dockerfile import DOCKERFILE, ROOT, Stage, stages, words_of

IGNORED = DOCKERFILE.with_name("Dockerfile.dockerignore")


@pytest.fixture(name="last")
def the_last() -> Stage:
    return stages()[-1]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_source_that_is_copied_exists_and_is_not_ignored() -> None:
    copied = [
        source
        for stage in stages()
        for origin, sources, _ in stage.copies()
        if origin is None
        for source in sources
    ]
    assert len(copied) > 10
    tracked = subprocess.run(
        ["git", "ls-files", *copied], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for source in copied:
        there = [path for path in tracked if f"{path}/".startswith(f"{source.rstrip('/')}/")]
        assert there, source
        assert any(_is_sent(path) for path in there), source


def _is_sent(path: str) -> bool:
    """Tell whether the context holds the file: the last line that speaks of it decides."""
    sent = True
    for line in IGNORED.read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if not line or line.startswith("#"):
            continue
        parts = path.split("/")
        heads = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        subjects = [*heads, *parts] if line.lstrip("!").startswith("**/") else heads
        if any(fnmatch.fnmatchcase(subject, pattern) for subject in subjects):
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize(
    "path",
    [".data/secret", ".venv/bin/python", "deploy/.env", ".git/config", "web/node_modules/x/y.js"],
)
def test_local_files_stay_outside(path: str) -> None:
    assert not _is_sent(path)
    assert _is_sent("services/allibe_services/ops.py")


def test_a_stage_takes_only_what_an_earlier_one_makes() -> None:
    made: dict[str, str] = {}
    for stage in stages():
        for origin, sources, _ in stage.copies():
            if origin is not None:
                assert all(source.startswith(("/src/", "/opt/")) for source in sources)
                assert any(source.rstrip("/") in made[origin] for source in sources), sources
        made[stage.name] = " ".join([*stage.all("RUN"), _page() if stage.name == "page" else ""])


def _page() -> str:
    """Return where Vite writes the page, seen from the image's `/src`."""
    config = (ROOT / "web" / "app" / "vite.config.ts").read_text()
    found = re.search(r"PAGE = path\('(.*)'\)", config)
    assert found is not None
    return str((Path("/src/web/app") / found[1]).resolve())


def test_the_product_comes_from_the_lock_and_nothing_else() -> None:
    """Whatever is downloaded has a hash; all later steps have no index to ask."""
    commands = [command for text in stages()[1].all("RUN") for command in text.split("&&")]
    installs = [
        shlex.split(command)
        for command in commands
        if re.search(r"pip\b.* (install|wheel) ", command)
    ]
    assert len(installs) == 5
    for words in installs:
        assert ("--require-hashes" in words) != ("--no-index" in words), words
    assert any("npm ci" in command for command in stages()[0].all("RUN"))


def test_the_lock_is_cut_where_the_development_tools_begin() -> None:
    assert "sed '/^# development/,$d'" in stages()[1].all("RUN")[0]
    assert (ROOT / "requirements.lock").read_text().count("\n# development") == 1


def test_it_runs_as_a_number_that_is_not_root(last: Stage) -> None:
    user, group = last.one("USER").split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_command_line_is_the_first_process(last: Stage) -> None:
    """Not a shell: signals must reach it."""
    assert words_of(last.one("ENTRYPOINT")) == ["allibe"]
    assert words_of(last.one("CMD")) == ["--help"]
    scripts = (ROOT / "pyproject.toml").read_text()
    assert 'allibe = "allibe_standalone.start:main"' in scripts


def test_its_settings_exist_and_open_the_ports_that_it_names(last: Stage) -> None:
    ours = {name: value for name, value in last.environment().items() if name.startswith("ALLIBE_")}
    loaded = settings.load(ours)
    assert [loaded.host, loaded.ops_host] == ["0.0.0.0", "0.0.0.0"]
    assert [int(port) for port in last.one("EXPOSE").split()] == [loaded.port, loaded.ops_port]


def test_python_of_all_stages_is_one_that_is_supported() -> None:
    bases = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE.read_text(), flags=re.MULTILINE))
    assert {stage.base for stage in stages()} == {f"${{{name}}}" for name in bases}
    assert not any(base.endswith(":latest") or ":" not in base for base in bases.values())
    supported = re.search(r'python_version = "([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert supported is not None
    assert bases["PYTHON_IMAGE"].startswith(f"python:{supported[1]}-slim")


async def test_the_health_check_asks_whether_it_is_alive(
    last: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very command, against a server that lives but is not ready, and against none."""
    readiness = Readiness()
    readiness.drain()
    app = web.Application()
    app.add_routes(ops.routes(readiness, CollectorRegistry()))
    server = TestServer(app)
    await server.start_server()
    monkeypatch.setenv("ALLIBE_OPS_PORT", str(server.port))
    assert await _health(last) == 0
    await server.close()
    assert await _health(last) == 1


async def _health(last: Stage) -> int | None:
    words = words_of(last.one("HEALTHCHECK").partition("CMD ")[2])
    assert words[0] == "python"
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words[1:], stderr=asyncio.subprocess.DEVNULL
    )
    return await asyncio.wait_for(process.wait(), 20)
