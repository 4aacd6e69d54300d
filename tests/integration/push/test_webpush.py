"""`push.webpush` with a push service that decrypts as a browser does."""

import socket
import time
from typing import cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allibe_fanout_worker.push.base import (
    Delivered,
    Failed,
    Gone,
    Outcome,
    RetryAfter,
    Urgency,
    topic_of,
)
from allibe_fanout_worker.push.webpush import (
    BODY_BYTES,
    HEADER_SECONDS,
    ORIGINS,
    OVERHEAD_BYTES,
    WebPush,
    encrypted,
)
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.push import PushReason, Subscription
from allibe_services.outbound import Answer, OutboundClient, Rules, outbound_client
from allibe_services.vapid import VapidKey
from tests.integration.push.conftest import SOON, SUBJECT
from tests.support.push_browser import NotForUs, PushBrowser, base64url
from tests.support.push_service import DAY, PushService
from tests.unit.fanout_worker.push.pushes import push


@pytest.fixture
def subscription(service: PushService, key: VapidKey) -> Subscription:
    return service.subscribe(key.public_key)


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class TestArrival:
    """What the browser reads is what was pushed, and the push service knows how to treat it."""

    async def test_a_push_arrives_as_it_was_sent(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        sent = push(title="프로젝트 팀", body='"안녕" & <b>👋🏽</b>\n')
        assert await web_push.to(subscription).send(sent) == Delivered()
        assert service.problems == []
        (pushed,) = service.pushed
        assert pushed.json == {
            "type": "notification",
            "roomId": "project",
            "offset": 42,
            "title": "프로젝트 팀",
            "body": '"안녕" & <b>👋🏽</b>\n',
            "messages": 3,
            "unreadCount": 5,
        }

    async def test_the_push_service_is_told_ttl_urgency_and_topic(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        """RFC 8030 §5.2 to §5.4."""
        topic = topic_of(RoomId("project"))
        browser = web_push.to(subscription)
        assert await browser.send(push(ttl=60, urgency=Urgency.HIGH, topic=topic)) == Delivered()
        assert await browser.send(push(ttl=0)) == Delivered()
        first, second = (pushed.headers for pushed in service.pushed)
        assert (first["ttl"], first["urgency"], first["topic"]) == ("60", "high", topic)
        assert (second["ttl"], second["urgency"], second.get("topic")) == ("0", "normal", None)
        assert first["content-encoding"] == "aes128gcm"

    async def test_it_says_who_pushes_and_not_for_whom(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        """RFC 8292; room, user and text are for the browser alone."""
        before = time.time()
        await web_push.to(subscription).send(push())
        (pushed,) = service.pushed
        assert pushed.claims["sub"] == SUBJECT
        assert pushed.claims["aud"] == f"https://localhost:{service.url.port}"
        assert before < pushed.claims["exp"] < before + DAY
        outside = str(pushed.headers).encode() + pushed.body
        for word in ("alice", "project", "Project", "안녕하세요"):
            assert word.encode() not in outside

    async def test_two_browsers_read_what_is_theirs(
        self, service: PushService, web_push: WebPush, key: VapidKey
    ) -> None:
        subscriptions = [service.subscribe(key.public_key) for _ in range(2)]
        for number, one in enumerate(subscriptions):
            assert await web_push.to(one).send(push(body=str(number))) == Delivered()
        assert [pushed.json["body"] for pushed in service.pushed] == ["0", "1"]
        assert len({pushed.body[:16] for pushed in service.pushed}) == 2
        assert len(service.connections) == 1

    async def test_a_long_message_is_cut_to_what_push_services_take(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        """RFC 8030 §7.2."""
        assert await web_push.to(subscription).send(push(body="가" * 8000)) == Delivered()
        (pushed,) = service.pushed
        assert BODY_BYTES - 3 < len(pushed.body) <= BODY_BYTES
        assert pushed.json["body"].endswith("가…")

    async def test_what_cannot_be_cut_is_not_sent(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        outcome = await web_push.to(subscription).send(push(title="x" * 4096))
        assert outcome == Failed(retryable=False, reason=PushReason.TOO_LARGE)
        assert service.asked == 0


class TestEncryption:
    """RFC 8291, by the test's own reading of it."""

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
    @given(text=st.binary(min_size=1, max_size=BODY_BYTES - OVERHEAD_BYTES))
    def test_only_the_browser_reads_it_and_reads_it_whole(self, text: bytes) -> None:
        browser, other = PushBrowser(), PushBrowser()
        body = encrypted(text, browser.subscription("https://push.example.net/"))
        assert len(body) == len(text) + OVERHEAD_BYTES
        assert browser.decrypted(body) == text
        with pytest.raises(NotForUs):
            other.decrypted(body)

    def test_the_same_text_looks_different_every_time(self) -> None:
        subscription = PushBrowser().subscription("https://push.example.net/")
        assert encrypted(b"x", subscription) != encrypted(b"x", subscription)

    async def test_a_key_that_is_no_point_is_given_up(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        broken = msgspec.structs.replace(subscription, p256dh=base64url(b"\x04" + b"\x01" * 64))
        outcome = await web_push.to(broken).send(push())
        assert outcome == Failed(retryable=False, reason=PushReason.BAD_KEYS)
        assert service.asked == 0

    async def test_another_browsers_keys_are_noticed_by_the_test_service(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        """That it decrypts, and with whose keys, is what the tests above rest on."""
        wrong = PushBrowser().subscription(subscription.endpoint)
        outcome = await web_push.to(wrong).send(push())
        assert outcome == Failed(retryable=False, reason=PushReason.REJECTED)
        assert service.problems == ["undecryptable: another key, or it was changed"]


class TestRefusals:
    """What a push service may say in place of 201."""

    @pytest.mark.parametrize(
        ("status", "headers", "outcome"),
        [
            (404, {}, Gone()),
            (410, {}, Gone()),
            (410, {"retry_after": "7"}, Gone()),
            (429, {"retry_after": "7"}, RetryAfter(7.0, PushReason.THROTTLED)),
            (429, {}, Failed(retryable=True, reason=PushReason.THROTTLED)),
            (503, {"retry_after": "60"}, RetryAfter(60.0, PushReason.UNAVAILABLE)),
            (500, {}, Failed(retryable=True, reason=PushReason.UNAVAILABLE)),
            (413, {}, Failed(retryable=False, reason=PushReason.TOO_LARGE)),
            (400, {}, Failed(retryable=False, reason=PushReason.REJECTED)),
            (307, {"location": "/push/browser-0"}, Failed(False, PushReason.REDIRECTED)),
            (301, {"location": "http://169.254.169.254/"}, Failed(False, PushReason.REDIRECTED)),
        ],
    )
    async def test_a_status_has_its_outcome(
        self,
        service: PushService,
        web_push: WebPush,
        subscription: Subscription,
        status: int,
        headers: dict[str, str],
        outcome: Outcome,
    ) -> None:
        service.answers(status, **headers)
        assert await web_push.to(subscription).send(push()) == outcome
        assert service.asked == 1

    async def test_a_date_in_retry_after_is_read(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        service.answers(503, retry_after="Fri, 31 Dec 2199 23:59:59 GMT")
        outcome = await web_push.to(subscription).send(push())
        assert isinstance(outcome, RetryAfter)
        assert outcome.seconds > DAY

    async def test_an_ended_subscription_is_gone(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        service.unsubscribe(subscription)
        assert await web_push.to(subscription).send(push()) == Gone()

    async def test_a_subscription_for_another_key_is_given_up(
        self, service: PushService, web_push: WebPush
    ) -> None:
        """The key was changed: the browser has to subscribe anew."""
        other = service.subscribe(VapidKey.generate().public_key)
        outcome = await web_push.to(other).send(push())
        assert outcome == Failed(retryable=False, reason=PushReason.UNAUTHORIZED)


class TestTrouble:
    """A push service that does not answer as it should costs seconds, and nothing else."""

    async def test_a_slow_one_is_waited_for(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        service.takes_its_time(0.3)
        assert await web_push.to(subscription).send(push()) == Delivered()

    async def test_one_that_hangs_is_tried_again(
        self, service: PushService, rules: Rules, key: VapidKey, subscription: Subscription
    ) -> None:
        service.hangs()
        async with outbound_client(rules, limits=SOON) as client:
            outcome = await WebPush(client, key, SUBJECT).to(subscription).send(push())
        assert outcome == Failed(retryable=True, reason=PushReason.TIMED_OUT)

    async def test_an_answer_without_end_is_not_read(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        service.floods(201)
        assert await web_push.to(subscription).send(push()) == Delivered()
        service.floods(500)
        outcome = await web_push.to(subscription).send(push())
        assert outcome == Failed(retryable=True, reason=PushReason.UNAVAILABLE)

    async def test_one_that_hangs_up_or_is_not_there_is_tried_again(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        unreachable = Failed(retryable=True, reason=PushReason.UNREACHABLE)
        service.hangs_up()
        assert await web_push.to(subscription).send(push()) == unreachable
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            endpoint = f"https://127.0.0.1:{closed.getsockname()[1]}/x"
            nobody = msgspec.structs.replace(subscription, endpoint=endpoint)
            assert await web_push.to(nobody).send(push()) == unreachable

    async def test_after_trouble_the_next_push_arrives(
        self, service: PushService, web_push: WebPush, subscription: Subscription
    ) -> None:
        good = service.mood
        for trouble in (
            service.hangs_up,
            lambda: service.answers(500),
            lambda: service.floods(500),
        ):
            trouble()
            assert await web_push.to(subscription).send(push()) != Delivered()
            service.mood = good
            assert await web_push.to(subscription).send(push()) == Delivered()


class TestGuard:
    """An endpoint is what a user says."""

    @pytest.mark.parametrize(
        "endpoint",
        [
            "http://fcm.googleapis.com/x",
            "https://10.0.0.1/x",
            "https://2130706433/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://user@fcm.googleapis.com/x",
            "https://fcm.googleapis.com:6379/x",
            "gopher://x",
        ],
    )
    async def test_a_url_against_the_rules_is_given_up(
        self, web_push: WebPush, subscription: Subscription, endpoint: str
    ) -> None:
        bad = msgspec.structs.replace(subscription, endpoint=endpoint)
        outcome = await web_push.to(bad).send(push())
        assert outcome == Failed(retryable=False, reason=PushReason.URL_REFUSED)

    async def test_without_the_tests_object_this_machine_is_not_asked(
        self, service: PushService, key: VapidKey, subscription: Subscription
    ) -> None:
        """A name that leads inside, at a port that is allowed: refused when it would be dialled."""
        rules = Rules(ports=frozenset({service.url.port or 0}))
        async with outbound_client(rules) as client:
            outcome = await WebPush(client, key, SUBJECT).to(subscription).send(push())
        assert outcome == Failed(retryable=False, reason=PushReason.ADDRESS_REFUSED)
        assert service.asked == 0


class TestAuthorization:
    """Signed once for a push service, and again after 12 hours."""

    async def test_the_header_is_used_again_for_half_a_day(
        self,
        service: PushService,
        client: OutboundClient,
        key: VapidKey,
        subscription: Subscription,
    ) -> None:
        """The service's clock stands still: all tokens must be good at its time."""
        clock = Clock()
        start = clock.now - HEADER_SECONDS - 1800
        browser = WebPush(client, key, SUBJECT, clock=clock).to(subscription)
        for moved in (0, HEADER_SECONDS - 1, HEADER_SECONDS, 2 * HEADER_SECONDS - 1):
            clock.now = start + moved
            assert await browser.send(push()) == Delivered()
        first, again, later, again_later = (one.headers["authorization"] for one in service.pushed)
        assert first == again != later == again_later

    async def test_a_clock_that_is_set_back_makes_no_token_last(
        self,
        service: PushService,
        client: OutboundClient,
        key: VapidKey,
        subscription: Subscription,
    ) -> None:
        """Else it could be good for longer than a day, which push services refuse."""
        clock = Clock()
        browser = WebPush(client, key, SUBJECT, clock=clock).to(subscription)
        clock.now += 20 * 3600
        outcome = await browser.send(push())
        assert outcome == Failed(retryable=False, reason=PushReason.UNAUTHORIZED)
        clock.now -= 20 * 3600
        assert await browser.send(push()) == Delivered()

    async def test_the_headers_that_are_kept_have_a_bound(
        self, key: VapidKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever subscribes chooses the origin."""
        signed: list[str] = []

        def authorization(_: VapidKey, *, audience: str, **__: object) -> str:
            signed.append(audience)
            return "vapid"

        monkeypatch.setattr(VapidKey, "authorization", authorization)
        web_push = WebPush(cast("OutboundClient", _Nowhere()), key, SUBJECT)

        async def ask(number: int) -> int:
            endpoint = f"https://push-{number}.example/x"
            await web_push.to(PushBrowser().subscription(endpoint)).send(push())
            return len(signed)

        for number in range(ORIGINS + 1):
            assert await ask(number) == number + 1
        assert await ask(ORIGINS) == ORIGINS + 1
        assert await ask(1) == ORIGINS + 1
        assert await ask(0) == ORIGINS + 2


class _Nowhere:
    """In the client's place: takes everything."""

    def origin(self, url: str) -> str:
        return url.removesuffix("/x")

    async def post(self, *_: object) -> Answer:
        return Answer(201, None)
