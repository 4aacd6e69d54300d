"""URLs that nothing answers to: `check` and a start say so by the setting's name, not by its value.

`tests/unit/services/test_backends.py` has more of what each service refuses.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from allibe_standalone.cli import cli

PASSWORD = "hunter2"
WRONG = [
    (
        "BUS_URL",
        f"kafka://u:{PASSWORD}@mq",
        "no implementation for 'kafka'; known: inprocess, amqp",
    ),
    ("REDIS_URL", f"memcached://u:{PASSWORD}@cache", "known: inprocess, redis, rediss"),
    ("DATABASE_URL", f"mysql://u:{PASSWORD}@db/chat", "known: sqlite, postgresql"),
    ("BUS_URL", f"amqp://u:{PASSWORD}@[mq", "not a URL"),
    ("REDIS_URL", f"redis://u:{PASSWORD}@[cache/0", "not a URL"),
    ("BUS_URL", f"amqp://u:{PASSWORD}/2@mq/", "not a URL"),
    ("BUS_URL", f"amqp://u:{PASSWORD}@mq..example/", "not a URL"),
    ("BUS_URL", f"u:{PASSWORD}@mq", "no implementation for 'u'"),
    ("DATABASE_URL", f"postgresql://u:2/{PASSWORD}@db/chat", "wanted postgresql://"),
    ("DATABASE_URL", f"postgresql://db:{PASSWORD}/chat", "not a database URL"),
    ("BUS_URL", "amqp:", "no host; wanted amqp://user:password@host:5672/vhost"),
]

all_wrong = pytest.mark.parametrize(("name", "url", "why"), WRONG)


def call(folder: Path, *command: str, **settings: str) -> Result:
    environment = {
        "ALLIBE_DATABASE_URL": f"sqlite:///{folder}/chat.db",
        "ALLIBE_JWT_SECRET": "0123456789abcdef0123456789abcdef",
    }
    environment |= {f"ALLIBE_{name}": value for name, value in settings.items()}
    return CliRunner().invoke(cli, command, env=environment)


@all_wrong
def test_check_says_so(tmp_path: Path, name: str, url: str, why: str) -> None:
    done = call(tmp_path, "check", **{name: url})
    told = [line for line in done.stderr.splitlines() if f"problem: ALLIBE_{name}: " in line]
    assert done.exit_code == 1
    assert [why in line for line in told] == [True], done.stderr
    assert PASSWORD not in done.output


@all_wrong
def test_a_start_ends_before_it_makes_a_database(
    tmp_path: Path, name: str, url: str, why: str
) -> None:
    done = call(tmp_path, "serve", **{name: url})
    [line] = done.output.splitlines()
    assert (done.exit_code, line.startswith(f"allibe: ALLIBE_{name}: ")) == (1, True), line
    assert why in line
    assert PASSWORD not in line
    assert list(tmp_path.iterdir()) == []


def test_check_knows_what_does_not_go_together(tmp_path: Path) -> None:
    """And all at once."""
    done = call(tmp_path, "check", BUS_URL="amqp://127.0.0.1:1", REDIS_URL="memcached:")
    assert "problem: ALLIBE_REDIS_URL: no implementation" in done.stderr
    assert "problem: ALLIBE_DATABASE_URL: SQLite serves one process" in done.stderr
