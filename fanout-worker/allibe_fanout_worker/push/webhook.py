"""Webhook: pushes to a server of the operator's own, which knows FCM, APNs, mail or what comes.

    POST <the operator's URL>
    webhook-id: the push's id, the same in every try
    webhook-timestamp, webhook-signature: see `signing`

    {"type": "notification", "pushId", "user", "roomId", "title", "body", "messages",
     "unreadCount", "ttl", "urgency", "topic"}

2xx says that it was taken, within the client's time limit: answer first, deliver then. 400, 413 and
422 say that it will never be; any other refusal may be a fault of the moment, and is tried again.
An answer of 429 or 5xx may say when (Retry-After). What timed out comes again with the same id.
"""

import time
from collections.abc import Callable, Sequence

import msgspec

from allibe_fanout_worker.push.base import Failed, Outcome, Push
from allibe_fanout_worker.push.signing import read_secrets, signed
from allibe_fanout_worker.push.statuses import failure_of, outcome_of
from allibe_services.outbound import OutboundClient, OutboundError

_FINAL = frozenset({400, 413, 422})
"""The body is at fault, and will be in the next try."""


class _Told(msgspec.Struct, rename="camel"):
    type: str
    push_id: str
    user: str
    room_id: str
    title: str
    body: str
    messages: int
    unread_count: int
    ttl: int
    urgency: str
    topic: str | None


class Webhook:
    """Sends to one URL, signed with the first of the secrets, and with the others after it.

    The order of a user's pushes is the caller's: while one is under way or waits for its next try,
    none of the same user's is sent. Raises `ValueError` for secrets that are none, and `UrlRefused`
    for a URL against the client's rules; private addresses need rules that name the URL's host.
    """

    def __init__(
        self,
        client: OutboundClient,
        url: str,
        secrets: Sequence[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.service = client.origin(url)
        self._client = client
        self._url = url
        self._secrets = read_secrets(secrets)
        self._clock = clock

    async def send(self, push: Push) -> Outcome:
        """Try once. Never `Gone`: there is no subscription to delete."""
        body = _json(push)
        now = self._clock()
        headers = signed(self._secrets, webhook_id=push.push_id, body=body, now=now)
        headers["Content-Type"] = "application/json"
        try:
            answer = await self._client.post(self._url, body, headers)
        except OutboundError as error:
            return failure_of(error)
        outcome = outcome_of(answer, now=self._clock())
        if isinstance(outcome, Failed) and answer.status >= 400 and answer.status not in _FINAL:
            return Failed(retryable=True, reason=outcome.reason)
        return outcome


def _json(push: Push) -> bytes:
    return msgspec.json.encode(
        _Told(
            type="notification",
            push_id=push.push_id,
            user=push.user,
            room_id=push.room_id,
            title=push.title,
            body=push.body,
            messages=push.messages,
            unread_count=push.unread_count,
            ttl=push.ttl,
            urgency=push.urgency.value,
            topic=push.topic,
        )
    )
