"""Stands between a page and the server's WebSocket: holds back what the page posts, or refuses it.

For what no real server can be made to do at the right moment. Attach it before the page is loaded.
"""

import json
import re
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

_ADDRESS = re.compile(r"/allibe-ws$")


class SocketGate:
    """Open at first; set `holding` or `refusing`."""

    def __init__(self) -> None:
        self.holding = False
        """SEND frames with messages wait until `release`."""
        self.refusing: dict[str, Any] | None = None
        """What messages are answered with in place of being sent: a soft error."""
        self._held: list[tuple[WebSocketRoute, str]] = []

    def attach(self, page: Page) -> None:
        """Stand before all connections that the page opens."""
        page.route_web_socket(_ADDRESS, self._opened)

    def release(self) -> None:
        """Let go of what was held, and of what comes."""
        self.holding = False
        for server, text in self._held:
            server.send(text)
        self._held.clear()

    def _opened(self, page_side: WebSocketRoute) -> None:
        server = page_side.connect_to_server()

        def from_page(data: str | bytes) -> None:
            text = data if isinstance(data, str) else data.decode()
            is_post = text.startswith("SEND\n") and "destination:/app/message" in text
            if is_post and self.refusing is not None:
                page_side.send(_refusal(text, self.refusing))
            elif is_post and self.holding:
                self._held.append((server, text))
            else:
                server.send(text)

        page_side.on_message(from_page)


def _refusal(post: str, error: dict[str, Any]) -> str:
    """Return the MESSAGE on `/user/queue/errors` that refuses a SEND (docs/protocol.md, Errors)."""
    found = re.search(r"^receipt:(.*)$", post, re.MULTILINE)
    assert found is not None, post
    body = json.dumps(
        {"type": "error", "receiptId": found[1], "destination": "/app/message"} | error
    )
    return (
        "MESSAGE\nsubscription:errors\nmessage-id:e-1\ndestination:/user/queue/errors\n"
        f"content-type:application/json\n\n{body}\0"
    )
