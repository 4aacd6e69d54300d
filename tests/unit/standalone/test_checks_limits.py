"""`allibe check` and a start: what is wrong with origins, limits and proxies is said by name."""

from pathlib import Path

import pytest

from allibe_services.settings import Settings
from allibe_standalone.checks import problems

SECRET = "0123456789abcdef0123456789abcdef"


def found(folder: Path, **values: str) -> list[str]:
    database = f"sqlite:///{folder}/allibe.db"
    return problems(Settings(jwt_secret=SECRET, database_url=database, **values))  # type: ignore[arg-type]


def test_the_defaults_are_fine(tmp_path: Path) -> None:
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("origins", "chat.example.com"),
        ("limit_user_messages", "0/5"),
        ("limits_dry_run", "user_mesages"),
        ("trusted_proxies", "10.0.0.1/8"),
    ],
)
def test_a_wrong_one_is_named(tmp_path: Path, name: str, value: str) -> None:
    [problem] = found(tmp_path, **{name: value})
    assert problem.startswith(f"ALLIBE_{name.upper()}: ")
