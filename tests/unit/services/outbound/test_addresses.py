"""`outbound.addresses`: what is public, what is private, what is neither."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_services.outbound.addresses import is_loopback, is_private, is_public

INSIDE = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "::1",
    "fc00::1",
    "fdff:ffff::1",
]
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2600::1",
    "2a00:1450::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_what_anybody_may_ask_is_public(address: str) -> None:
    """The neighbours of what is not, among others."""
    assert is_public(address)
    assert not is_private(address)


@pytest.mark.parametrize("address", INSIDE)
def test_an_organisations_own_network_is_private(address: str) -> None:
    assert not is_public(address)
    assert is_private(address)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_neither(address: str) -> None:
    """Metadata, link-local, multicast, reserved, and IPv4 inside of IPv6."""
    assert not is_public(address)
    assert not is_private(address)


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", " 8.8.8.8", "[::1]", "8.8.8"],
)
def test_what_is_no_address_is_neither(text: str) -> None:
    assert not is_public(text)
    assert not is_private(text)
    assert not is_loopback(text)


@given(st.ip_addresses(v=4).filter(lambda address: address.is_global))
def test_no_more_of_ipv4_is_refused_than_python_would(address: IPv4Address) -> None:
    """But for what is named in the list: a monument (AS112, AMT), multicast, one cloud's host."""
    if address.is_multicast or str(address).startswith(("192.31.196.", "192.52.193.")):
        return
    if str(address).startswith(("192.88.99.", "192.175.48.", "192.0.0.", "168.63.129.16")):
        return
    assert is_public(str(address))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_what_python_knows_to_be_special_is_never_public(
    address: IPv4Address | IPv6Address,
) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    if special:
        assert not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_gets_through_inside_an_ipv6_address(address: IPv4Address) -> None:
    """Mapped, compatible, translated (RFC 6052, RFC 8215), 6to4, Teredo: also of public ones."""
    number = int(address)
    for wrapped in (
        number,
        0xFFFF << 32 | number,
        0x64FF9B << 96 | number,
        0x64FF9B0001 << 80 | number,
        0x2002 << 112 | number << 80,
        0x20010000 << 96 | number ^ 0xFFFFFFFF,
    ):
        text = str(ip_address(IPv6Address(wrapped)))
        assert not is_public(text)
        assert not is_private(text) or text == "::1"


def test_loopback_is_told_by_its_usual_form() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("127.0.0.2")
    assert is_loopback("::1")
    assert not is_loopback("0:0:0:0:0:0:0:1")
    assert not is_loopback("::ffff:127.0.0.1")
