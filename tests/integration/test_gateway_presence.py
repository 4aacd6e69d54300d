"""Who has a room on the screen, over real sockets of both doors."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from allibe_gateway import presence_reporter, screens
from allibe_services.contracts.ids import UserId
from allibe_services.presence.base import Lease
from tests.integration.gateway import ALICE, BOB, ONE, JsonClient, Site, StompClient, running
from tests.support.presences import connected

ACTIVITY = "/topic/rooms/1/activity"


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(screens, "PAUSE_SECONDS", 0.01)
    async with running(tmp_path) as site:
        yield site


def here(*users: str) -> dict[str, Any]:
    return {"type": "presence", "roomId": "1", "count": len(users), "users": list(users)}


async def until_here(client: StompClient | JsonClient, *users: str) -> None:
    """Return once the client is told that these users are here, and nobody else."""
    told = None
    try:
        while told != here(*users):
            told = await client.presence()
    except TimeoutError:
        raise AssertionError(f"last told: {told}") from None


async def test_each_sees_who_is_here_over_both_doors(site: Site) -> None:
    alice = await site.stomp_user()
    await alice.subscribe(ACTIVITY, "activity")
    await until_here(alice)
    await alice.subscribe()
    await until_here(alice, "alice")
    bob = await site.json_user("bob")
    await until_here(alice, "alice", "bob")
    await until_here(bob, "alice", "bob")
    await bob.send("leave")
    await until_here(alice, "alice")
    await alice.app("leave", {"roomId": "1"})
    again = await site.json_user("bob")
    await until_here(again, "bob")


async def test_who_comes_is_told_first(site: Site) -> None:
    alice = await site.json_user()
    await until_here(alice, "alice")
    bob = await site.stomp_user("bob")
    await bob.subscribe(ACTIVITY, "activity")
    assert await bob.presence() == here("alice")


async def test_a_connection_that_breaks_is_no_longer_here(site: Site) -> None:
    alice, bob = await site.json_user(), await site.json_user("bob")
    await until_here(alice, "alice", "bob")
    await bob.close()
    await until_here(alice, "alice")


async def test_a_user_is_here_once_and_until_the_last_connection_goes(site: Site) -> None:
    alice = await site.json_user()
    phone, laptop = await site.json_user("bob"), await site.json_user("bob")
    await until_here(alice, "alice", "bob")
    await phone.close()
    third = await site.json_user()  # makes the next answer come
    await until_here(third, "alice", "bob")
    await laptop.close()
    await until_here(alice, "alice")


async def test_who_hides_the_window_is_not_here_and_is_notified(site: Site) -> None:
    """Over both doors: hidden, one looks at no room, and gets its messages all the same."""
    alice, bob = await site.json_user(), await site.stomp_user("bob")
    await bob.subscribe()
    await until_here(alice, "alice", "bob")
    await bob.app("visibility", {"visible": False})
    await until_here(alice, "alice")
    await bob.subscribe("/user/queue/notifications", "note")
    await alice.send("message", content="Anybody there?")
    came = {(await bob.next()).headers["subscription"] for _ in range(2)}
    assert came == {"s1", "note"}
    await bob.app("visibility", {"visible": True})
    await until_here(alice, "alice", "bob")
    await alice.send("visibility", visible=False)
    watcher = await site.stomp_user("bob")
    await watcher.subscribe(ACTIVITY, "activity")
    await until_here(watcher, "bob")


async def test_a_new_connection_is_visible_until_it_is_told(site: Site) -> None:
    alice, bob = await site.json_user(), await site.json_user("bob")
    await bob.send("visibility", visible=False)
    await until_here(alice, "alice")
    await bob.close()
    await site.json_user("bob")
    await until_here(alice, "alice", "bob")


async def test_visibility_needs_a_sign_in_and_a_yes_or_no(site: Site) -> None:
    alice = await site.json_user()
    await alice.send("visibility", visible="yes")
    assert (await alice.next_of("error"))["code"] == "bad_request"
    stranger = await site.stomp()
    await stranger.connect()
    await stranger.app("visibility", {"visible": False})
    assert (await stranger.next()).headers["x-code"] == "token_required"


async def test_members_who_do_not_look_are_not_named(site: Site) -> None:
    """Bob is a member and connected; that is nobody's business."""
    bob = await site.stomp_user("bob")
    await bob.subscribe("/user/queue/notifications", "note")
    await bob.subscribe(ACTIVITY, "activity")
    await site.until_present(BOB)
    alice = await site.json_user()
    await until_here(alice, "alice")
    assert await bob.presence() in (here(), here("alice"))


async def test_who_is_no_member_any_more_neither_sees_nor_is_seen(site: Site) -> None:
    alice, bob = await site.json_user(), await site.stomp_user("bob")
    await bob.subscribe()
    await bob.subscribe(ACTIVITY, "activity")
    await until_here(alice, "alice", "bob")
    await until_here(bob, "alice", "bob")
    await site.remove(BOB)
    await until_here(alice, "alice")
    third = await site.json_user()
    await until_here(third, "alice")
    assert [(await bob.next()).json["type"] for _ in range(2)] == ["removed", "removed"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await bob.presence()


async def test_a_crowd_is_counted(site: Site) -> None:
    leases = [Lease(f"elsewhere-{n}", UserId(f"u{n}"), (ONE,)) for n in range(120)]
    await site.presence.renew(leases)
    alice = await site.json_user()
    assert await alice.presence() == {"type": "presence", "roomId": "1", "count": 121}


async def test_who_is_there_when_it_stops_has_left_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that nobody ends would keep notifications from a user for a minute."""
    async with running(tmp_path) as site:
        await site.json_user()
        await site.until_present(ALICE)
        monkeypatch.setattr(presence_reporter, "REPORT_SECONDS", 60)
        await site.gateway.drain(5)
    assert await connected(site.presence, [ALICE]) == set()
