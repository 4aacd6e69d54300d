"""Connections on which nothing is said: idle ones live on, half-open ones are found soon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from allibe_gateway.limits import Limits
from deploy.cluster.parts import NGINX
from deploy.cluster.servers import HAProxy, Nginx
from deploy.cluster.servers.load_balancer import LoadBalancer
from tests.integration.gateway import ALICE, BOB, Client, Closed, Site, StompClient, running
from tests.support.presences import connected
from tests.support.stalls import noting_stalls
from tests.support.tcp_proxy import TcpProxy

INTERVAL = 0.8
WITHIN = 2.5
"""Heart-beat intervals after its last sign of life in which a peer is gone."""

TUNNEL_SECONDS = 2
"""A load balancer's idle timeout: for 60 s of real ones, and heart-beats of 10 s."""

BEAT_SECONDS = TUNNEL_SECONDS / 6
IDLE_SECONDS = 2.5 * TUNNEL_SECONDS

BALANCER = f"""
defaults
    mode http
    timeout connect 2s
    timeout client {TUNNEL_SECONDS}s
    timeout server {TUNNEL_SECONDS}s
    timeout tunnel {TUNNEL_SECONDS}s
listen gateway
    bind "127.0.0.1:${{PORT}}"
    server one "${{GATEWAY}}"
"""


async def _listen(client: Client) -> None:
    """Read and answer pings, until it is over."""
    while True:
        await client.text()


async def _beat(client: StompClient, seconds: float) -> None:
    while True:
        await client.raw("\n")
        await asyncio.sleep(seconds)


class TestHalfOpen:
    """The network swallows everything, ends included: only silence tells."""

    @pytest.fixture
    async def site(self, tmp_path: Path) -> AsyncIterator[Site]:
        async with running(tmp_path, limits=Limits(heart_beat_seconds=INTERVAL)) as site:
            with TcpProxy(int(site.url.rpartition(":")[2])) as proxy:
                self.direct, self.proxy = site.url, proxy
                site.url = f"http://127.0.0.1:{proxy.port}"
                yield site

    async def test_it_is_gone_within_two_and_a_half_intervals(self, site: Site) -> None:
        """At each door, and from presence; who is on a good network stays."""
        promised = str(int(INTERVAL * 1000))
        beating = await site.stomp_user("bob", heart_beat=f"{promised},{promised}")
        lost: list[Client] = [beating, await site.stomp_user("bob"), await site.json_user("bob")]
        site.url = self.direct
        good = await site.stomp_user("alice")
        tasks = [asyncio.create_task(_listen(one)) for one in (*lost, good)]
        tasks.append(asyncio.create_task(_beat(beating, INTERVAL / 2)))
        await site.until_present(BOB)
        await asyncio.sleep(WITHIN * INTERVAL)
        assert site.figure("disconnects_total", code="4408") == 0  # all has been well
        loop = asyncio.get_running_loop()
        async with noting_stalls() as stalls:
            self.proxy.stall()
            began = loop.time()
            async with asyncio.timeout(10):
                while (_count(site, "stomp"), _count(site, "json")) != (1, 0):  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            seconds = loop.time() - began
        assert seconds < WITHIN * INTERVAL + 2 * stalls.longest
        assert site.figure("disconnects_total", code="4408") == 3
        async with asyncio.timeout(10):
            while BOB in await connected(site.presence, [ALICE, BOB]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await good.raw("\n")
        assert not good.socket.closed


def _count(site: Site, door: str) -> float:
    return site.figure("connections", door=door) or 0


def _balancers(folder: Path, gateway: str) -> list[LoadBalancer]:
    """Return one of each program; nginx with all of the deployment's but the length of time."""
    patient = "proxy_read_timeout 70s;"
    nginx = NGINX.read_text()
    assert patient in nginx
    nginx = nginx.replace(patient, f"proxy_read_timeout {TUNNEL_SECONDS}s;")
    names = ("GATEWAY", "GATEWAY_1", "GATEWAY_2", "ROOMS_API")
    values = dict.fromkeys(names, gateway) | {"BIND": "127.0.0.1"}
    return [
        HAProxy(folder / "haproxy", BALANCER, values=values),
        Nginx(folder / "nginx", nginx, values=values),
    ]


class TestIdle:
    async def test_connections_outlive_a_load_balancers_patience(self, tmp_path: Path) -> None:
        """At each door, with and without heart-beats of the client. One that nobody keeps alive,
        since it has not said CONNECT, shows that the load balancer does cut.
        """
        limits = Limits(
            heart_beat_seconds=BEAT_SECONDS, silent_intervals=30, sign_in_seconds=10 * IDLE_SECONDS
        )
        async with running(tmp_path, limits=limits) as site, AsyncExitStack() as stack:
            balancers = _balancers(tmp_path, site.url.removeprefix("http://"))
            for balancer in balancers:
                stack.push_async_callback(asyncio.to_thread, balancer.close)
                await asyncio.to_thread(balancer.start)
            await self._idle(site, [balancer.url for balancer in balancers])

    async def _idle(self, site: Site, urls: list[str]) -> None:
        mute: list[Client] = []
        tasks: list[asyncio.Task[None]] = []
        for site.url in urls:
            mute.append(await site.stomp())
            pinged, plain = await site.stomp_user("alice"), await site.json_user("bob")
            beating = await site.stomp_user("alice", heart_beat="300,300")
            clients: list[Client] = [pinged, plain, beating]
            tasks += [asyncio.create_task(_listen(one)) for one in clients]
            tasks.append(asyncio.create_task(_beat(beating, BEAT_SECONDS)))
        for client in mute:
            with pytest.raises(Closed):
                await client.text()
        await asyncio.sleep(IDLE_SECONDS - TUNNEL_SECONDS)
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        assert site.figure("connections", door="stomp") == 2 * len(urls)
        assert site.figure("connections", door="json") == len(urls)
