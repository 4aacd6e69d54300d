"""`push.webhook` with a receiver that checks what a careful operator's server checks."""

import ssl
import time
from collections.abc import AsyncIterator

import pytest

from allibe_fanout_worker.push.base import Delivered, Failed, Outcome, RetryAfter, Urgency
from allibe_fanout_worker.push.signing import REPLAY_SECONDS
from allibe_fanout_worker.push.webhook import Webhook
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import (
    OutboundClient,
    Rules,
    UrlRefused,
    outbound_client,
)
from tests.integration.push.conftest import SOON
from tests.support.webhook_receiver import WINDOW, WebhookReceiver
from tests.unit.fanout_worker.push.pushes import push

SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
async def receiver(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver.running(tls[0]) as receiver:
        receiver.secret = SECRET
        yield receiver


@pytest.fixture
def webhook(client: OutboundClient, receiver: WebhookReceiver) -> Webhook:
    return Webhook(client, str(receiver.url / "hook"), [f"whsec_{SECRET}"])


async def test_a_push_arrives_as_it_was_sent(receiver: WebhookReceiver, webhook: Webhook) -> None:
    sent = push(body="안녕 👋", urgency=Urgency.HIGH, topic="abc")
    assert await webhook.send(sent) == Delivered()
    assert receiver.problems == []
    assert receiver.taken == [
        {
            "type": "notification",
            "pushId": "0193-a_b",
            "user": "alice",
            "roomId": "project",
            "title": "Project Team",
            "body": "안녕 👋",
            "messages": 3,
            "unreadCount": 5,
            "ttl": 3600,
            "urgency": "high",
            "topic": "abc",
        }
    ]
    (headers, _) = receiver.seen[0]
    assert headers["content-type"] == "application/json"


async def test_a_repeat_has_the_same_id_and_a_signature_of_its_own(
    client: OutboundClient, receiver: WebhookReceiver
) -> None:
    now = [time.time()]
    webhook = Webhook(client, str(receiver.url), [SECRET], clock=lambda: now[0])
    for _ in range(2):
        assert await webhook.send(push()) == Delivered()
        now[0] -= 10
    (first, body), (second, same) = receiver.seen
    assert first["webhook-id"] == second["webhook-id"] == "0193-a_b"
    assert first["webhook-signature"] != second["webhook-signature"]
    assert body == same


async def test_another_secret_is_refused(client: OutboundClient, receiver: WebhookReceiver) -> None:
    """401 may be the receiver's fault, so it is tried again."""
    webhook = Webhook(client, str(receiver.url), [OTHER])
    outcome = await webhook.send(push())
    assert outcome == Failed(retryable=True, reason=PushReason.UNAUTHORIZED)
    assert receiver.problems == ["signature"]


async def test_while_the_secret_changes_the_old_and_the_new_are_good(
    client: OutboundClient, receiver: WebhookReceiver
) -> None:
    webhook = Webhook(client, str(receiver.url), [OTHER, SECRET])
    for secret in (SECRET, OTHER):
        receiver.secret = secret
        assert await webhook.send(push()) == Delivered()


async def test_what_was_recorded_is_of_no_use_later(
    client: OutboundClient, receiver: WebhookReceiver
) -> None:
    assert WINDOW == REPLAY_SECONDS
    long_ago = time.time() - REPLAY_SECONDS - 60
    webhook = Webhook(client, str(receiver.url), [SECRET], clock=lambda: long_ago)
    await webhook.send(push())
    assert receiver.problems == ["replay"]


async def test_a_changed_body_or_time_is_noticed(
    receiver: WebhookReceiver, webhook: Webhook
) -> None:
    await webhook.send(push())
    headers, body = receiver.seen[0]
    assert receiver.problem(headers, body) is None
    assert receiver.problem(headers, body.replace(b"alice", b"carol")) == "signature"
    later = headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}
    assert receiver.problem(later, body) == "signature"
    assert receiver.problem(headers | {"webhook-id": "other"}, body) == "signature"


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (200, {}, Delivered()),
        (429, {"retry_after": "7"}, RetryAfter(7.0, PushReason.THROTTLED)),
        (503, {}, Failed(retryable=True, reason=PushReason.UNAVAILABLE)),
        (404, {}, Failed(retryable=True, reason=PushReason.REJECTED)),
        (410, {}, Failed(retryable=True, reason=PushReason.REJECTED)),
        (400, {}, Failed(retryable=False, reason=PushReason.REJECTED)),
        (413, {}, Failed(retryable=False, reason=PushReason.TOO_LARGE)),
        (422, {}, Failed(retryable=False, reason=PushReason.REJECTED)),
        (307, {"location": "/hook"}, Failed(retryable=False, reason=PushReason.REDIRECTED)),
    ],
)
async def test_a_status_has_its_outcome(
    receiver: WebhookReceiver,
    webhook: Webhook,
    status: int,
    headers: dict[str, str],
    outcome: Outcome,
) -> None:
    """Never that a subscription is gone: there is none."""
    receiver.answers(status, **headers)
    assert await webhook.send(push()) == outcome
    assert receiver.asked == 1


async def test_one_that_hangs_is_tried_again(rules: Rules, receiver: WebhookReceiver) -> None:
    receiver.hangs()
    async with outbound_client(rules, limits=SOON) as client:
        outcome = await Webhook(client, str(receiver.url), [SECRET]).send(push())
    assert outcome == Failed(retryable=True, reason=PushReason.TIMED_OUT)


async def test_an_answer_without_end_is_not_read(
    receiver: WebhookReceiver, webhook: Webhook
) -> None:
    receiver.floods(200)
    assert await webhook.send(push()) == Delivered()


class TestGuard:
    """The URL is the operator's own, and under the same rules."""

    @pytest.mark.parametrize(
        "url", ["http://hooks.example/", "https://10.0.0.1/", "https://user:pw@hooks.example/", ""]
    )
    async def test_a_url_against_the_rules_ends_the_start(self, url: str) -> None:
        async with outbound_client(Rules()) as client:
            with pytest.raises(UrlRefused):
                Webhook(client, url, [SECRET])

    async def test_a_secret_that_is_none_ends_the_start(self, client: OutboundClient) -> None:
        with pytest.raises(ValueError, match="24 to 64 bytes"):
            Webhook(client, "https://hooks.example/", ["hunter2"])

    async def test_a_private_address_needs_rules_that_name_the_host(
        self, receiver: WebhookReceiver
    ) -> None:
        """Without, a name that leads inside is refused; with it, only trust (TLS) is missing."""
        ports = frozenset({receiver.url.port or 0})
        url = f"https://localhost:{receiver.url.port}/"
        async with outbound_client(Rules(ports=ports)) as client:
            outcome = await Webhook(client, url, [SECRET]).send(push())
        assert outcome == Failed(retryable=False, reason=PushReason.ADDRESS_REFUSED)
        named = Rules(ports=ports, hosts=("localhost",), private=True)
        async with outbound_client(named) as client:
            outcome = await Webhook(client, url, [SECRET]).send(push())
        assert outcome == Failed(retryable=True, reason=PushReason.UNTRUSTED)
        assert receiver.asked == 0
