"""A push reaches the service worker through the developer protocol: what it shows, where it leads.

The browser has no push service here, so subscribing is played: `_PLAYED` is what it would answer.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Worker, expect

from allibe_fanout_worker.push.base import Push
from allibe_fanout_worker.push.fitting import shown
from allibe_fanout_worker.push.webpush import BODY_BYTES
from allibe_services.contracts.ids import RoomId, UserId
from tests.support.backstage import Backstage
from tests.support.browser import WAIT_MS, Visit
from tests.support.chat_page import ChatPage
from tests.support.push_browser import PushBrowser
from tests.support.server import Server

TRIES = 8

_PLAYED = """
PushManager.prototype.getSubscription = async function () { return window.played ?? null; };
PushManager.prototype.subscribe = async function ({ applicationServerKey }) {
  const subscription = %s;
  window.played = {
    ...subscription,
    options: { applicationServerKey: applicationServerKey.buffer },
    toJSON: () => subscription,
    unsubscribe: async () => { window.played = null; return true; },
  };
  return window.played;
};
"""

_SHOWN = """async () => (await self.registration.getNotifications()).map(
  ({ title, body, tag, silent }) => ({ title, body, tag, silent }))"""

_CLICK = """async (tag) => {
  const [notification] = await self.registration.getNotifications({ tag });
  // Only a real click may bring a window to the front: the rest of it is as with one.
  self.addEventListener('unhandledrejection', (event) => event.preventDefault());
  self.addEventListener('error', (event) => event.preventDefault());
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
}"""


def on_stage(page: Page) -> None:
    subscription = PushBrowser().subscription("https://push.example/1")
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    played = json.dumps({"endpoint": subscription.endpoint, "keys": keys})
    page.add_init_script(_PLAYED % played)
    page.context.grant_permissions(["notifications"])


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for what the browser tells or does outside of a page."""
    for _ in range(WAIT_MS // 50):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("waited in vain")


class Pushed:
    """The service worker of a page, and the way to it."""

    def __init__(self, chat: ChatPage) -> None:
        self._origin = chat.server.url
        self._protocol = chat.page.context.new_cdp_session(chat.page)
        self._active: list[str] = []
        self._protocol.on("ServiceWorker.workerVersionUpdated", self._updated)
        self._protocol.send("ServiceWorker.enable")
        self._page = chat.page
        until(self._page, lambda: bool(self._active))

    def deliver(self, room: str, body: str, *, messages: int = 1, offset: int = 1) -> None:
        """Push it, in the fan-out worker's own words, and wait until it is shown."""
        told = body if messages == 1 else f"{messages} new messages"
        push = Push(
            push_id="p-1",
            user=UserId("alice"),
            room_id=RoomId(room),
            offset=offset,
            title="Band",
            body=body,
            messages=messages,
            unread_count=1,
            ttl=60,
        )
        text = shown(push, most=BODY_BYTES)
        assert text is not None
        order = {
            "origin": self._origin,
            "registrationId": self._active[-1],
            "data": text.decode(),
        }
        # The protocol's first push to a new worker is lost now and then, without a word.
        for _ in range(TRIES):
            self._protocol.send("ServiceWorker.deliverPushMessage", order)
            for _ in range(40):
                if any(one["body"] == told for one in self.worker.evaluate(_SHOWN)):
                    return
                self._page.wait_for_timeout(50)
        raise AssertionError("no push is shown")

    def shown(self, body: str) -> list[dict[str, Any]]:
        """Return all notifications, once there is one that says so."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self.worker.evaluate(_SHOWN)
            return any(one["body"] == body for one in found)

        until(self._page, look)
        return found

    def click(self, room: str) -> None:
        """Press the notification of a room."""
        self.worker.evaluate(_CLICK, room)

    @property
    def worker(self) -> Worker:
        (worker,) = self._page.context.service_workers
        return worker

    def _updated(self, event: dict[str, Any]) -> None:
        """Note registrations whose worker is there: pushes to others get lost."""
        self._active += [
            version["registrationId"]
            for version in event["versions"]
            if version["status"] == "activated"
        ]


@pytest.fixture
def room(server: Server, backstage: Backstage) -> str:
    return backstage.room(server, "Band")


@pytest.fixture
def alice(visit: Visit, server: Server, backstage: Backstage) -> ChatPage:
    """In another room, with notifications on."""
    alice = visit("alice", room=backstage.room(server, "Other"), prepare=on_stage)
    alice.until_live()
    with alice.page.expect_response("**/api/chat/push-subscriptions") as put:
        alice.button("Notifications").click()
    assert put.value.status == 204
    return alice


def test_a_push_is_shown_and_a_click_opens_the_room(alice: ChatPage, room: str) -> None:
    pushed = Pushed(alice)
    pushed.deliver(room, "Bob: Rehearsal is off")
    quiet = {"title": "Band", "tag": room, "silent": True}  # the page is seen
    assert pushed.shown("Bob: Rehearsal is off") == [quiet | {"body": "Bob: Rehearsal is off"}]
    pushed.deliver(room, "3 new messages in Band", messages=3)
    assert pushed.shown("3 new messages") == [quiet | {"body": "3 new messages"}]
    pushed.click(room)
    expect(alice.heading("Band")).to_be_visible()
    expect(alice.button("2 members")).to_be_visible()


def test_it_rings_while_no_page_is_open_and_again_for_what_is_new(
    alice: ChatPage, room: str
) -> None:
    pushed = Pushed(alice)
    alice.page.goto("about:blank")
    pushed.deliver(room, "Bob: one")
    assert [one["silent"] for one in pushed.shown("Bob: one")] == [False]
    pushed.deliver(room, "Bob: two", offset=2)
    assert [one["silent"] for one in pushed.shown("Bob: two")] == [False]


def test_what_the_page_has_told_is_not_told_a_second_time(
    alice: ChatPage, server: Server, backstage: Backstage, room: str
) -> None:
    """The page is connected and is told at once, the push comes later: one notification."""
    pushed = Pushed(alice)
    backstage.say(server, room, "bob", "Hello")
    pushed.shown("Bob: Hello")
    pushed.deliver(room, "Bob: Hello, pushed")
    assert len(pushed.shown("Bob: Hello, pushed")) == 1


def test_who_turns_notifications_off_or_signs_out_is_no_longer_subscribed(
    alice: ChatPage,
) -> None:
    def ended(name: str) -> None:
        with alice.page.expect_request(
            lambda asked: asked.method == "DELETE" and "push-subscriptions" in asked.url
        ):
            alice.button(name).click()
        alice.until("window.played === null")

    ended("Notifications")
    with alice.page.expect_response("**/api/chat/push-subscriptions"):
        alice.button("Notifications").click()
    alice.button("Account and settings (Alice)").click()
    ended("Sign out")


def test_a_room_is_muted_from_its_header_on_all_devices(
    visit: Visit, server: Server, room: str
) -> None:
    alice = visit("alice", room=room)
    mute = alice.button("Mute room")
    expect(mute).to_have_attribute("aria-pressed", "false")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(alice.entry("Band")).to_contain_text("Muted")
    again = visit("alice", room=room)
    expect(again.entry("Band")).to_contain_text("Muted")
    again.button("Mute room").click()
    expect(again.entry("Band")).not_to_contain_text("Muted")
    expect(alice.entry("Band")).not_to_contain_text("Muted")
    expect(mute).to_have_attribute("aria-pressed", "false")


def test_quiet_hours_are_kept_by_the_server(visit: Visit, server: Server) -> None:
    def chosen(user: str) -> ChatPage:
        chat = visit(user, timezone_id="Asia/Seoul")
        chat.button("Account and settings (Carol)").click()
        chat.button("Quiet hours").click()
        return chat

    carol = chosen("carol")
    carol.page.get_by_label("Send me nothing at night").check()
    carol.page.get_by_label("From", exact=True).fill("23:15")
    with carol.page.expect_response("**/notification-settings") as saved:
        carol.button("Save").click()
    assert saved.value.json() == {
        "quietHours": {"from": "23:15", "to": "07:00", "timeZone": "Asia/Seoul"}
    }
    again = chosen("carol")
    expect(again.page.get_by_label("From", exact=True)).to_have_value("23:15")
    again.page.get_by_label("Send me nothing at night").uncheck()
    again.button("Save").click()
    expect(again.page.get_by_role("dialog", name="Quiet hours")).to_have_count(0)


def test_what_is_read_on_one_device_is_read_on_the_others_within_a_second(
    visit: Visit, server: Server, backstage: Backstage, room: str
) -> None:
    laptop = visit("alice", room=backstage.room(server, "Other"))
    laptop.until_live()
    backstage.say(server, room, "bob", "one", "two")
    expect(laptop.entry("Band")).to_contain_text("2 unread messages")
    phone = visit("alice", room=room)
    expect(phone.row("two")).to_be_visible()
    expect(laptop.entry("Band")).not_to_contain_text("unread")
