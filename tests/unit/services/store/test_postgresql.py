"""`store.postgresql` as far as it goes without a server: URLs, passwords, reasons.

The rest is in tests/integration/postgresql_store; what stores promise in tests/contract.
"""

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError

from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.postgresql_errors import reason
from allibe_services.store.postgresql_pool import address_of


@pytest.mark.parametrize(
    "good",
    [
        "postgresql://allibe:secret@db:5432/chat",
        "postgresql://allibe@db/chat?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql:///chat?host=/run/postgresql",
        "postgresql://allibe:secret@/chat?host=one,two&port=5432,5433",
    ],
)
def test_a_url_names_a_database(good: str) -> None:
    assert address_of(good).database == "chat"


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql://allibe:hunter2@db",
        "postgresql://allibe:hunter2@db/",
        "postgres://allibe:hunter2@db/chat",
        "postgresql+psycopg://allibe:hunter2@db/chat",
        "postgresql://allibe@db/chat?password=hunter2",
        "postgresql://allibe@db/chat?sslpassword=hunter2",
        "postgresql://allibe:hunter2/3@db/chat",
        "postgresql://allibe:hunter2#3@db/chat",
        "postgresql://allibe:hunter2?3@db/chat",
        "postgresql://allibe:3@hunter2@db/chat",
        "postgresql://allibe:3@db:hunter2/chat",
        "postgresql://allibe:hunter2@db:65536/chat",
        "sqlite:////var/lib/allibe.db",
        "nonsense",
        "",
    ],
)
def test_other_urls_are_refused_in_words_and_without_the_password(wrong: str) -> None:
    """`postgresql://` without a database would be one of the user's name, by accident."""
    with pytest.raises(ValueError, match="wanted postgresql://user:password@host") as caught:
        PostgresqlDatabase(wrong)
    assert "hunter2" not in str(caught.value)


async def test_what_shows_the_database_shows_no_password() -> None:
    database = PostgresqlDatabase("postgresql://allibe:hunter2@db/chat")
    connections = database._connections
    assert "hunter2" not in f"{database!r}{connections!r}{connections.engine!r}"
    await database.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), "no answer"),
        (ConnectionRefusedError(111, "Connect call failed"), "connection refused"),
        (OSError(), "no answer"),
        (OSError("Multiple exceptions: one\ntwo"), "Multiple exceptions: one"),
        (OperationalError(None, None, asyncpg.PostgresError("wrong\nHINT: x")), "wrong"),
    ],
    ids=repr,
)
def test_a_reason_is_one_line(error: Exception, expected: str) -> None:
    assert reason(error) == expected
