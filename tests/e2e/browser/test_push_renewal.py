"""The browser changes a subscription while no page is open: its worker tells the server by itself.

The browser has no push service here, so what the worker and the page subscribe to is played.
"""

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError

from playwright.sync_api import Page

from allibe_services.contracts.push import Subscription
from tests.support.backstage import Backstage
from tests.support.browser import WAIT_MS, Visit
from tests.support.push_browser import PushBrowser
from tests.support.server import Server

_PLAYED = """
PushManager.prototype.getSubscription = async function () {
  const subscription = %s;
  return {
    ...subscription,
    options: { applicationServerKey: new Uint8Array([1]).buffer },
    toJSON: () => subscription,
    unsubscribe: async () => true,
  };
};
PushManager.prototype.subscribe = PushManager.prototype.getSubscription;
"""

_CHANGE = """(subscription) => {
  // Only the browser may keep its worker alive for an event: the rest of it is as with its own.
  self.addEventListener('error', (event) => event.preventDefault());
  const event = new ExtendableEvent('pushsubscriptionchange');
  event.newSubscription = {
    endpoint: subscription.endpoint,
    options: { applicationServerKey: new Uint8Array([1]).buffer },
    toJSON: () => subscription,
  };
  self.dispatchEvent(event);
}"""

_KEPT = """async () => {
  const kept = await (await caches.open('allibe-push')).match('/push-subscription');
  return kept ? (await kept.json()).endpoint : null;
}"""


def told(subscription: Subscription) -> dict[str, Any]:
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    return {"endpoint": subscription.endpoint, "keys": keys}


def renewed(server: Server, old: Subscription, new: Subscription) -> int:
    """Ask the server to renew, as whoever knows the old one's secret; return the status."""
    proof = {"endpoint": old.endpoint, "auth": old.auth}
    request = urllib.request.Request(
        f"{server.url}/api/chat/push-subscriptions/renewals",
        json.dumps({"old": proof, "new": told(new)}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as refusal:
        return refusal.code


def until_kept(page: Page, endpoint: str) -> None:
    (worker,) = page.context.service_workers
    for _ in range(WAIT_MS // 50):
        if worker.evaluate(_KEPT) == endpoint:
            return
        page.wait_for_timeout(50)
    raise AssertionError("the worker keeps something else")


def test_the_worker_tells_the_server_while_no_page_is_open(
    visit: Visit, server: Server, backstage: Backstage
) -> None:
    first, second, third = (
        PushBrowser().subscription(f"https://push.example/{number}") for number in range(3)
    )

    def on_stage(page: Page) -> None:
        page.add_init_script(_PLAYED % json.dumps(told(first)))
        page.context.grant_permissions(["notifications"])

    alice = visit("alice", room=backstage.room(server, "Band"), prepare=on_stage)
    alice.until_live()
    with alice.page.expect_response("**/api/chat/push-subscriptions"):
        alice.button("Notifications").click()
    page = alice.page
    for _ in range(WAIT_MS // 50):
        if page.context.service_workers:
            break
        page.wait_for_timeout(50)
    (worker,) = page.context.service_workers
    worker.evaluate(f"() => {{ {_PLAYED % json.dumps(told(first))} }}")
    with page.expect_response("**/api/chat/push-subscriptions"):
        page.reload()
    until_kept(page, first.endpoint)

    page.goto("about:blank")
    worker.evaluate(f"() => {{ {_PLAYED % json.dumps(told(second))} }}")
    worker.evaluate(_CHANGE, told(second))
    until_kept(page, second.endpoint)
    assert renewed(server, first, third) == 404
    assert renewed(server, second, third) == 204
