"""SockJS over HTTP as a client without a library sees it: requests, and frames in their answers."""

import asyncio
import json
import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote

import aiohttp

from tests.integration.gateway import WAIT_SECONDS, Frame, Site, frame, token

METHODS = {
    "xhr": "POST",
    "xhr_streaming": "POST",
    "eventsource": "GET",
    "htmlfile": "GET",
    "jsonp": "GET",
}
STREAMS = ("xhr_streaming", "eventsource", "htmlfile")

_FRAMES = {
    "xhr": re.compile(r"([oahc][^\n]*)\n"),
    "xhr_streaming": re.compile(r"(?<!h)([oahc](?!h)[^\n]*)\n"),
    "eventsource": re.compile(r"data: ([^\r\n]*)\r\n\r\n"),
    "htmlfile": re.compile(r"<script>\np\((\"[^\r\n]*\")\);\n</script>\r\n"),
    "jsonp": re.compile(r"/\*\*/back\((\".*\")\);\r\n"),
}


class SockJs:
    """One session. `frames` come one by one, over as many requests as it takes."""

    def __init__(
        self, site: Site, transport: str, session: str, *, server: str = "000", **headers: str
    ) -> None:
        self.transport = transport
        self.session = session
        self.requests = 0
        self.query: dict[str, str] = {}
        self._site = site
        self._headers = headers
        self._url = f"{site.url}/allibe-ws/{server}/{session}"
        self._answer: aiohttp.ClientResponse | None = None
        self._text = ""
        self._members: list[str] = []

    async def frame(self) -> str:
        """Return the next SockJS frame, as it is within what it is wrapped in."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (found := _FRAMES[self.transport].search(self._text)) is None:
                await self._more()
        self._text = self._text[found.end() :]
        kept = found[1]
        if self.transport in ("htmlfile", "jsonp"):
            kept = json.loads(kept)
        return unquote(kept) if self.transport == "eventsource" else kept

    async def stomp(self) -> Frame:
        """Return the next STOMP frame, past heart-beats of both kinds."""
        while not self._members:
            text = await self.frame()
            if text != "h":
                assert text[0] == "a", text
                self._members = [one for one in json.loads(text[1:]) if one != "\n"]
        return Frame(self._members.pop(0))

    async def send(self, *texts: str) -> None:
        """Send messages; they must be taken."""
        status, _ = await self.post(json.dumps(texts))
        assert status == (200 if self.transport == "jsonp" else 204)

    async def post(self, body: str | bytes, **headers: str) -> tuple[int, str]:
        """Send whatever, and return what was answered."""
        kind = "jsonp_send" if self.transport == "jsonp" else "xhr_send"
        if self.transport == "jsonp" and "Content-Type" not in headers:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = f"d={quote(body)}"
        async with self._site.http.post(
            f"{self._url}/{kind}", data=body, headers=self._headers | headers, params=self.query
        ) as answer:
            return answer.status, await answer.text()

    async def connect(self, user: str = "alice", **headers: str) -> Frame:
        """Open, and CONNECT as a user."""
        assert await self.frame() == "o"
        headers = {"accept_version": "1.2", "host": "h", "Authorization": token(user)} | headers
        await self.send(frame("CONNECT", **headers))
        answer = await self.stomp()
        assert answer.command == "CONNECTED", answer
        return answer

    async def subscribe(self, **headers: str) -> Frame:
        headers = {"destination": "/topic/rooms/1", "id": "s1", "receipt": "r-s1"} | headers
        await self.send(frame("SUBSCRIBE", **headers))
        answer = await self.stomp()
        assert answer.command == "RECEIPT", answer
        return answer

    async def publish(self, content: str, **headers: str) -> None:
        body = json.dumps({"content": content, "roomId": "1"}, ensure_ascii=False)
        await self.send(frame("SEND", body, destination="/app/message", **headers))

    async def content(self) -> Any:
        """Return the content of the MESSAGE that comes next."""
        message = await self.stomp()
        assert message.command == "MESSAGE", message
        return message.json["content"]

    async def open(self) -> aiohttp.ClientResponse:
        """Ask for frames."""
        query = self.query | ({"c": "back"} if self.transport in ("htmlfile", "jsonp") else {})
        self.requests += 1
        self._answer = await self._site.http.request(
            METHODS[self.transport],
            f"{self._url}/{self.transport}",
            params=query,
            headers=self._headers,
        )
        return self._answer

    def drop(self) -> None:
        """Break the request that receives."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None

    async def _more(self) -> None:
        if self._answer is None:
            self._text = ""
            answer = await self.open()
            assert answer.status == 200, await answer.text()
        assert self._answer is not None
        chunk = await self._answer.content.readany()
        if not chunk:
            self._answer.release()
            self._answer = None
        self._text += chunk.decode()

    async def close(self) -> None:
        with suppress(aiohttp.ClientError):
            self.drop()
