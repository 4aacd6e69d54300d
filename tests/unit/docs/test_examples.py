"""docs/protocol.md run against a real server: what it shows to be sent is sent, and what it shows
to come comes."""

import json
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from allibe_gateway.stomp import Frame
from tests.support.clients import Clients
from tests.support.json_client import Json
from tests.support.server import Server, running
from tests.support.stomp_client import StompClient
from tests.unit.docs.examples import (
    EPOCHS,
    PAGE,
    Block,
    blocks,
    frames,
    like,
    like_frame,
    objects,
    turns,
)

STOMP_PART, JSON_PART = PAGE.read_text().split("\n## JSON at ")
MOMENT = 0.5
"""Seconds for what is on its way to come, where it may not come at all."""

TRIES = 40


class Reader:
    """Alice reads the page aloud: each block is one step of one conversation."""

    def __init__(self, server: Server, clients: Clients) -> None:
        self.client: StompClient
        self.server = server
        self._clients = clients
        self._bob = clients.api(server, "bob")
        self._epochs: dict[str, str] = {}
        self._receipts: dict[str, Frame] = {}

    async def begin(self) -> None:
        """Learn which epochs the rooms really have."""
        rooms = {room["roomId"]: room["epoch"] for room in await self._bob.rooms()}
        self._epochs = {shown: rooms[room_id] for room_id, shown in EPOCHS.items()}

    async def step(self, block: Block) -> None:
        """Do, or check, what a block shows."""
        shown = self.real(block.text)
        for note in block.notes:
            await self._before(note, block, shown)
        if block.kind == "json":
            for body in objects(shown):
                await self._comes(body)
        else:
            act = self._send if block.direction == ">" else self._answer
            for frame in frames(shown):
                await act(frame)
        for note in block.notes:
            if note.startswith("closes with "):
                assert await self.client.closed() == int(note.split()[-1])

    async def _before(self, note: str, block: Block, shown: str) -> None:
        if note == "new connection":
            self.client = await self._clients.web_socket(self.server)
            if not shown.startswith("CONNECT\n"):
                await self.client.connect(self.server.token("alice"))
        elif note == "after x-soft-errors":
            self.client = await self._clients.web_socket(self.server)
            await self.client.connect(self.server.token("alice"), x_soft_errors="true")
            await self.client.subscribe("/user/queue/errors", id="errors")
        elif match := re.fullmatch(r"after a SUBSCRIBE to (\S+)", note):
            (error,) = frames(shown)
            headers = {"id": "x", "destination": match[1], "receipt": error.headers["receipt-id"]}
            await self.client.send_frame("SUBSCRIBE", headers)
        elif match := re.fullmatch(r'alice posts "(.*)" to (\S+)', note):
            (error_body,) = objects(shown)
            headers = {"destination": "/app/message", "receipt": error_body["receiptId"]}
            body = json.dumps({"content": match[1], "roomId": match[2]})
            await self.client.send_frame("SEND", headers, body)
        elif match := re.fullmatch(r'bob posts "(.*)" to (\S+)', note):
            if block.direction == "<":
                await self._until_bob_is_heard()
            await self._bob_posts(match[1], match[2])
        else:
            assert note.startswith("closes with "), f"nobody knows what {note!r} means"

    async def _bob_posts(self, content: str, room_id: str) -> None:
        status, _ = await self._bob.ask("POST", f"/rooms/{room_id}/messages", {"content": content})
        assert status == 201

    async def _until_bob_is_heard(self) -> None:
        """Who is connected is reported a moment later: try in another room until it was."""
        room_id = await self._bob.new_room(None, "alice")
        for number in range(TRIES):
            await self._bob_posts(f"psst {number}", room_id)
            try:
                await self.client.take(lambda frame: b"psst" in frame.body, seconds=MOMENT)
            except TimeoutError:
                continue
            return
        raise AssertionError("alice is never notified")

    async def _send(self, frame: Frame) -> None:
        lines = [frame.command, *(f"{name}:{value}" for name, value in frame.headers.items())]
        await self.client.send_text("\n".join([*lines, "", frame.body.decode()]) + "\0")
        if frame.command == "CONNECT":
            return
        if receipt := frame.headers.get("receipt"):
            self._receipts[receipt] = await self.client.receipt(receipt)
        # What has no receipt was not refused either: the ERROR would come before this one.
        await self.client.request("BEGIN", {"transaction": "t"})
        await self.client.request("ABORT", {"transaction": "t"})

    async def _answer(self, shown: Frame) -> None:
        if shown.command == "RECEIPT":
            came = self._receipts.pop(shown.headers["receipt-id"])
        else:
            came = await self.client.take(lambda frame: frame.command == shown.command)
        assert like_frame(shown, came), f"shown: {shown!r} {shown.body!r}, came: {came.body!r}"

    async def _comes(self, shown: Json) -> None:
        try:
            await self.client.take(
                lambda frame: frame.command == "MESSAGE" and like(shown, json.loads(frame.body)),
                seconds=10,
            )
        except TimeoutError:
            came = [frame.body.decode() for frame in self.client.waiting]
            raise AssertionError(f"shown: {shown}, came: {came}") from None

    def real(self, text: str) -> str:
        """Return what the page shows, with real epochs and tokens."""
        for shown, real in self._epochs.items():
            text = text.replace(shown, real)
        return text.replace("<token>", self.server.token("alice"))


@pytest.fixture
async def reader(tmp_path: Path, clients: Clients) -> AsyncIterator[Reader]:
    with running(tmp_path) as server:
        reader = Reader(server, clients)
        await reader.begin()
        yield reader


async def test_the_stomp_conversation_goes_as_the_page_says(reader: Reader) -> None:
    for block in blocks(STOMP_PART):
        await reader.step(block)


async def test_the_json_conversation_goes_as_the_page_says(
    reader: Reader, clients: Clients
) -> None:
    (block,) = blocks(JSON_PART)
    client = await clients.json_socket(
        reader.server, {"roomId": "2", "token": reader.server.token("alice")}
    )
    for direction, said in turns(reader.real(block.text)):
        if direction == ">":
            await client.send(**said)
        else:
            await client.take(partial(like, said))
    assert await client.closed() == 1000
    # Who is here is told at no certain moment, before alice is reported to be here too.
    assert {item["type"] for item in client.waiting} <= {"presence"}


def test_there_is_something_to_run() -> None:
    assert len(blocks(STOMP_PART)) > 15
    assert len(list(turns(blocks(JSON_PART)[0].text))) > 10
