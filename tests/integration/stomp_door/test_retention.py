"""What was deleted from the log or blanked in it, as clients of a running gateway see it."""

from datetime import timedelta
from pathlib import Path

import pytest

from allibe_gateway import comparing
from allibe_gateway.limits import Limits
from allibe_services.contracts.ids import FORGOTTEN
from allibe_services.contracts.messages import now
from allibe_services.store.retention import Retention
from tests.integration.gateway import BOB, ONE, ROOM, Closed, Site, StompClient, running


async def said(site: Site, *users: str) -> list[str]:
    """Let users post in turn; return the message-ids."""
    listener = await site.stomp_user("alice")
    await listener.subscribe()
    for number, user in enumerate(users, 1):
        await (await site.stomp_user(user)).post(str(number))
        await site.until_stored(*(str(n) for n in range(1, number + 1)))
    return [one.headers["message-id"] for one in await listener.messages(len(users))]


async def come_back(client: StompClient, message_id: str) -> None:
    await client.send("SUBSCRIBE", id="s", destination=ROOM, receipt="r", x_since=message_id)


async def test_who_was_away_while_the_log_was_pruned_is_told(tmp_path: Path) -> None:
    tomorrow = now() + timedelta(days=1)
    async with running(tmp_path, limits=Limits(tail_bytes=1)) as site:
        ids = await said(site, "alice", "bob", "alice", "bob")
        await Retention(site.store._database).prune(ONE, before=tomorrow, keep_last=2)

        bob = await site.stomp_user("bob")
        await come_back(bob, ids[0])
        assert (await bob.next()).headers["x-recovered"] == "false"
        again = await site.stomp_user("bob")
        await come_back(again, ids[1])
        assert await again.contents(2) == ["3", "4"]
        assert (await again.next()).headers["x-recovered"] == "true"


async def test_what_a_gateway_has_in_memory_of_a_forgotten_user_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever listens starts again within a comparison, and gets nothing of it any more."""
    monkeypatch.setattr(comparing, "COMPARE_SECONDS", 0.2)
    async with running(tmp_path) as site:
        ids = await said(site, "alice", "bob", "alice")
        listener = await site.stomp_user("alice")
        await listener.subscribe()
        await Retention(site.store._database).erase(ONE, BOB)
        with pytest.raises(Closed, match="4410"):
            await listener.next()

        alice = await site.stomp_user("alice")
        await come_back(alice, ids[0])
        receipt = await alice.next()
        assert receipt.headers["x-recovered"] == "false"
        epoch = receipt.headers["x-epoch"]
        assert epoch != ids[0].split(".")[1]
        await alice.send("UNSUBSCRIBE", id="s")
        await come_back(alice, f"1.{epoch}.0")
        replayed = [frame.json for frame in await alice.messages(3)]
        assert [(one["sender"], one["content"]) for one in replayed] == [
            ("alice", "1"),
            (FORGOTTEN, ""),
            ("alice", "3"),
        ]
