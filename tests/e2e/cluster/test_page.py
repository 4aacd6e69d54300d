"""The chat page over the cluster: two users in two windows, while its parts come and go."""

import re

import pytest
from playwright.sync_api import expect

from deploy.cluster.parts import Cluster
from tests.support.backstage import Backstage
from tests.support.browser import (
    SERVER_AWAY,
    Complaints,
    Visit,
    backstage,
    browser,
    complaints,
    installed_chromium,
    shared_backstage,
    start_demo,
    visit,
)
from tests.support.chat_page import said_by_two
from tests.support.cluster import connections
from tests.support.places import SignedPlace

__all__ = [
    "backstage",
    "browser",
    "complaints",
    "installed_chromium",
    "shared_backstage",
    "start_demo",
    "visit",
]


@pytest.fixture
def room(server: SignedPlace, backstage: Backstage) -> str:
    return backstage.room(server, "Kitchen")


def test_two_users_chat_through_the_load_balancer(
    visit: Visit, server: SignedPlace, backstage: Backstage, room: str
) -> None:
    """One order for both, and unread counts in the list of whoever looks elsewhere."""
    alice, bob = visit("alice", room=room), visit("bob", room=room)
    said = said_by_two(alice, bob)
    assert backstage.contents(server, room) == said
    bob.enter("Friend Chat")
    alice.say("Look here")
    expect(bob.entry("Kitchen")).to_contain_text("1")


@pytest.mark.timeout(120)
def test_a_gateway_that_is_killed_costs_nothing(
    visit: Visit,
    cluster: Cluster,
    server: SignedPlace,
    backstage: Backstage,
    complaints: Complaints,
    room: str,
) -> None:
    """Its users are at the other one by themselves, and all is there once, in order."""
    complaints.expect(SERVER_AWAY)
    alice, bob = visit("alice", room=room), visit("bob", room=room)
    said = [alice.until_live(), bob.until_live()]
    assert sum(connections(gateway) for gateway in cluster.gateways) >= 2
    for gateway in cluster.gateways:
        gateway.kill()
        alice.say(f"alice without {gateway.name}")
        alice.until_stored(f"alice without {gateway.name}")
        bob.say(f"bob without {gateway.name}")
        bob.until_stored(f"bob without {gateway.name}")
        said += [f"{user} without {gateway.name}" for user in ("alice", "bob")]
        gateway.start()
        cluster.until_served()
    for chat in (alice, bob):
        expect(chat.texts).to_have_text(said)
        expect(chat.banner).to_be_empty()
    assert backstage.contents(server, room) == said


@pytest.mark.timeout(120)
def test_while_rabbitmq_is_away_messages_wait(
    visit: Visit, cluster: Cluster, server: SignedPlace, backstage: Backstage, room: str
) -> None:
    """They show as on their way, history can be read, and they go out when it is back."""
    alice, bob = visit("alice", room=room), visit("bob", room=room)
    said = [alice.until_live(), bob.until_live()]
    cluster.nodes[0].stop()
    alice.say("Written meanwhile", "And this")
    for text in ("Written meanwhile", "And this"):
        expect(alice.row(text).get_by_title("Sending")).to_be_visible()
    alice.page.wait_for_timeout(6_000)  # the server's refusal changes nothing that is seen
    expect(alice.row("Written meanwhile").get_by_title("Sending")).to_be_visible()
    expect(alice.page.get_by_text(re.compile("could not", re.IGNORECASE))).to_have_count(0)
    cluster.nodes[0].start()
    said += ["Written meanwhile", "And this"]
    expect(bob.texts).to_have_text(said, timeout=30_000)
    alice.until_stored("And this")
    assert backstage.contents(server, room) == said
