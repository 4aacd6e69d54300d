"""stomp.py over WebSocket against a real process: the stock client of Python.

What it needs, and what is its own way:

- `ws_path="/allibe-ws"`, and the token either as a header of `connect` or in `header` of the
  handshake. It asks for no WebSocket subprotocol, so none may be required.
- It connects with the command STOMP, not CONNECT.
- `WSStompConnection` speaks 1.2. For 1.1 the same transport goes under `Protocol11`, as below.
- It closes when the receipt of its DISCONNECT has come, and tells `on_disconnected` before
  `on_receipt`. With a receipt of its own `disconnect` waits for that, and needs it named.
- `auto_content_length` (on by default) is right for any text: it counts bytes.
"""

import json
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stomp
from stomp.adapter.ws import WSStompConnection, WSTransport
from stomp.connect import BaseConnection
from stomp.protocol import Protocol11
from stomp.utils import Frame

from tests.support.fixtures import StartServer
from tests.support.server import WAIT_SECONDS, Server

Connection = Any
Connect = Callable[..., Connection]


class WSStompConnection11(BaseConnection, Protocol11):  # type: ignore[misc]
    """What stomp.py does not bring: STOMP 1.1 over its WebSocket transport."""

    def __init__(self, hosts: list[tuple[str, int]], **options: Any) -> None:
        heart_beats = options.pop("heartbeats", (0, 0))
        transport = WSTransport(hosts, **options)
        BaseConnection.__init__(self, transport)
        Protocol11.__init__(self, transport, heart_beats)

    def connect(self, *arguments: Any, **options: Any) -> None:
        self.transport.start()
        Protocol11.connect(self, *arguments, **options)

    def disconnect(self, receipt: str) -> None:
        Protocol11.disconnect(self, receipt)
        self.transport.stop()


CONNECTIONS = {"1.1": WSStompConnection11, "1.2": WSStompConnection}


class Listener(stomp.ConnectionListener):  # type: ignore[misc]
    """Puts what stomp.py's thread tells into a queue."""

    def __init__(self) -> None:
        self.told: queue.Queue[tuple[str, Frame]] = queue.Queue()

    def on_connected(self, frame: Frame) -> None:
        self.told.put(("connected", frame))

    def on_message(self, frame: Frame) -> None:
        self.told.put(("message", frame))

    def on_receipt(self, frame: Frame) -> None:
        self.told.put(("receipt", frame))

    def on_error(self, frame: Frame) -> None:
        self.told.put(("error", frame))

    def on_disconnected(self) -> None:
        self.told.put(("disconnected", Frame("disconnected")))

    def next(self, kind: str) -> Frame:
        """Return the next thing told, which must be of this kind."""
        found, frame = self.told.get(timeout=WAIT_SECONDS)
        assert found == kind, frame
        return frame


class Client:
    """A connection of stomp.py's and what it told."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.listener = Listener()
        connection.set_listener("test", self.listener)

    def next(self, kind: str) -> Frame:
        return self.listener.next(kind)


@pytest.fixture(params=CONNECTIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_client(version: str) -> Iterator[Callable[..., Client]]:
    """Open connections; they are gone at the test's end."""
    opened: list[Client] = []

    def open_one(server: Server, user: str = "alice", **options: Any) -> Client:
        connection = CONNECTIONS[version](
            [("127.0.0.1", server.port)], ws_path="/allibe-ws", **options
        )
        client = Client(connection)
        opened.append(client)
        connection.connect(wait=True, headers={"Authorization": server.token(user)})
        return client

    yield open_one
    for client in opened:
        client.connection.transport.disconnect_socket()
        client.connection.transport.stop()


OpenClient = Callable[..., Client]


def test_it_connects_with_its_version_and_learns_who_it_is(
    server: Server, open_client: OpenClient, version: str
) -> None:
    """Without a subprotocol, with the command STOMP."""
    connected = open_client(server).next("connected")
    assert connected.headers["version"] == version
    assert connected.headers["user-name"] == "alice"
    assert connected.headers["session"]


def test_the_token_may_come_with_the_handshake(server: Server, version: str) -> None:
    """`header` of the transport is what proxies and gateways often use."""
    client = Client(
        CONNECTIONS[version](
            [("127.0.0.1", server.port)],
            ws_path="/allibe-ws",
            header={"Authorization": f"Bearer {server.token('bob')}"},
        )
    )
    client.connection.connect(wait=True)
    assert client.next("connected").headers["user-name"] == "bob"
    client.connection.disconnect(receipt="bye")


@pytest.mark.parametrize("content", ["test-content", "안녕하세요 👋", "a:b\\c\nd"])
def test_it_subscribes_sends_and_gets_receipt_and_message(
    server: Server, open_client: OpenClient, content: str
) -> None:
    """Receipt and message may come in either order; both come."""
    client = open_client(server)
    client.next("connected")
    client.connection.subscribe("/topic/rooms/1", id="room", receipt="subscribed")
    assert client.next("receipt").headers["receipt-id"] == "subscribed"
    client.connection.send(
        "/app/message",
        json.dumps({"content": content, "roomId": "1"}, ensure_ascii=False),
        headers={"receipt": "sent"},
    )
    told = dict(client.listener.told.get(timeout=WAIT_SECONDS) for _ in range(2))
    assert told["receipt"].headers["receipt-id"] == "sent"
    assert json.loads(told["message"].body)["content"] == content
    assert told["message"].headers["subscription"] == "room"


def test_its_ack_moves_the_read_marker(
    server: Server, open_client: OpenClient, version: str
) -> None:
    """`ack:client`: an ACK of a message says that all up to it was read."""
    client = open_client(server)
    client.next("connected")
    client.connection.subscribe("/topic/rooms/2", id="room", ack="client", receipt="subscribed")
    client.next("receipt")
    client.connection.send("/app/message", '{"content":"read me","roomId":"2"}')
    message = client.next("message")
    if version == "1.1":
        client.connection.ack(message.headers["message-id"], "room", receipt="acked")
    else:
        client.connection.ack(message.headers["ack"], receipt="acked")
    assert client.next("receipt").headers["receipt-id"] == "acked"


def test_a_transaction_holds_messages_back_until_its_commit(
    server: Server, open_client: OpenClient
) -> None:
    """The receipt of COMMIT says that all of them are stored."""
    client = open_client(server)
    client.next("connected")
    client.connection.subscribe("/topic/rooms/1", id="room", receipt="subscribed")
    client.next("receipt")
    for end in ("abort", "commit"):
        transaction = client.connection.begin()
        body = json.dumps({"content": f"to {end}", "roomId": "1"})
        client.connection.send("/app/message", body, transaction=transaction)
        getattr(client.connection, end)(transaction, receipt=f"{end}-done")
    assert client.next("receipt").headers["receipt-id"] == "abort-done"
    told = dict(client.listener.told.get(timeout=WAIT_SECONDS) for _ in range(2))
    assert told["receipt"].headers["receipt-id"] == "commit-done"
    assert json.loads(told["message"].body)["content"] == "to commit"


def test_disconnect_is_answered_before_the_end(server: Server, open_client: OpenClient) -> None:
    """STOMP 1.2, "DISCONNECT": the receipt says that all before it was handled."""
    client = open_client(server)
    client.next("connected")
    client.connection.send("/app/message", '{"content":"last words","roomId":"1"}')
    client.connection.disconnect(receipt="bye")
    # stomp.py ends the connection when it sees the receipt, and tells of both in that order.
    client.next("disconnected")
    assert client.next("receipt").headers["receipt-id"] == "bye"


def test_a_refusal_reaches_on_error(server: Server, open_client: OpenClient) -> None:
    """With its code, and the receipt that was asked for."""
    client = open_client(server, "carol")
    client.next("connected")
    client.connection.subscribe("/topic/rooms/2", id="room", receipt="subscribed")
    error = client.next("error")
    assert error.headers["x-code"] == "not_a_member"
    assert error.headers["receipt-id"] == "subscribed"


def test_heart_beats_both_ways_keep_it_alive(
    start_server: StartServer, open_client: OpenClient
) -> None:
    """stomp.py gives up after one and a half intervals of silence, the server after two."""
    server = start_server(ALLIBE_HEART_BEAT_SECONDS="0.4")
    client = open_client(server, heartbeats=(400, 400))
    assert client.next("connected").headers["heart-beat"] == "400,400"
    with pytest.raises(queue.Empty):
        client.listener.told.get(timeout=2.5)
    client.connection.send(
        "/app/message", '{"content":"alive","roomId":"1"}', headers={"receipt": "sent"}
    )
    assert client.next("receipt").headers["receipt-id"] == "sent"
