"""Private servers, and stores on them, for the tests of all folders here."""

from tests.support.databases import (
    open_store,
    postgres_with_tables,
    shared_database,
    sqlite_with_tables,
    store,
)
from tests.support.private_servers import (
    amqp_url,
    postgres,
    postgres_template,
    postgres_url,
    rabbitmq,
    redis_server,
    redis_url,
    servers_on_demand,
)

__all__ = [
    "amqp_url",
    "open_store",
    "postgres",
    "postgres_template",
    "postgres_url",
    "postgres_with_tables",
    "rabbitmq",
    "redis_server",
    "redis_url",
    "servers_on_demand",
    "shared_database",
    "sqlite_with_tables",
    "store",
]
