"""The steps of docs/operations.md that need a whole cluster, as the page has them."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.cluster.parts import Cluster
from deploy.cluster.servers import HAProxy
from deploy.cluster.servers.programs import find_program
from tests.support.clients import Clients
from tests.support.cluster import place, running_cluster
from tests.support.json_client import Api
from tests.support.places import SignedPlace
from tests.support.runbook import is_private, walk
from tests.support.server import WAIT_SECONDS, eventually

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
NEW, PASSWORD = "allibe_2", "another-password"


@pytest.fixture
def cluster(tmp_path: Path, postgres_template: Path) -> Iterator[Cluster]:
    """A cluster of the test's own: it gets other passwords, and another database."""
    with running_cluster(tmp_path / "cluster", postgres_template) as cluster:
        yield cluster


@pytest.fixture
def server(cluster: Cluster) -> SignedPlace:
    return place(cluster)


async def test_a_restored_database_begins_another_epoch(
    cluster: Cluster, server: SignedPlace, clients: Clients, tmp_path: Path
) -> None:
    """Who saw more than was restored is told so; what RabbitMQ has kept is stored after all."""
    variables = {
        "ADMIN_URL": cluster.postgres.url(),
        "ALLIBE_DATABASE_URL": cluster.database_url(),
        "BACKUP": str(tmp_path / "backup.dump"),
    }
    room = await clients.api(server, "alice").new_room(None, "bob")
    reader = await clients.json(server, "bob", room)
    await _post(server, clients, room, "kept")
    kept = await reader.of_type("message")
    await asyncio.to_thread(walk, "backup-postgresql", **variables)
    assert is_private(variables["BACKUP"])
    await _post(server, clients, room, "lost")
    lost = await reader.of_type("message")
    await reader.close()

    for worker in cluster.workers:
        await asyncio.to_thread(worker.stop)
    await _post(server, clients, room, "waits with RabbitMQ")
    for service in (*cluster.gateways, cluster.rooms_api):
        await asyncio.to_thread(service.stop)
    await asyncio.to_thread(walk, "restore-postgresql", **variables)
    for service in cluster.services:
        await asyncio.to_thread(service.start)
    await asyncio.to_thread(cluster.until_served)

    for seen in (kept, lost):
        since = f"{room}.{seen['epoch']}.{seen['offset']}"
        again = await clients.json(server, "bob", room, since)
        assert again.joined["recovered"] is False
        assert again.joined["epoch"] != seen["epoch"]
    await _shown(clients.api(server, "bob"), room, "kept", "waits with RabbitMQ")


async def test_processes_go_on_beside_tables_that_are_newer(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """A rollout begins with the migration: all are unready, and the load balancer leads there."""
    room = await clients.api(server, "alice").new_room(None, "bob")
    reader = await clients.json(server, "bob", room)
    names = ("gateways/gateway-1", "gateways/gateway-2", "rooms_api/rooms-api-1")
    await _seen(cluster.balancer, *(f"Server {name} is UP" for name in names))
    since = cluster.balancer.log_size()
    cluster.postgres.sql("UPDATE alembic_version SET version_num = '9999'", "allibe")
    await _seen(cluster.balancer, *(f"Server {name} is DOWN" for name in names), since=since)
    await _post(server, clients, room, "meanwhile")
    assert (await reader.of_type("message"))["content"] == "meanwhile"
    await clients.json(server, "bob", room)


async def test_passwords_are_changed_without_a_pause(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """Old and new are good at once, until no process uses the old one."""
    room = await clients.api(server, "alice").new_room(None, "bob")
    urls = {
        "BUS": cluster.bus_url(),
        "DATABASE": cluster.database_url(),
        "REDIS": cluster.redis_url(),
    }
    variables = _variables(cluster)
    for name in urls:
        await asyncio.to_thread(walk, f"rotate-{name.lower()}", **variables)
    for number, service in enumerate(cluster.services):
        await asyncio.to_thread(service.stop)
        for name, url in urls.items():
            cluster.use(service, name, _with(NEW if name != "REDIS" else "", url))
        await asyncio.to_thread(service.start)
        await asyncio.to_thread(cluster.until_served)
        await _post(server, clients, room, str(number))
    for name in urls:
        await asyncio.to_thread(walk, f"rotated-{name.lower()}", **variables)
    for service in cluster.services:  # what connects now has nothing but the new ones
        await asyncio.to_thread(service.restart)
    await asyncio.to_thread(cluster.until_served)
    await _post(server, clients, room, "after")
    numbers = map(str, range(len(cluster.services)))
    await _shown(clients.api(server, "bob"), room, *numbers, "after")


async def _shown(api: Api, room: str, *contents: str) -> None:
    """Return once the room holds these messages: what is accepted is stored a moment later."""
    async with asyncio.timeout(WAIT_SECONDS):
        while len(found := await api.contents(room)) < len(contents):  # noqa: ASYNC110 - see until
            await asyncio.sleep(0.1)
    assert found == [*contents]


async def _seen(balancer: HAProxy, *texts: str, since: int = 0) -> None:
    """Return once HAProxy has told all that."""
    await asyncio.to_thread(
        eventually,
        lambda: all(text in balancer.log(since) for text in texts),
        f"HAProxy has said {texts}",
        log=lambda: balancer.log(since),
    )


async def _post(server: SignedPlace, clients: Clients, room: str, content: str) -> None:
    status, _ = await clients.api(server, "alice").ask(
        "POST", f"/rooms/{room}/messages", {"content": content}
    )
    assert status in (201, 202)


def _variables(cluster: Cluster) -> dict[str, str]:
    [rabbitmq] = cluster.nodes
    old = urlsplit(cluster.redis_url())
    programs = {Path(find_program(name)).parent for name in ("rabbitmqctl", "psql", "redis-cli")}
    return rabbitmq.epmd.environment() | {
        "ADMIN_URL": cluster.postgres.url(),
        "HOME": str(rabbitmq.home),  # where the cookie is
        "NEW": NEW,
        "OLD": "allibe",
        "OLD_PASSWORD": old.password or "",
        "PASSWORD": PASSWORD,
        "PATH": ":".join([*map(str, programs), os.environ["PATH"]]),
        "RABBITMQ_NODENAME": rabbitmq.node,
        "REDISCLI_AUTH": old.password or "",
        "REDIS_PORT": str(old.port),
    }


def _with(user: str, url: str) -> str:
    """Return the URL with another user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{PASSWORD}@{parts.hostname}:{parts.port}").geturl()
