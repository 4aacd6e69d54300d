"""Where a connection comes from, as far as that can be believed.

Everybody can write `X-Forwarded-For`. What a proxy of ours has put there stands at the right: the
first address from there that is no proxy of ours is the client, and whatever stands to the left
of it is what the client says.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import hdrs, web

MOST_HOPS = 20
"""Proxies in a row that are looked at."""

_NETWORK_BITS = 64
"""Of IPv6 everybody has a whole network of this size: its addresses are one client."""

_Address = IPv4Address | IPv6Address


class Addresses:
    """The setting `ALLIBE_TRUSTED_PROXIES`. Raises `ValueError` for what is no network."""

    def __init__(self, setting: str = "") -> None:
        try:
            self._trusted = tuple(
                ip_network(word.strip()) for word in setting.split(",") if word.strip()
            )
        except ValueError as error:
            raise ValueError(f"ALLIBE_TRUSTED_PROXIES: {error}") from None

    def of(self, request: web.BaseRequest) -> str | None:
        """Return the client's address, of IPv6 its network; None where it is not known.

        Without trusted proxies one in a private network is not: it is a proxy's, most likely.
        """
        peer = _parsed(request.remote or "")
        if peer is None:
            return None
        if not self._trusted:
            return None if peer.is_private else _key(peer)
        return _key(self._client(peer, request.headers.getall(hdrs.X_FORWARDED_FOR, [])))

    def _client(self, peer: _Address, forwarded: Sequence[str]) -> _Address:
        hops = [hop for line in forwarded for hop in line.split(",")][-MOST_HOPS:]
        client = peer
        while hops and self._is_trusted(client):
            before = _parsed(hops.pop().strip())
            if before is None:  # a proxy of ours was told nonsense, or tells it
                break
            client = before
        return client

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> _Address | None:
    """Return the address in what proxies write: with or without brackets and port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _key(address: _Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, _NETWORK_BITS), strict=False))
