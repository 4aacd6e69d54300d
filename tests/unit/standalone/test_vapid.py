"""`allibe vapid` prints settings that `allibe check` finds nothing wrong with."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from allibe_services.settings import Settings, load
from allibe_services.vapid import VapidKey
from allibe_standalone.checks import problems
from allibe_standalone.cli import cli
from tests.support.server import SECRET
from tests.unit.services.keys import pair

SUBJECT = "mailto:ops@chat.example"


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["vapid", *arguments])


def _problems(tmp_path: Path, **values: str) -> list[str]:
    database = f"sqlite:///{tmp_path / 'absent.db'}"
    return problems(Settings(jwt_secret=SECRET, database_url=database, **values))  # type: ignore[arg-type]


def test_what_it_prints_are_settings(tmp_path: Path) -> None:
    done = _run("--subject", SUBJECT)
    assert done.exit_code == 0
    comment, *lines = done.output.splitlines()
    settings = load(dict(line.split("=", 1) for line in lines))
    assert settings.vapid_private_key is not None
    assert settings.vapid_subject == SUBJECT
    public = VapidKey.read(settings.vapid_private_key).public_key
    assert comment == f"# Public key (applicationServerKey): {public}"
    key = settings.vapid_private_key
    assert _problems(tmp_path, vapid_private_key=key, vapid_subject=SUBJECT) == []


def test_every_pair_is_a_new_one() -> None:
    assert _run("--subject", SUBJECT).output != _run("--subject", SUBJECT).output


def test_a_subject_that_nobody_can_reach_is_one_line() -> None:
    done = _run("--subject", "ops")
    assert done.exit_code == 1
    assert done.output.startswith("allibe: a VAPID subject is")
    assert len(done.output.splitlines()) == 1


def test_a_file_with_pem_text_will_do(tmp_path: Path) -> None:
    path = tmp_path / "vapid.pem"
    path.write_text(pair("ES256").private)
    settings = load({"ALLIBE_VAPID_PRIVATE_KEY_FILE": str(path)})
    assert settings.vapid_private_key is not None
    key = settings.vapid_private_key
    assert _problems(tmp_path, vapid_private_key=key, vapid_subject=SUBJECT) == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"vapid_private_key": "hunter2", "vapid_subject": SUBJECT}, "ALLIBE_VAPID_PRIVATE_KEY: "),
        ({"vapid_private_key": VapidKey.generate().private_key}, "ALLIBE_VAPID_SUBJECT: needed"),
        ({"vapid_subject": "ops"}, "ALLIBE_VAPID_SUBJECT: a VAPID subject is"),
    ],
)
def test_check_names_what_is_wrong(tmp_path: Path, values: dict[str, str], problem: str) -> None:
    (found,) = _problems(tmp_path, **values)
    assert found.startswith(problem)
    assert "hunter2" not in found
