"""Clients that know nothing of a cluster: stompjs, stomp.py, `allibe chat`, the page."""

import asyncio
import json
import queue

import stomp
from stomp.adapter.ws import WSStompConnection

from deploy.cluster.parts import Cluster
from tests.support.clients import Clients
from tests.support.node import running_script
from tests.support.places import SignedPlace
from tests.support.server import WAIT_SECONDS, eventually
from tests.support.terminal import Open


class Listener(stomp.ConnectionListener):  # type: ignore[misc]
    """Puts what stomp.py's thread tells into a queue."""

    def __init__(self) -> None:
        self.messages: queue.Queue[str] = queue.Queue()
        self.receipts: queue.Queue[str] = queue.Queue()

    def on_message(self, frame: stomp.utils.Frame) -> None:
        self.messages.put(json.loads(frame.body)["content"])

    def on_receipt(self, frame: stomp.utils.Frame) -> None:
        self.receipts.put(frame.headers["receipt-id"])


async def test_stompjs_sends_and_receives(
    node_packages: None, server: SignedPlace, clients: Clients
) -> None:
    room = await clients.api(server, "alice").new_room()
    async with running_script("session.mjs", server, room=room, content="안녕 👋") as script:
        message = await script.event("message")
        await script.event("deactivated")
        await script.end()
    assert message["body"]["content"] == "안녕 👋"
    assert {"event": "closed", "code": 1000, "clean": True} in script.told


async def test_stompjs_comes_back_at_the_other_gateway_when_its_own_dies(
    node_packages: None, cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """I3, I5: each message once, in order, whichever gateway dies meanwhile."""
    api = clients.api(server, "alice")
    room = await api.new_room()
    async with running_script("resume.mjs", server, room=room) as script:
        await script.event("subscribed")
        for number, gateway in enumerate(cluster.gateways):
            await api.ask("POST", f"/rooms/{room}/messages", {"content": f"before {number}"})
            await script.event("message", content=f"before {number}")
            await asyncio.to_thread(gateway.kill)
            await api.ask("POST", f"/rooms/{room}/messages", {"content": f"after {number}"})
            await script.event("message", content=f"after {number}")
            await asyncio.to_thread(gateway.start)
            # The other one dies next: clients must have somewhere to go.
            await asyncio.to_thread(cluster.until_served)
        await script.end()
    offsets = [one["offset"] for one in script.told if one["event"] == "message"]
    assert offsets == [1, 2, 3, 4]
    assert {"event": "closed", "code": 1006, "clean": False} in script.told


def test_stomp_py_sends_and_receives(cluster: Cluster, server: SignedPlace) -> None:
    """It asks for no subprotocol and offers no heart-beats."""
    connection = WSStompConnection([("127.0.0.1", cluster.balancer.port)], ws_path="/allibe-ws")
    listener = Listener()
    connection.set_listener("test", listener)
    connection.connect(wait=True, headers={"Authorization": server.token("alice")})
    connection.subscribe("/topic/rooms/1", id="room", receipt="subscribed")
    assert listener.receipts.get(timeout=WAIT_SECONDS) == "subscribed"
    connection.send("/app/message", '{"content": "from stomp.py", "roomId": "1"}')
    assert listener.messages.get(timeout=WAIT_SECONDS) == "from stomp.py"
    connection.disconnect(receipt="bye")


def test_two_terminals_chat_while_gateways_restart(
    cluster: Cluster, server: SignedPlace, chat: Open
) -> None:
    """A rolling restart: each gateway says goodbye in turn; lines come once and in order."""
    alice, bob = chat(server, "2", "alice"), chat(server, "2", "bob")
    alice.type("hello")
    bob.until("hello")
    typed = [f"line {number}" for number in range(20)]
    for gateway, part in zip(cluster.gateways, (typed[:10], typed[10:]), strict=True):
        gateway.stop()
        bob.type(*part)
        alice.until(part[-1])
        gateway.start()
        cluster.until_served()
    eventually(lambda: bob.messages[-1:] == typed[-1:], "bob sees his last line")
    assert alice.end() == bob.end() == 0
    assert alice.messages[-21:] == bob.messages[-21:] == ["hello", *typed]
