"""Web Push: one encrypted message to a browser, through the push service that it has chosen.

Encryption (RFC 8291) is pywebpush's. Its `send_async` is not used: it follows redirects, sets no
time limit and reads answers of any length. What asks is `outbound`, under its rules.
"""

import time
from collections.abc import Callable

import pywebpush

from allibe_fanout_worker.push.base import Failed, Gone, Outcome, Push, PushProvider
from allibe_fanout_worker.push.fitting import shown
from allibe_fanout_worker.push.statuses import failure_of, outcome_of
from allibe_services.contracts.push import PushReason, Subscription
from allibe_services.outbound import OutboundClient, OutboundError, UrlRefused
from allibe_services.vapid import VapidKey

BODY_BYTES = 4096
"""What every push service takes (RFC 8030 §7.2), after encryption."""

OVERHEAD_BYTES = 103
"""Of one record of aes128gcm: 86 of header with the sender's key, 16 of tag, 1 of padding
(RFC 8188 §2, RFC 8291 §4)."""

HEADER_SECONDS = 12 * 3600
"""How long an `Authorization` header is used again."""

_MARGIN_SECONDS = 3600
"""How much longer it is good for, whatever the clocks; in all well under 24 h (RFC 8292 §2)."""

ORIGINS = 200
"""Push services whose header is kept; there are about five."""


class WebPush:
    """Sends to browsers. `subject`: whom a push service may turn to; see `vapid`."""

    def __init__(
        self,
        client: OutboundClient,
        key: VapidKey,
        subject: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._authorizations = _Authorizations(key, subject, clock)
        self._clock = clock

    def service(self, subscription: Subscription) -> str:
        """Return the push service's origin; "" for one that may not be asked."""
        try:
            return self._client.origin(subscription.endpoint)
        except UrlRefused:
            return ""

    def to(self, subscription: Subscription) -> PushProvider:
        """Return what sends to that browser."""
        return _Browser(self, subscription)

    async def send(self, push: Push, subscription: Subscription) -> Outcome:
        """Try once. 201 means that the push service has it, not that the browser does."""
        plain = shown(push, most=BODY_BYTES - OVERHEAD_BYTES)
        if plain is None:
            return Failed(retryable=False, reason=PushReason.TOO_LARGE)
        try:
            body = encrypted(plain, subscription)
        except ValueError:
            return Failed(retryable=False, reason=PushReason.BAD_KEYS)
        try:
            headers = self._headers(push, self._client.origin(subscription.endpoint))
            answer = await self._client.post(subscription.endpoint, body, headers)
        except OutboundError as error:
            return failure_of(error)
        if answer.status in (404, 410):
            return Gone()
        return outcome_of(answer, now=self._clock())

    def _headers(self, push: Push, origin: str) -> dict[str, str]:
        headers = {
            "Authorization": self._authorizations.header(origin),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(push.ttl),
            "Urgency": push.urgency.value,
        }
        if push.topic is not None:
            headers["Topic"] = push.topic
        return headers


class _Browser:
    def __init__(self, web_push: WebPush, subscription: Subscription) -> None:
        self._web_push = web_push
        self._subscription = subscription

    @property
    def service(self) -> str:
        return self._web_push.service(self._subscription)

    async def send(self, push: Push) -> Outcome:
        return await self._web_push.send(push, self._subscription)


class _Authorizations:
    """The header for each push service: signing costs more than all else but the encryption."""

    def __init__(self, key: VapidKey, subject: str, clock: Callable[[], float]) -> None:
        self._key = key
        self._subject = subject
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}

    def header(self, origin: str) -> str:
        now = self._clock()
        header, until = self._kept.get(origin, ("", 0.0))
        # A clock that was set back must not make it last longer.
        if not now < until <= now + HEADER_SECONDS:
            header = self._signed(origin, now)
            self._kept[origin] = header, now + HEADER_SECONDS
            if len(self._kept) > ORIGINS:
                del self._kept[next(iter(self._kept))]
        return header

    def _signed(self, origin: str, now: float) -> str:
        expires_at = now + HEADER_SECONDS + _MARGIN_SECONDS
        return self._key.authorization(
            audience=origin, subject=self._subject, expires_at=expires_at
        )


def encrypted(plain: bytes, subscription: Subscription) -> bytes:
    """Return the message as only the browser can read it: `OVERHEAD_BYTES` longer.

    Raises `ValueError` for a key that is not on its curve.
    """
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    pusher = pywebpush.WebPusher({"endpoint": subscription.endpoint, "keys": keys})
    body = pusher.encode(plain, content_encoding="aes128gcm")["body"]
    return bytes(body)
