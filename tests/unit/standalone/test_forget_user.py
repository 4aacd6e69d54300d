"""`allibe forget-user`: what it erases, what it says, and what it asks before."""

from asyncio import run, sleep

import pytest
from click.testing import CliRunner, Result

from allibe_services.contracts.errors import NotAMember
from allibe_services.contracts.ids import FORGOTTEN, RoomId, UserId
from allibe_services.contracts.messages import Message, now
from allibe_services.contracts.notifications import QuietHours
from allibe_services.settings import load
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from allibe_standalone import retention
from allibe_standalone.cli import cli
from tests.support.commands import post
from tests.support.push_browser import PushBrowser

ALICE, BOB = UserId("alice"), UserId("bob")


@pytest.fixture(autouse=True)
def _known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "KNOWN_SECONDS", 0.0)


@pytest.fixture
def url(url: str) -> str:
    """Room 1 of alice and bob, who said one thing each; room 2 is bob's own."""
    run(_fill(url))
    return url


async def _fill(url: str) -> None:
    store = SqlStore(SqliteDatabase(url))
    await store.rooms.create("room", ALICE, members=[BOB], room_id=RoomId("1"))
    await store.rooms.create("room", BOB, room_id=RoomId("2"))
    await store.log.append([post("hers"), post("his", sender="bob")])
    await store.log.append([post("his own", sender="bob", room="2")])
    await store.pushes.subscribe(BOB, PushBrowser().subscription("https://push.example.net/1"))
    await store.notifications.change_settings(BOB, quiet_hours=QuietHours(0, 60, "UTC"))
    await store.close()


async def _log(url: str, room: str = "1") -> list[Message]:
    store = SqlStore(SqliteDatabase(url))
    log = await store.log.after(RoomId(room), 0, most=9)
    await store.close()
    return log


def forget(url: str, *arguments: str, answer: str | None = None) -> Result:
    environment = {"ALLIBE_DATABASE_URL": url}
    return CliRunner().invoke(cli, ["forget-user", *arguments], env=environment, input=answer)


def test_all_that_is_kept_of_the_user_goes(url: str) -> None:
    done = forget(url, "bob", "--yes")
    assert done.exit_code == 0, done.output
    assert done.output == "Erased 2 messages in 2 rooms, ended 2 memberships.\n"
    said = [(message.sender, message.content) for message in run(_log(url))]
    assert said == [("alice", "hers"), (FORGOTTEN, "")]
    assert [message.content for message in run(_log(url, "2"))] == [""]

    async def look() -> None:
        store = SqlStore(SqliteDatabase(url))
        assert await store.pushes.subscriptions(BOB) == []
        assert (await store.notifications.settings(BOB)).quiet_hours is None
        with pytest.raises(NotAMember):
            await store.members.role(RoomId("1"), BOB)
        (revoked,) = (await store.revocations.after(0, most=9))[1]
        left = (revoked.expires_at - now()).total_seconds()
        assert (revoked.kind, revoked.subject) == ("user", "bob")
        assert 0 <= load({}).token_life_seconds - left < 60
        await store.close()

    run(look())
    again = forget(url, "bob", "--yes").output
    assert again == "bob has no messages and no memberships; tokens are revoked.\n"


def test_what_was_let_in_before_all_had_heard_of_the_revocation_goes_too(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway lets the user speak for up to 2 s more."""
    waited: list[float] = []

    async def slept(seconds: float) -> None:
        if seconds == retention.KNOWN_SECONDS:
            waited.append(seconds)
            store = SqlStore(SqliteDatabase(url))
            assert len((await store.revocations.after(0, most=9))[1]) == 1
            await store.log.append([post("too late", sender="bob")])
            await store.close()
        await sleep(0)

    monkeypatch.setattr(retention, "KNOWN_SECONDS", 12.5)
    monkeypatch.setattr("allibe_standalone.retention.asyncio.sleep", slept)
    assert forget(url, "bob", "--yes").output.startswith("Erased 3 messages in 2 rooms")
    assert waited == [12.5]
    assert [message.content for message in run(_log(url))] == ["hers", "", ""]


def test_it_asks_first(url: str) -> None:
    done = forget(url, "bob", answer="n\n")
    assert done.exit_code == 1
    assert "What bob wrote cannot be brought back" in done.stderr
    assert [message.content for message in run(_log(url))] == ["hers", "his"]


def test_no_answer_is_a_no_on_a_line_of_its_own(url: str) -> None:
    """Standard input is closed, as in a cron job."""
    done = forget(url, "bob", answer="")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "allibe: nothing is erased"
    assert "Aborted" not in done.output
    assert [message.content for message in run(_log(url))] == ["hers", "his"]


def test_what_is_no_user_id_is_one_line(url: str) -> None:
    """And nobody is asked first."""
    done = forget(url, "bo b")
    assert done.exit_code == 1
    assert done.output.startswith("allibe: A user id is ")
