"""What an operator's server does with our webhook: check the signature, the time, then repeats."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from aiohttp import web

from tests.support.moody_server import MoodyServer

WINDOW = 300


class WebhookReceiver(MoodyServer):
    """Takes what is signed with `secret` (base64), once."""

    def __init__(self) -> None:
        super().__init__()
        self.secret = ""
        self.taken: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.seen: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append((headers, body))
        problem = self.problem(headers, body)
        if problem is not None:
            self.problems.append(problem)
            return web.Response(status=401)
        self.ids.append(headers["webhook-id"])
        self.taken.append(json.loads(body))
        return web.Response(status=204)

    def problem(self, headers: dict[str, str], body: bytes) -> str | None:
        """Return what is wrong with a request, if anything: Standard Webhooks 1.0."""
        name, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        content = f"{name}.{timestamp}.".encode() + body
        key = base64.b64decode(self.secret)
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        if f"v1,{expected}" not in headers["webhook-signature"].split(" "):
            return "signature"
        if abs(time.time() - int(timestamp)) > WINDOW:
            return "replay"
        return None
