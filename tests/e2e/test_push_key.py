"""The key that browsers subscribe with, against a real server: it is that of the setting."""

from allibe_services.vapid import VapidKey
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.server import Server


async def test_the_public_half_of_the_setting_is_shown(
    start_server: StartServer, clients: Clients
) -> None:
    key = VapidKey.generate()
    server = start_server(
        demo=False,
        ALLIBE_VAPID_PRIVATE_KEY=key.private_key,
        ALLIBE_VAPID_SUBJECT="mailto:ops@example.com",
    )
    server.secrets.add(key.private_key)
    answer = await clients.api(server, "alice").ask("GET", "/push-key")
    assert answer == (200, {"key": key.public_key})


async def test_without_the_setting_there_is_none(private_server: Server, clients: Clients) -> None:
    status, problem = await clients.api(private_server, "alice").ask("GET", "/push-key")
    assert (status, problem["code"]) == (404, "push_off")
