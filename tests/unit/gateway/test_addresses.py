"""`addresses`: whose word counts on where a connection comes from."""

from unittest.mock import Mock

import pytest
from aiohttp import web
from multidict import CIMultiDict

from allibe_gateway.addresses import MOST_HOPS, Addresses


def address(setting: str, peer: str | None, *forwarded: str) -> str | None:
    headers = CIMultiDict([("X-Forwarded-For", line) for line in forwarded])
    return Addresses(setting).of(Mock(spec=web.BaseRequest, remote=peer, headers=headers))


PROXIES = "10.0.0.0/8,fd00::/8"


def test_without_proxies_the_peer_is_the_client_whatever_it_says() -> None:
    assert address("", "20.0.113.7", "20.51.100.1") == "20.0.113.7"


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_without_proxies_a_private_address_is_not_known_to_be_a_client(peer: str) -> None:
    """Behind a load balancer that nobody told us of all come from one: they are not one client."""
    assert address("", peer, "20.0.113.7") is None


def test_a_proxy_is_believed() -> None:
    assert address(PROXIES, "10.0.0.1", "20.0.113.7") == "20.0.113.7"
    assert address(PROXIES, "fd00::1", "20.0.113.7") == "20.0.113.7"


def test_others_are_not() -> None:
    assert address(PROXIES, "20.0.113.7", "20.51.100.1") == "20.0.113.7"


def test_what_the_client_said_itself_counts_for_nothing() -> None:
    """It stands to the left of what our proxies wrote, in one line or in several."""
    assert address(PROXIES, "10.0.0.1", "20.51.100.1, 20.0.113.7") == "20.0.113.7"
    assert address(PROXIES, "10.0.0.1", "20.51.100.1", "20.0.113.7, 10.0.0.2") == "20.0.113.7"
    assert address(PROXIES, "10.0.0.1", "10.9.9.9, 20.0.113.7") == "20.0.113.7"


def test_behind_proxies_a_private_client_is_a_client() -> None:
    assert address(PROXIES, "10.0.0.1", "192.168.1.5") == "192.168.1.5"


@pytest.mark.parametrize("forwarded", ["", "unknown", "_hidden", "20.0.113.7, nonsense", ","])
def test_nonsense_from_a_proxy_leaves_the_proxy(forwarded: str) -> None:
    assert address(PROXIES, "10.0.0.1", forwarded) == "10.0.0.1"


def test_hops_are_bounded() -> None:
    many = ", ".join(["20.0.113.7"] + ["10.0.0.2"] * 10_000)
    assert address(PROXIES, "10.0.0.1", many) == "10.0.0.2"
    assert (
        address(PROXIES, "10.0.0.1", ", ".join(["20.0.113.7"] + ["10.0.0.2"] * (MOST_HOPS - 1)))
        == "20.0.113.7"
    )


def test_an_ipv6_network_is_one_client() -> None:
    one = address("", "2001:db8:1:2::1".replace("db8", "4860"))
    assert one == address("", "2001:4860:1:2:ffff::9")
    assert one != address("", "2001:4860:1:3::1")


@pytest.mark.parametrize(
    ("written", "client"),
    [
        ("20.0.113.7:51234", "20.0.113.7"),
        ("[2001:4860::1]:443", "2001:4860::/64"),
        ("[2001:4860::1]", "2001:4860::/64"),
        ("::ffff:20.0.113.7", "20.0.113.7"),
    ],
)
def test_ports_and_brackets_of_proxies_are_read(written: str, client: str) -> None:
    assert address(PROXIES, "10.0.0.1", written) == client


@pytest.mark.parametrize("peer", [None, "", "/run/allibe.sock"])
def test_what_has_no_address_is_not_known(peer: str | None) -> None:
    assert address(PROXIES, peer, "20.0.113.7") is None


@pytest.mark.parametrize("setting", ["10.0.0.1/8", "proxy.example", "10.0.0.0/33", "*"])
def test_what_is_no_network_names_the_setting(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^ALLIBE_TRUSTED_PROXIES: "):
        Addresses(setting)
