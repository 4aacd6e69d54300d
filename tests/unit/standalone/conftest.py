"""Commands in the tests' process leave its logs alone: a `CliRunner`'s streams are soon closed."""

from pathlib import Path

import pytest

from allibe_services.store.migrate import migrate
from allibe_standalone import cli, exits


@pytest.fixture(autouse=True)
def logs_asked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the levels at which logs were asked for."""
    asked: list[str] = []

    def ask(level: str, *, as_json: bool) -> None:
        asked.append(level)

    for module in (cli, exits):
        monkeypatch.setattr(module, "configure_logging", ask)
    return asked


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A new database with tables, and nothing in them."""
    url = f"sqlite:///{tmp_path}/allibe.db"
    migrate(url)
    return url
