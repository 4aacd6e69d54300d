"""Which IP addresses may be dialled: those of the public internet, and by permission private ones.

The list is our own and not `ipaddress.is_global`, whose answers differ between Pythons.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind carriers' NAT; metadata at Alibaba
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # metadata at Azure: a public address that means the host
        "169.254.0.0/16",  # link-local; metadata nearly everywhere
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; metadata at Oracle
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
"""IANA's registry of special-purpose addresses (RFC 6890), multicast, and one cloud's exception."""

_PUBLIC_6 = IPv6Network("2000::/3")
"""All global unicast there is. Outside: loopback, link-local, private (metadata at AWS), multicast,
and IPv4 in IPv6: mapped (::ffff:0:0/96), translated (64:ff9b::/96, 64:ff9b:1::/48)."""

_NOT_PUBLIC_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, among them Teredo: IPv4 in IPv6
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: IPv4 in IPv6
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_PRIVATE = tuple(
    IPv4Network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_PRIVATE_6 = (IPv6Network("fc00::/7"), IPv6Network("::1/128"))

_METADATA = (
    IPv4Address("100.100.100.200"),  # Alibaba
    IPv6Address("fd00:ec2::254"),  # AWS
    IPv6Address("fd20:ce::254"),  # Google
    IPv6Address("fd00:c1::a9fe:a9fe"),  # Oracle
    IPv6Address("fd00:42::42"),  # Scaleway
)
"""Where clouds hand out credentials, inside what is private: never asked, whoever permits it."""


def is_public(text: str) -> bool:
    """Tell whether the text is an address that anybody may be asked at."""
    address = _parsed(text)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if isinstance(address, IPv6Address):
        return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)
    return False


def is_private(text: str) -> bool:
    """Tell whether the text is an address of an organisation's own network, or of this machine.

    Link-local, metadata and multicast addresses are neither public nor private.
    """
    address = _parsed(text)
    if address is None or address in _METADATA:
        return False
    if isinstance(address, IPv4Address):
        return any(address in network for network in _PRIVATE)
    return any(address in network for network in _PRIVATE_6)


def is_loopback(text: str) -> bool:
    """Tell whether the text is an address of this machine in its usual form."""
    address = _parsed(text)
    return address is not None and address.is_loopback and address.compressed == text


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    # A scope ("fe80::1%eth0") makes no public address of a link-local one, and has no other use.
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None
