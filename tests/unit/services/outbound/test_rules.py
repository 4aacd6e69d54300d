"""`outbound.rules`: which URLs may be asked."""

import socket
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from allibe_services.outbound import LoopbackForTests, Rules, UrlRefused
from allibe_services.outbound.addresses import is_public

RULES = Rules()
FCM = "https://fcm.googleapis.com/fcm/send/dQ:APA91b?x=1"


@pytest.mark.parametrize(
    "url",
    [
        FCM,
        "https://updates.push.services.mozilla.com:443/wpush/v2/gAAA",
        "HTTPS://WEB.PUSH.APPLE.COM/QE",
        "https://xn--9q8b.example/",
        "https://a_b.example",
    ],
)
def test_endpoints_as_browsers_give_them_may_be_asked(url: str) -> None:
    checked = RULES.checked(url)
    assert checked == URL(url)
    assert checked.scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fcm.googleapis.com",
        "//fcm.googleapis.com/",
        "http://fcm.googleapis.com/",
        "http://fcm.googleapis.com:443/",
        "ftp://fcm.googleapis.com/",
        "file:///etc/passwd",
        "https:///path",
        "https:fcm.googleapis.com",
        "https://",
        "https://fcm.googleapis.com:80/",
        "https://fcm.googleapis.com:8443/",
        "https://fcm.googleapis.com:0/",
        "https://fcm.googleapis.com:99999/",
        "https://fcm.googleapis.com:x/",
        "https://user@fcm.googleapis.com/",
        "https://user:password@fcm.googleapis.com/",
        "https://@fcm.googleapis.com/",
        "https://fcm.googleapis.com\\@10.0.0.1/",
        "https://fcm.googleapis.com\t/",
        "https://fcm.googleapis.com/ x",
        " https://fcm.googleapis.com/",
        "https://fcm.googleapis.com/\r\nHost: x",
        "https://fcm.googleapis.com/\x7f",
        "https://fcm.googleapis.com/é",
        "https://fcm.googleapis.com./",
        "https://fcm..googleapis.com/",
        "https://-fcm.example/",
        "https://fcm%2egoogleapis.com/",
        f"https://{'x' * 64}.example/",
        f"https://fcm.googleapis.com/{'x' * 2048}",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        RULES.checked(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "8.8.8.8",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "0",
        "1.1.1.1.",
        "x.1",
        "a.0x",
        "[::1]",
        "[2001:4860:4860::8888]",
        "[::ffff:127.0.0.1]",
        "[fe80::1%25eth0]",
        "①②⑦.⓪.⓪.①",
        "\uff11\uff12\uff17.0.0.1",
        "127。0。0。1",
    ],
)
def test_no_spelling_of_an_address_is_a_name(host: str) -> None:
    """Not even of a public one: push services have names, and certificates for them."""
    with pytest.raises(UrlRefused):
        RULES.checked(f"https://{host}/")


def _part(number: int) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{number}", f"{number:#x}", f"{number:#X}", f"0{number:o}"])


@st.composite
def _spellings(draw: st.DrawFn) -> str:
    """Return what `inet_aton` reads as an address: one to four numbers, each in any base."""
    number = int(draw(st.ip_addresses(v=4)))
    count = draw(st.integers(1, 4))
    parts = [number >> (24 - 8 * place) & 0xFF for place in range(count - 1)]
    parts.append(number & (1 << (32 - 8 * (count - 1))) - 1)
    text = ".".join(draw(_part(part)) for part in parts)
    assert socket.inet_aton(text) == IPv4Address(number).packed
    return text


@given(_spellings())
def test_whatever_the_system_reads_as_an_address_is_refused(host: str) -> None:
    for rules in (
        RULES,
        Rules(hosts=("*.example.com",)),
        Rules(hosts=("a.example",), private=True),
    ):
        with pytest.raises(UrlRefused):
            rules.checked(f"https://{host}/")


@given(st.text() | st.text(alphabet="a.x127:/@[]\\?#% ").map("https://".__add__))
def test_any_text_is_refused_or_is_https_to_a_name(text: str) -> None:
    try:
        url = RULES.checked(text)
    except UrlRefused:
        return
    assert (url.scheme, url.port, url.user, url.password) == ("https", 443, None, None)
    host = url.raw_host
    assert host is not None
    with pytest.raises(OSError, match="illegal IP"):
        socket.inet_aton(host)


class TestHosts:
    """A list of hosts, if there is one, is all there is."""

    RULES = Rules(hosts=("fcm.googleapis.com", "*.push.apple.com"))

    @pytest.mark.parametrize(
        "host",
        ["fcm.googleapis.com", "FCM.googleapis.com", "web.push.apple.com", "a.b.push.apple.com"],
    )
    def test_what_is_on_it_may_be_asked(self, host: str) -> None:
        self.RULES.checked(f"https://{host}/")

    @pytest.mark.parametrize(
        "host",
        [
            "push.apple.com",
            "xpush.apple.com",
            "push.apple.com.example.net",
            "x.fcm.googleapis.com",
            "googleapis.com",
            "localhost",
        ],
    )
    def test_what_is_not_is_refused(self, host: str) -> None:
        with pytest.raises(UrlRefused, match="list"):
            self.RULES.checked(f"https://{host}/")

    @given(st.text(alphabet="abc.-*", min_size=1, max_size=20))
    def test_nothing_gets_by_that_does_not_end_like_an_entry(self, prefix: str) -> None:
        for host in (f"{prefix}fcm.googleapis.com", f"{prefix}push.apple.com", prefix):
            try:
                self.RULES.checked(f"https://{host}/")
            except UrlRefused:
                continue
            assert host.endswith(".push.apple.com")

    @pytest.mark.parametrize(
        "host", ["", "*", "*.", "a*.example", "*.*.example", "10.0.0.1", "A.b"]
    )
    def test_an_entry_that_is_no_host_is_refused(self, host: str) -> None:
        with pytest.raises(ValueError, match="is no host"):
            Rules(hosts=(host,))


class TestPrivate:
    """For hosts that a setting names in full."""

    RULES = Rules(hosts=("push.corp.example", "10.1.2.3", "fd00::5"), private=True)

    def test_the_named_hosts_may_be_asked_and_no_other(self) -> None:
        self.RULES.checked("https://push.corp.example/hook")
        self.RULES.checked("https://10.1.2.3/hook")
        self.RULES.checked("https://[fd00::5]/hook")
        for host in ("10.1.2.4", "other.example", "0x0a010203", "167838211", "[fd00::6]"):
            with pytest.raises(UrlRefused):
                self.RULES.checked(f"https://{host}/")

    def test_they_may_lead_inside_but_not_to_metadata(self) -> None:
        for address in ("10.1.2.3", "192.168.1.1", "127.0.0.1", "fd00::1", "8.8.8.8"):
            assert self.RULES.allows(address)
        for address in ("169.254.169.254", "100.100.100.200", "fe80::1", "0.0.0.0", "224.0.0.1"):
            assert not self.RULES.allows(address)

    @pytest.mark.parametrize("hosts", [(), ("*.corp.example",), ("a.example", "*.b.example")])
    def test_without_full_names_the_rules_are_refused(self, hosts: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="named in full"):
            Rules(hosts=hosts, private=True)

    @pytest.mark.parametrize("host", ["169.254.169.254", "::1%lo", "127.1"])
    def test_an_address_that_is_never_asked_cannot_be_named(self, host: str) -> None:
        with pytest.raises(ValueError, match="is no host"):
            Rules(hosts=(host,), private=True)


class TestLoopback:
    """For tests, and only where the object is given."""

    RULES = Rules(loopback=LoopbackForTests())

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:1234/x",
            "https://localhost:1/",
            "http://[::1]:8080/",
            "http://localhost",
        ],
    )
    def test_this_machine_may_be_asked(self, url: str) -> None:
        assert self.RULES.checked(url) == URL(url)
        with pytest.raises(UrlRefused):
            RULES.checked(url)

    @pytest.mark.parametrize(
        "url", ["http://fcm.googleapis.com/", "http://10.0.0.1/", "http://127.1/", "http://[::]/"]
    )
    def test_nothing_else_is_opened_by_it(self, url: str) -> None:
        with pytest.raises(UrlRefused):
            self.RULES.checked(url)

    def test_other_addresses_are_still_not_dialled(self) -> None:
        assert self.RULES.allows("127.0.0.1")
        assert not RULES.allows("127.0.0.1")
        for address in ("10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0"):
            assert not self.RULES.allows(address)


@given(st.ip_addresses())
def test_by_default_only_public_addresses_are_dialled(address: object) -> None:
    assert RULES.allows(str(address)) == is_public(str(address))


def test_what_is_wrong_with_a_url_is_said_by_itself() -> None:
    with pytest.raises(UrlRefused, match=r"^it begins with https://"):
        Rules.for_operator("http://hooks.internal/secret")
    with pytest.raises(UrlRefused, match=r"^its port is none of 443$") as told:
        Rules().checked("https://push.example.net:8443/secret")
    assert "secret" not in str(told.value)
