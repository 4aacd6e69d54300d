"""Pages of elsewhere: refused at every door before the upgrade, those of the list let in."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from allibe_gateway.app import Entry
from allibe_services.origins import Origins
from tests.integration.gateway import Site, running, token

PAGE = "https://page.example"
DOORS = ["/allibe-ws", f"/ws/chat?roomId=1&token={token()}"]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path, entry=Entry(origins=Origins(f"self,{PAGE}"))) as site:
        yield site


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{PAGE}.evil.example"])
async def test_another_s_page_is_refused_at_every_door(site: Site, door: str, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.web_socket(door, origin=origin)
    assert refused.value.status == 403
    assert site.figure("errors_total", code="origin_not_allowed") == 1
    assert not site.figure("connections", door="stomp")
    assert not site.figure("connections", door="json")


@pytest.mark.parametrize("door", DOORS)
async def test_the_refusal_is_a_problem(site: Site, door: str) -> None:
    headers = {"Origin": "https://evil.example", "Connection": "Upgrade", "Upgrade": "websocket"}
    async with site.http.get(site.url + door, headers=headers) as answer:
        problem = await answer.json()
        assert (answer.status, answer.content_type) == (403, "application/problem+json")
    assert (problem["code"], problem["retryable"]) == ("origin_not_allowed", False)


async def test_a_listed_page_and_the_server_s_own_chat(site: Site) -> None:
    for origin in (PAGE, site.url):
        client = await site.stomp(origin=origin)
        await client.connect(Authorization=token())
        other = await site.json(f"roomId=1&token={token()}", origin=origin)
        assert (await other.next())["type"] == "joined"


async def test_a_program_that_is_no_browser_chats(site: Site) -> None:
    await site.stomp_user()
