"""A push service as RFC 8030 has it, with VAPID (RFC 8292), that reads what only browsers can.

It refuses what real ones refuse, and says in `problems` what was wrong.
"""

import json
import re
import time
from typing import Any

import msgspec
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from allibe_services.contracts.push import Subscription
from tests.support.moody_server import MoodyServer
from tests.support.push_browser import NotForUs, PushBrowser, from_base64url

DAY = 24 * 3600
_HEADER = re.compile(r"vapid t=([\w-]+\.[\w-]+\.[\w-]+), k=([\w-]{87})", re.ASCII).fullmatch
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII).fullmatch
_URGENCIES = {"very-low", "low", "normal", "high"}


class Refusal(Exception):
    """A request that a push service refuses, with the status that it uses for that."""

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)


class Pushed(msgspec.Struct, frozen=True):
    """What arrived for a browser."""

    subscription: str
    headers: dict[str, str]
    claims: dict[str, Any]
    body: bytes
    text: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class PushService(MoodyServer):
    """`subscribe`, and see in `pushed` what came."""

    def __init__(self) -> None:
        super().__init__()
        self.pushed: list[Pushed] = []
        self.problems: list[str] = []
        self._browsers: dict[str, tuple[PushBrowser, str]] = {}

    def subscribe(self, server_key: str, browser: PushBrowser | None = None) -> Subscription:
        """Return a new subscription, open to that `applicationServerKey` alone (RFC 8292 §4)."""
        browser = browser or PushBrowser()
        name = f"browser-{len(self._browsers)}"
        self._browsers[name] = browser, server_key
        return browser.subscription(str(self.url / "push" / name))

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget it: from now on the answer is 410 (RFC 8030 §7.3)."""
        del self._browsers[subscription.endpoint.rpartition("/")[2]]

    async def take(self, request: web.Request) -> web.StreamResponse:
        try:
            pushed = await self._read(request)
        except Refusal as refusal:
            self.problems.append(str(refusal))
            return web.Response(status=refusal.status, text=str(refusal))
        self.pushed.append(pushed)
        location = str(self.url / "message" / str(len(self.pushed)))
        return web.Response(status=201, headers={"Location": location})

    async def _read(self, request: web.Request) -> Pushed:
        name = request.path.removeprefix("/push/")
        if name not in self._browsers:
            raise Refusal(410, "no such subscription")
        browser, server_key = self._browsers[name]
        claims = self._authorized(request.headers.get("Authorization", ""), server_key)
        _check_headers(request)
        body = await request.read()
        if len(body) > 4096:
            raise Refusal(413, "more than 4096 bytes")
        try:
            text = browser.decrypted(body)
        except NotForUs as error:
            # A real service could not tell; the browser would drop it.
            raise Refusal(400, f"undecryptable: {error}") from None
        headers = {header.lower(): value for header, value in request.headers.items()}
        return Pushed(name, headers, claims, body, text)

    def _authorized(self, header: str, server_key: str) -> dict[str, Any]:
        """Return the token's claims (RFC 8292 §2 to §4). Raises `Refusal`."""
        found = _HEADER(header)
        if found is None:
            raise Refusal(401, "no VAPID header")
        token, key = found.groups()
        if key != server_key:
            raise Refusal(403, "another server's subscription")
        claims = _verified(token, key)
        if claims.get("aud") != str(self.url.origin()):
            raise Refusal(403, f"for another push service: {claims.get('aud')}")
        if not time.time() < claims.get("exp", 0) <= time.time() + DAY:
            raise Refusal(403, "over, or good for longer than a day")
        if not str(claims.get("sub")).startswith(("mailto:", "https://")):
            raise Refusal(403, "nobody to turn to")
        return claims


def _verified(token: str, key: str) -> dict[str, Any]:
    """Return the claims of a token that the key has signed with ES256 (RFC 7518 §3.4)."""
    signed, _, signature = token.rpartition(".")
    header, claims = (json.loads(from_base64url(part)) for part in signed.split("."))
    raw = from_base64url(signature)
    if header != {"alg": "ES256", "typ": "JWT"} or len(raw) != 64:
        raise Refusal(401, "not ES256")
    numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(key))
    try:
        public.verify(encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise Refusal(403, "signed by somebody else") from None
    assert isinstance(claims, dict)
    return claims


def _check_headers(request: web.Request) -> None:
    headers = request.headers
    if request.method != "POST":
        raise Refusal(405, "not a POST")
    if not headers.get("TTL", "").isdigit():
        raise Refusal(400, "no TTL (RFC 8030 §5.2)")
    if headers.get("Urgency", "normal") not in _URGENCIES:
        raise Refusal(400, "no such urgency (RFC 8030 §5.3)")
    if "Topic" in headers and _TOPIC(headers["Topic"]) is None:
        raise Refusal(400, "no topic (RFC 8030 §5.4)")
    if headers.get("Content-Encoding") != "aes128gcm":
        raise Refusal(400, "not encrypted (RFC 8291 §4)")
