"""`terminal.chat` and `terminal.outbox`: nothing lost, nothing doubled, whatever connections do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from allibe_gateway.stomp import Frame
from allibe_services.contracts.disconnects import (
    NOT_ALLOWED,
    RESTART,
    SLOW_CONSUMER,
    TOKEN_EXPIRED,
    Disconnect,
)
from allibe_standalone.terminal import chat, outbox
from allibe_standalone.terminal.endings import CONNECTION_LOST, Backoff, CannotChat
from tests.unit.standalone.terminal.entries import message
from tests.unit.standalone.terminal.fakes import FakeLink, Scene


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "next", lambda *_: 0.0)
    monkeypatch.setattr(chat, "SEEN_SECONDS", 0.02)


@asynccontextmanager
async def _playing(scene: Scene) -> AsyncIterator[None]:
    """Run the chat during the block; after it, the user leaves."""
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(scene.run())
        yield
        scene.typing.end()


def _content(line: Frame) -> str:
    decoded = msgspec.json.decode(line.body)
    assert isinstance(decoded["content"], str)
    return decoded["content"]


def _since(link: FakeLink) -> str:
    return next(frame for frame in link.sent if "x-since" in frame.headers).headers["x-since"]


async def test_history_comes_first_and_the_stream_goes_on_from_its_end() -> None:
    link = FakeLink()
    scene = Scene(link)
    scene.api.log = [message("one", offset=1), message("two", offset=2)]
    async with _playing(scene):
        link.subscribed()
        link.entry(message("two", offset=2))
        link.entry(message("three", offset=3))
        await scene.until_shown("three")
    assert _since(link) == "1.e1.2"
    assert scene.contents() == ["one", "two", "three"]


async def test_nothing_is_sent_before_the_replay_is_over() -> None:
    link = FakeLink()
    scene = Scene(link)
    async with _playing(scene):
        scene.typing.type("hello")
        link.entry(message("replayed", offset=1))
        await scene.until_shown("replayed")
        assert [frame.command for frame in link.sent] == ["SUBSCRIBE", "SUBSCRIBE"]
        link.subscribed()
        (line,) = await link.lines(1)
        assert _content(line) == "hello"
        assert line.headers["receipt"] == msgspec.json.decode(line.body)["clientMessageId"]
        link.receipt(line)


async def test_after_a_loss_it_resumes_and_sends_again_what_has_no_receipt() -> None:
    first, second = FakeLink(), FakeLink()
    scene = Scene(first, second)
    async with _playing(scene):
        first.subscribed()
        scene.typing.type("one", "two")
        one, two = await first.lines(2)
        first.receipt(one)
        first.entry(message("from bob", offset=5))
        first.end(CONNECTION_LOST)
        await scene.until_shown("Connection lost")
        second.subscribed()
        (again,) = await second.lines(1)
        second.receipt(again)
    assert again == two
    assert _since(second) == "1.e1.5"
    assert [line for line in scene.shown if line.startswith("-- Conn")] == [
        "-- Connection lost. Trying again.",
        "-- Connected again.",
    ]


async def test_a_line_that_the_replay_shows_is_not_sent_again() -> None:
    """Its receipt was lost, not the line."""
    first, second = FakeLink(), FakeLink()
    scene = Scene(first, second)
    async with _playing(scene):
        first.subscribed()
        scene.typing.type("one")
        (one,) = await first.lines(1)
        first.end(CONNECTION_LOST)
        own = message("one", sender="alice", offset=1, client_message_id=one.headers["receipt"])
        second.entry(own)
        second.subscribed()
        await scene.until_shown("Connected again")
        scene.typing.type("two")
        (two,) = await second.lines(1)
        second.receipt(two)
    assert _content(two) == "two"
    assert scene.contents() == ["one"]


async def test_several_failed_tries_are_one_outage_to_the_user() -> None:
    links = [FakeLink() for _ in range(5)]
    scene = Scene(*links)
    async with _playing(scene):
        links[0].subscribed()
        links[0].end(RESTART)
        for link in links[1:4]:
            link.turn_away(CONNECTION_LOST)
        links[4].subscribed()
        await scene.until_shown("Connected again")
    assert len([line for line in scene.shown if "Trying again" in line]) == 1


async def test_where_recovery_is_impossible_it_says_so_and_shows_the_latest() -> None:
    first, second = FakeLink(), FakeLink()
    scene = Scene(first, second)
    scene.api.log = [message("one", offset=1)]
    async with _playing(scene):
        first.subscribed()
        await scene.until_shown("/quit leaves")
        scene.api.log = [message(f"m{n}", offset=n) for n in range(1, 601)]
        first.end(SLOW_CONSUMER)
        second.subscribed(recovered=False)
        second.entry(message("m600", offset=600))
        second.entry(message("m601", offset=601))
        await scene.until_shown("m601")
    assert any("Not everything" in line for line in scene.shown)
    assert scene.contents() == ["one", *(f"m{n}" for n in range(581, 602))]


async def test_a_log_of_another_epoch_is_shown_from_its_latest() -> None:
    first, second = FakeLink(), FakeLink()
    scene = Scene(first, second)
    scene.api.log = [message("old", offset=9)]
    async with _playing(scene):
        first.subscribed()
        await scene.until_shown("old")
        scene.api.log, scene.api.epoch = [message("new", offset=1, epoch="e2")], "e2"
        first.end(CONNECTION_LOST)
        second.subscribed(recovered=False)
        second.entry(message("newer", offset=2, epoch="e2"))
        await scene.until_shown("newer")
    assert scene.contents() == ["old", "new", "newer"]


async def test_an_expired_token_is_replaced_before_coming_back() -> None:
    first, second = FakeLink(), FakeLink()
    scene = Scene(first, second)
    async with _playing(scene):
        first.subscribed()
        first.end(TOKEN_EXPIRED)
        second.subscribed()
        await scene.until_shown("Connected again")
    assert (first.tokens, second.tokens) == (["token-1"], ["token-2"])


@pytest.mark.parametrize("disconnect", [NOT_ALLOWED, TOKEN_EXPIRED], ids=["final", "new token"])
async def test_what_cannot_get_better_ends_it_in_the_servers_words(disconnect: Disconnect) -> None:
    link = FakeLink()
    link.turn_away(disconnect, "You may not.")
    with pytest.raises(CannotChat, match="You may not"):
        await Scene(link).run()


async def test_a_server_that_was_never_there_is_not_waited_for() -> None:
    link = FakeLink()
    link.turn_away(CONNECTION_LOST, "cannot connect to x: Connection refused")
    with pytest.raises(CannotChat, match="Connection refused"):
        await Scene(link).run()


async def test_the_token_of_somebody_else_is_refused() -> None:
    with pytest.raises(CannotChat, match="the token is of bob, not of alice"):
        await Scene(FakeLink("bob")).run()


async def test_a_refused_room_ends_it() -> None:
    link = FakeLink()
    link.refuse("not_a_member", receiptId="room", destination="/topic/rooms/1")
    with pytest.raises(CannotChat, match="It is not_a_member"):
        await Scene(link).run()


async def test_a_member_who_is_removed_is_told_and_leaves() -> None:
    link = FakeLink()
    link.subscribed()
    link.refuse("not_a_member", destination="/topic/rooms/1")
    with pytest.raises(CannotChat, match="It is not_a_member"):
        await Scene(link).run()


async def test_a_room_that_cannot_be_opened_now_is_tried_again() -> None:
    first, second = FakeLink(), FakeLink()
    scene = Scene(first, second)
    async with _playing(scene):
        first.refuse("store_unavailable", receiptId="room", retryable=True)
        second.subscribed()
        await scene.until_shown("Connected.")


async def test_a_refused_line_is_told_and_costs_nothing_else() -> None:
    link = FakeLink()
    scene = Scene(link)
    async with _playing(scene):
        link.subscribed()
        scene.typing.type("bad", "good")
        bad, good = await link.lines(2)
        link.refuse("rejected", receiptId=bad.headers["receipt"])
        link.receipt(good)
        await scene.until_shown("Not sent: It is rejected.")


async def test_a_line_that_could_not_be_stored_is_sent_again_on_the_same_connection() -> None:
    link = FakeLink()
    scene = Scene(link)
    async with _playing(scene):
        link.subscribed()
        scene.typing.type("one")
        (one,) = await link.lines(1)
        link.refuse("store_unavailable", receiptId=one.headers["receipt"], retryable=True)
        lines = await link.lines(2)
        assert lines == [one, one]
        link.receipt(one)


async def test_a_line_that_comes_too_late_for_its_token_is_sent_with_the_next_one() -> None:
    first, second = FakeLink(), FakeLink()
    scene = Scene(first, second)
    async with _playing(scene):
        first.subscribed()
        scene.typing.type("one")
        (one,) = await first.lines(1)
        first.refuse("token_expired", receiptId=one.headers["receipt"])
        second.subscribed()
        assert await second.lines(1) == [one]
        second.receipt(one)
    assert second.tokens == ["token-2"]


async def test_lines_that_no_server_takes_are_refused_here() -> None:
    link = FakeLink()
    scene = Scene(link)
    async with _playing(scene):
        link.subscribed()
        scene.typing.type("x" * 8193, "a\0b", "", "   ", "/nonsense", "//quit")
        (line,) = await link.lines(1)
        link.receipt(line)
    assert _content(line) == "/quit"
    assert len([line for line in scene.shown if "Not sent" in line]) == 3


async def test_who_lists_the_members_and_quit_leaves() -> None:
    link = FakeLink()
    scene = Scene(link)
    link.subscribed()
    scene.typing.type("/who", "/quit", "never sent")
    await scene.run()
    assert "-- Members: bob (owner), eve" in scene.shown
    assert [frame.command for frame in link.sent][-1] == "DISCONNECT"
    assert await link.lines(0) == []


async def test_the_end_of_a_pipe_waits_for_receipts_and_for_what_was_sent_to_be_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat, "SEEN_SECONDS", 5.0)
    link = FakeLink()
    scene = Scene(link, interactive=False)
    async with _playing(scene):
        scene.typing.type("one")
        scene.typing.end()
        link.subscribed()
        (one,) = await link.lines(1)
        link.receipt(one)
        await asyncio.sleep(0)
        assert "DISCONNECT" not in [frame.command for frame in link.sent]
        own = message("one", sender="alice", offset=1, client_message_id=one.headers["receipt"])
        link.entry(own)
    assert scene.contents() == ["one"]


async def test_a_pipe_whose_lines_were_refused_does_not_end_well() -> None:
    link = FakeLink()
    link.subscribed()
    scene = Scene(link, interactive=False)
    scene.typing.type("/nonsense")
    scene.typing.end()
    with pytest.raises(CannotChat, match="1 line was not sent"):
        await scene.run()


async def test_leaving_at_once_tells_of_what_has_no_receipt() -> None:
    link = FakeLink()
    scene = Scene(link)
    link.subscribed()
    scene.typing.type("one", "two")

    async def leave() -> None:
        await link.lines(2)
        scene.chat.leave()

    with pytest.raises(CannotChat, match="2 lines were without a receipt"):
        await asyncio.gather(scene.run(), leave())


async def test_a_long_file_waits_for_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: no more lines are read while so many are under way."""
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    link = FakeLink()
    scene = Scene(link)
    async with _playing(scene):
        link.subscribed()
        scene.typing.type(*"abcdef")
        await link.lines(3)
        await asyncio.sleep(0.01)
        lines = await link.lines(3)
        assert len(lines) == 3
        for count in range(1, 7):
            lines = await link.lines(count)
            link.receipt(lines[count - 1])
    assert [_content(line) for line in lines] == list("abcdef")
