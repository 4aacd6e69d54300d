"""deploy/haproxy/haproxy.cfg and deploy/nginx: who gets a request, and what of it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession, hdrs

from deploy.cluster.parts import HAPROXY, NGINX
from deploy.cluster.servers import HAProxy, Nginx
from deploy.cluster.servers.load_balancer import LoadBalancer
from deploy.cluster.servers.programs import find_program, run
from tests.support.clients import Clients
from tests.unit.deployment.test_routes import PATHS

NAMES = ("GATEWAY_1", "GATEWAY_2", "ROOMS_API")

CONFIGURATIONS: dict[str, tuple[type[LoadBalancer], Path]] = {
    "HAProxy": (HAProxy, HAPROXY / "haproxy.cfg"),
    "nginx": (Nginx, NGINX),
}

STREAM = "/allibe-ws/0/stream00/xhr_streaming"
BROKEN = "/allibe-ws/0/broken00/xhr_send"


class Backend:
    """A server that answers with its name, at once or not at all, and keeps what it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heads: list[str] = []
        self.rest = asyncio.Event()
        """Set when a stream may end."""
        self._full: list[socket.socket] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.close()
        for one in self._full:
            one.close()

    def vanish(self) -> None:
        """Let nothing be heard of connections from now on: the queue of new ones is full."""
        self._server.close()
        hole = socket.create_server(("127.0.0.1", self.port), backlog=0)
        self._full = [hole, socket.create_connection(("127.0.0.1", self.port))]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if " /readyz " not in head:
            self.heads.append(head)
        if BROKEN not in head:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            if STREAM in head:
                writer.write(b"first")
                await self.rest.wait()
            writer.write(self.name.encode())
        writer.close()


class Site:
    """A load balancer over backends that all run."""

    def __init__(self, balancer: LoadBalancer, backends: list[Backend], http: ClientSession):
        self.balancer, self.backends, self.http = balancer, backends, http

    async def get(self, path: str, **headers: str) -> str:
        """Return who answered."""
        url = self.balancer.url + path
        async with self.http.get(url, headers=headers, allow_redirects=False) as answer:
            return await answer.text()

    async def post(self, path: str, body: bytes) -> int:
        async with self.http.post(self.balancer.url + path, data=body) as answer:
            return answer.status

    def heads(self) -> list[str]:
        """Return what all backends were asked."""
        return [head for backend in self.backends for head in backend.heads]

    def header(self, name: str) -> list[str]:
        """Return all values of a header in the only request."""
        (head,) = self.heads()
        fields = [line.partition(": ") for line in head.split("\r\n")[1:]]
        return [value for key, _, value in fields if key.lower() == name.lower()]


@pytest.fixture(params=CONFIGURATIONS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def site(tmp_path: Path, kind: str) -> AsyncIterator[Site]:
    program, path = CONFIGURATIONS[kind]
    backends = [Backend(name) for name in NAMES]
    values = {"BIND": "127.0.0.1"}
    async with AsyncExitStack() as stack:
        for backend in backends:
            await backend.start()
            stack.callback(backend.stop)
            values[backend.name] = f"127.0.0.1:{backend.port}"
            values[f"{backend.name}_OPS"] = str(backend.port)
        balancer = program(tmp_path / "balancer", path.read_text(), values=values)
        stack.push_async_callback(asyncio.to_thread, balancer.close)
        await asyncio.to_thread(balancer.start)
        clients = await stack.enter_async_context(Clients())
        yield Site(balancer, backends, clients.session)


async def test_a_path_leads_to_gateways_or_to_rooms_api(site: Site) -> None:
    for path, upstream in PATHS.items():
        expected = ["ROOMS_API"] if upstream == "rooms_api" else ["GATEWAY_1", "GATEWAY_2"]
        assert await site.get(f"{path}?a=b") in expected, path


async def test_a_session_has_one_gateway_by_its_path(site: Site) -> None:
    """Whichever way it is asked for. Of the others' sessions none moves when a gateway goes."""
    sessions = [f"session{number:03}" for number in range(31)]  # odd: they do not just alternate
    before = {name: await site.get(f"/allibe-ws/000/{name}/xhr") for name in sessions}
    assert set(before.values()) == {"GATEWAY_1", "GATEWAY_2"}
    for way in ("eventsource", "jsonp"):
        assert {name: await site.get(f"/allibe-ws/1/{name}/{way}") for name in sessions} == before
    site.backends[0].stop()
    after = {await site.get(f"/allibe-ws/000/{name}/xhr") for name in sessions}
    assert after == {"GATEWAY_2"}


async def test_it_says_itself_who_the_client_is(site: Site) -> None:
    """`X-Forwarded-For` is one address: what a client claims is dropped. `Host` is the client's."""
    claims = {"X-Forwarded-For": "192.0.2.1", "x_forwarded_for": "192.0.2.2", "Host": "a.example:1"}
    await site.get("/ws/chat", **claims)
    assert site.header("X-Forwarded-For") == ["127.0.0.1"]
    assert site.header("Host") == ["a.example:1"]


async def test_what_streams_arrives_at_once(site: Site) -> None:
    async with asyncio.timeout(10), site.http.get(site.balancer.url + STREAM) as answer:
        assert await answer.content.readexactly(5) == b"first"
        for backend in site.backends:
            backend.rest.set()
        assert "GATEWAY" in await answer.text()


async def test_what_was_sent_is_not_sent_again(site: Site) -> None:
    assert await site.post(BROKEN, b'["SEND"]') == 502
    assert len(site.heads()) == 1


async def test_who_is_refused_is_led_elsewhere_at_once(site: Site) -> None:
    """A POST, too: it was not sent. Where nobody is left it is an error, and no log has a token."""
    site.backends[0].stop()
    for _ in range(8):
        assert await site.post("/allibe-ws/info", b"x") == 200
    site.backends[1].stop()
    async with site.http.get(f"{site.balancer.url}/ws/chat?roomId=1&token=c2VjcmV0") as answer:
        assert answer.status in (502, 503)
    assert "c2VjcmV0" not in site.balancer.log()


async def test_who_finds_a_machine_gone_is_led_elsewhere(site: Site) -> None:
    """After 2 s, where nothing answers: neither yes nor no."""
    site.backends[0].vanish()
    asked = [site.post("/allibe-ws/info", b"x") for _ in range(4)]
    assert await asyncio.gather(*asked) == [200] * 4
    assert len(site.backends[1].heads) == 4


@pytest.mark.parametrize("kind", ["nginx"], indirect=True)
class TestNginxAlone:
    def test_nginx_has_nothing_to_complain_of(self, site: Site) -> None:
        """Not a warning either."""
        folder = site.balancer.folder
        path = folder / "nginx.conf"
        command = [find_program("nginx"), "-p", str(folder), "-e", "stderr", "-t", "-c", str(path)]
        done = run(command, environment={})
        assert done.stdout + done.stderr == (
            f"nginx: the configuration file {path} syntax is ok\n"
            f"nginx: configuration file {path} test is successful\n"
        )

    async def test_who_sends_too_much_is_refused(self, site: Site) -> None:
        """No gateway hears of it: SockJS allows as much, and rooms-api less."""
        for path in ("/allibe-ws/0/session0/xhr_send", "/api/chat/rooms"):
            assert await site.post(path, b"x" * (256 << 10)) == 200
            assert await site.post(path, b"x" * ((256 << 10) + 1)) == 413
        assert len(site.heads()) == 2

    async def test_an_upgrade_to_something_else_is_not_passed_on(self, site: Site) -> None:
        await site.get("/allibe-ws", Upgrade="h2c", Connection="Upgrade, HTTP2-Settings")
        assert site.header(hdrs.UPGRADE) == []
        assert site.header(hdrs.CONNECTION) == []


@pytest.mark.parametrize("more", [[], ["amqp.cfg"]], ids=["alone", "with amqp.cfg"])
def test_haproxy_has_nothing_to_complain_of(tmp_path: Path, more: list[str]) -> None:
    """Not a warning either."""
    values = {"BIND": "127.0.0.1", "PORT": "3", "AMQP_PORT": "4"}
    for name in (*NAMES, "RABBITMQ_1", "RABBITMQ_2", "RABBITMQ_3"):
        values |= {name: "127.0.0.1:1", f"{name}_OPS": "2"}
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(
        "".join((HAPROXY / name).read_text() for name in ["haproxy.cfg", *more])
    )
    command = [find_program("haproxy"), "-c", "-V", "-f", str(configuration)]
    done = run(command, environment=values)
    said = done.stdout + done.stderr
    assert (done.returncode, said) == (0, "Configuration file is valid\n")
