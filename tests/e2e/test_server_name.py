"""What answers say of the server: its name, and no version of anything."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.support.server import WAIT_SECONDS, Server

WEBSOCKET = (
    "GET /allibe-ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SOCKJS_WEBSOCKET = WEBSOCKET.replace("/allibe-ws", "/allibe-ws/000/abc/websocket")

ASKED = {
    "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n": 200,
    "GET /api/chat/rooms HTTP/1.1\r\nHost: x\r\n\r\n": 401,
    "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n": 404,
    "DELETE / HTTP/1.0\r\n\r\n": 405,
    "what is this\r\n\r\n": 400,
    "GET /allibe-ws/info HTTP/1.1\r\nHost: x\r\n\r\n": 200,
    WEBSOCKET: 101,
    SOCKJS_WEBSOCKET: 101,
}


@pytest.mark.parametrize(("request_text", "status"), ASKED.items(), ids=list(range(len(ASKED))))
def test_no_answer_tells_a_version(server: Server, request_text: str, status: int) -> None:
    address = ("127.0.0.1", urlsplit(server.url).port)
    with socket.create_connection(address, WAIT_SECONDS) as connection:
        connection.sendall(request_text.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(4096)
    first, *lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert int(first.split()[1]) == status
    assert [line for line in lines if line.lower().startswith("server:")] == ["Server: allibe"]
    assert "python" not in "\n".join(lines).lower()
    assert "aiohttp" not in "\n".join(lines).lower()
