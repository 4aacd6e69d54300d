"""Servers for the tests of this folder."""

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
    "postgres",
    "postgres_template",
    "postgres_url",
    "rabbitmq",
    "redis_server",
    "redis_url",
    "servers_on_demand",
]
