"""Small commands: what `token` refuses, and how a start ends at a Ctrl-C."""

from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner, Result

from allibe_standalone import cli as module
from allibe_standalone.cli import cli

SECRET = "0123456789abcdef0123456789abcdef"


def call(*arguments: str, **settings: str) -> Result:
    environment = {"ALLIBE_JWT_SECRET": SECRET}
    environment |= {f"ALLIBE_{name}": value for name, value in settings.items()}
    return CliRunner().invoke(cli, arguments, env=environment)


@pytest.mark.parametrize("ttl", ["nan", "inf", "1e30", "0", "-1", "2592001"])
def test_a_token_that_outlives_its_revocation_is_not_made(ttl: str) -> None:
    done = call("token", "--user", "bob", "--ttl", ttl)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("allibe: --ttl: wanted 1 to 2592000 seconds")
    assert len(done.stderr.splitlines()) == 1


def test_a_token_may_live_as_long_as_revocations_are_kept() -> None:
    done = call("token", "--user", "bob", "--ttl", "86400", TOKEN_LIFE_SECONDS="86400")
    claims = jwt.decode(done.stdout.strip(), SECRET, ["HS256"])
    assert 86_399 <= claims["exp"] - claims["iat"] <= 86_401
    assert call("token", "--user", "bob", "--ttl", "86401", TOKEN_LIFE_SECONDS="86400").exit_code


@pytest.mark.parametrize("command", ["serve", "gateway"])
def test_a_ctrl_c_ends_a_start_quietly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "migrate_store", interrupted)
    monkeypatch.setattr(module, "check_for_separate_processes", interrupted)
    done = call(command, DATABASE_URL=f"sqlite:///{tmp_path}/chat.db")
    assert (done.exit_code, done.output) == (0, "")
