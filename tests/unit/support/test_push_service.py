"""The push service of the tests refuses what real ones refuse: else tests say little."""

import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from allibe_services.contracts.push import Subscription
from tests.support.push_browser import PushBrowser, base64url, from_base64url
from tests.support.push_service import PushService
from tests.unit.support.test_push_browser import AUTH, BODY, PRIVATE, TEXT


class Server:
    """A server that pushes the RFC's example, with whatever headers the test likes."""

    def __init__(self, service: PushService, session: ClientSession) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.service = service
        self.session = session
        self.claims: dict[str, Any] = {
            "aud": str(service.url.origin()),
            "exp": int(time.time()) + 3600,
            "sub": "mailto:me@example.net",
        }
        self.headers = {"TTL": "60", "Content-Encoding": "aes128gcm"}
        self.body = BODY

    @property
    def public(self) -> str:
        point = self.key.public_key()
        return base64url(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    async def push(self, to: Subscription, signer: ec.EllipticCurvePrivateKey | None = None) -> int:
        token = jwt.encode(self.claims, signer or self.key, algorithm="ES256")
        headers = {"Authorization": f"vapid t={token}, k={self.public}"} | self.headers
        async with self.session.post(to.endpoint, data=self.body, headers=headers) as answer:
            return answer.status


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with PushService.running() as service, ClientSession() as session:
        yield Server(service, session)


@pytest.fixture
def subscription(server: Server) -> Subscription:
    scalar = int.from_bytes(from_base64url(PRIVATE), "big")
    browser = PushBrowser(ec.derive_private_key(scalar, ec.SECP256R1()), from_base64url(AUTH))
    return server.service.subscribe(server.public, browser)


async def test_a_push_that_is_right_is_taken(server: Server, subscription: Subscription) -> None:
    assert await server.push(subscription) == 201
    (pushed,) = server.service.pushed
    assert pushed.text == TEXT
    assert pushed.claims == server.claims


@pytest.mark.parametrize(
    ("claim", "value", "status"),
    [
        ("aud", "https://push.example.net", 403),
        ("exp", time.time() - 1, 403),
        ("exp", time.time() + 25 * 3600, 403),
        ("sub", "me", 403),
    ],
    ids=("audience", "over", "too long", "subject"),  # each process must collect the same
)
async def test_a_token_that_is_wrong_is_refused(
    server: Server, subscription: Subscription, claim: str, value: Any, status: int
) -> None:
    server.claims[claim] = value
    assert await server.push(subscription) == status
    assert len(server.service.problems) == 1


async def test_a_token_that_somebody_else_signed_is_refused(
    server: Server, subscription: Subscription
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert await server.push(subscription, signer=other) == 403
    assert server.service.problems == ["signed by somebody else"]


async def test_another_servers_subscription_is_refused(
    server: Server, subscription: Subscription
) -> None:
    server.key = ec.generate_private_key(ec.SECP256R1())
    assert await server.push(subscription) == 403
    assert server.service.problems == ["another server's subscription"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("TTL", ""),
        ("Urgency", "now"),
        ("Topic", "x" * 33),
        ("Topic", "a b"),
        ("Content-Encoding", "aesgcm"),
    ],
)
async def test_a_wrong_header_is_refused(
    server: Server, subscription: Subscription, header: str, value: str
) -> None:
    server.headers[header] = value
    assert await server.push(subscription) == 400


async def test_without_a_token_nothing_is_taken(server: Server, subscription: Subscription) -> None:
    server.headers["Authorization"] = "vapid"
    assert await server.push(subscription) == 401


async def test_too_much_is_refused(server: Server, subscription: Subscription) -> None:
    server.body = b"x" * 4097
    assert await server.push(subscription) == 413


async def test_an_ended_subscription_is_gone(server: Server, subscription: Subscription) -> None:
    server.service.unsubscribe(subscription)
    assert await server.push(subscription) == 410
