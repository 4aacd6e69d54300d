"""permessage-deflate in Chromium, which offers it always, against a real process."""

import pytest
from playwright.sync_api import Browser

from tests.support.browser import StartDemo
from tests.support.server import Server

CONTENT = "안녕하세요 👋 how are you? " * 90

SCRIPT = """({ url, content }) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url);
  socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'joined') socket.send(JSON.stringify({ type: 'message', content }));
    if (message.type === 'message') resolve([socket.extensions, message.content]);
  };
})"""


@pytest.mark.long
def test_a_browser_sends_and_takes_compressed_messages(
    browser: Browser, start_demo: StartDemo
) -> None:
    server = start_demo(ALLIBE_WEBSOCKET_COMPRESSION="on")
    page = browser.new_page()
    page.goto(f"{server.url}/allibe-ws")  # any page of this origin
    extensions, content = page.evaluate(SCRIPT, {"url": _door(server), "content": CONTENT})
    page.close()
    assert extensions.startswith("permessage-deflate; server_no_context_takeover")
    assert content == CONTENT


def _door(server: Server) -> str:
    address = server.url.replace("http", "ws")
    return f"{address}/ws/chat?roomId=1&token={server.token('alice')}"
