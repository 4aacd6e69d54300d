"""What browsers subscribe with, and where to, against a real server: as the settings say."""

from allibe_services.vapid import VapidKey
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.push_browser import PushBrowser
from tests.support.server import Server


async def test_the_public_half_of_the_key_is_shown_and_other_hosts_are_refused(
    start_server: StartServer, clients: Clients
) -> None:
    key = VapidKey.generate()
    server = start_server(
        demo=False,
        ALLIBE_VAPID_PRIVATE_KEY=key.private_key,
        ALLIBE_VAPID_SUBJECT="mailto:ops@example.com",
        ALLIBE_PUSH_HOSTS="*.example.net",
    )
    server.secrets.add(key.private_key)
    api = clients.api(server, "alice")
    assert await api.ask("GET", "/push-key") == (200, {"key": key.public_key})
    for host, expected in (("push.example.net", 204), ("push.example.com", 400)):
        one = PushBrowser().subscription(f"https://{host}/1")
        body = {"endpoint": one.endpoint, "keys": {"p256dh": one.p256dh, "auth": one.auth}}
        status, _ = await api.ask("PUT", "/push-subscriptions", body)
        assert status == expected


async def test_without_the_setting_there_is_none(private_server: Server, clients: Clients) -> None:
    status, problem = await clients.api(private_server, "alice").ask("GET", "/push-key")
    assert (status, problem["code"]) == (404, "push_off")
