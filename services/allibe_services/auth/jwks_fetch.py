"""Fetches a key set over HTTP: in little time, little memory, and from the given address only."""

from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from allibe_services.contracts.errors import KeysUnavailable
from allibe_services.loopback import is_loopback_host

FETCH_SECONDS = 5.0

MOST_BYTES = 128 * 1024
"""Longest key set: the largest issuers publish some 20 KiB, certificates included."""

_HEADERS = {
    "Accept": "application/jwk-set+json, application/json",
    "Accept-Encoding": "identity",  # what is packed would be larger than what came
}


def check_address(url: str) -> None:
    """Raise `ValueError` for an address that keys must not come from.

    Whoever can change the answer on its way can sign tokens: so `https`, but on this machine.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise ValueError("not a URL") from None
    if not host or parts.scheme not in ("https", "http"):
        raise ValueError("not an https URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a key set is public: no user and password in its URL")
    if parts.scheme == "http" and not is_loopback_host(host):
        raise ValueError("keys come over https only")


async def fetch(url: str) -> bytes:
    """Return what the address answers. Raises `KeysUnavailable`, which says why."""
    try:
        async with (
            ClientSession(
                timeout=ClientTimeout(total=FETCH_SECONDS),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
            ) as session,
            # Not to where it is redirected: that address was not configured.
            session.get(url, headers=_HEADERS, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise KeysUnavailable(f"the issuer answers {answer.status}")
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise KeysUnavailable(f"the key set is longer than {MOST_BYTES} bytes")
            return bytes(body)
    except (ClientError, OSError, TimeoutError, ValueError) as error:
        raise KeysUnavailable(type(error).__name__) from None
