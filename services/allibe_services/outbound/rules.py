"""Which URLs may be asked, and then which addresses. By default: https, port 443, public."""

import re
import ssl

import msgspec
from yarl import URL

from allibe_services.outbound.addresses import is_loopback, is_private, is_public
from allibe_services.outbound.errors import UrlRefused

URL_LENGTH = 2048
"""Characters. Endpoints of push services have a few hundred."""

_FORM = re.compile(r"https?://[^/?#@\\]+([/?#].*)?", re.ASCII | re.IGNORECASE).fullmatch
"""No user, even an empty one, and nothing that two parsers would read differently."""

_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*",
    re.ASCII,
).fullmatch
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII).fullmatch
"""A last label like this makes the whole an IPv4 address (WHATWG URL, "ends in a number"):
2130706433, 127.1, 0177.0.0.1, 0x7f.0.0.1."""


class LoopbackForTests(msgspec.Struct, frozen=True):
    """Lets rules reach this machine as well, at any port, with or without TLS. For tests alone."""

    trust: ssl.SSLContext | None = None
    """Whose certificates are believed; by default those that the system believes."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked. Raises `ValueError` for rules that contradict themselves."""

    hosts: tuple[str, ...] = ()
    """The only hosts, if any are named: exact names, or `*.suffix` for all below the suffix."""

    ports: frozenset[int] = frozenset({443})

    private: bool = False
    """Whether addresses inside our network are allowed too. Only for hosts that a setting names
    in full: `hosts` must, and may then hold an IP address. Never metadata, never link-local."""

    loopback: LoopbackForTests | None = None

    def __post_init__(self) -> None:
        for host in self.hosts:
            name = host.removeprefix("*.")
            if not _is_name(name) and not (self.private and name == host and _is_address(host)):
                raise ValueError(f"{host!r} is no host, and no `*.` with a domain")
        if self.private and (not self.hosts or any(host.startswith("*") for host in self.hosts)):
            raise ValueError("private addresses are only for hosts that are named in full")

    @classmethod
    def for_operator(cls, text: str, *, loopback: LoopbackForTests | None = None) -> "Rules":
        """Return rules for the host and port of a URL that a setting names, private ones too.

        Raises `UrlRefused` where that is no `https` URL that may be asked.
        """
        try:
            url = URL(text)
            host, port = url.raw_host, url.port
            rules = cls(
                hosts=(host or "",),
                ports=frozenset({port or 443}),
                private=True,
                loopback=loopback,
            )
        except ValueError:
            raise UrlRefused("not a URL with a host") from None
        rules.checked(text)
        return rules

    def checked(self, text: str) -> URL:
        """Return the URL as it will be asked. Raises `UrlRefused`."""
        printable = text.isascii() and text.isprintable() and " " not in text
        if len(text) > URL_LENGTH or not printable or _FORM(text) is None:
            raise UrlRefused("not a URL, or one with a user")
        try:
            url = URL(text)
            host, port = url.raw_host, url.port
        except ValueError:
            raise UrlRefused("not a URL") from None
        if host is None:
            raise UrlRefused("no host")
        if self.loopback is not None and (host == "localhost" or is_loopback(host)):
            return url
        if url.scheme != "https":
            raise UrlRefused("it begins with https://: what is sent is not for others to read")
        if port not in self.ports:
            raise UrlRefused("its port is none of " + ", ".join(map(str, sorted(self.ports))))
        self._check_host(host)
        return url

    def allows(self, address: str) -> bool:
        """Tell whether the address, to which a checked URL led, may be dialled."""
        if is_public(address) or (self.private and is_private(address)):
            return True
        return self.loopback is not None and is_loopback(address)

    def _check_host(self, host: str) -> None:
        named = any(_matches(host, pattern) for pattern in self.hosts)
        if self.hosts and not named:
            raise UrlRefused("the host is not on the list")
        if not _is_name(host) and not (self.private and named):
            raise UrlRefused("the host is not a name")


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def _is_name(host: str) -> bool:
    return _NAME(host) is not None and _NUMBER(host.rpartition(".")[2]) is None


def _is_address(host: str) -> bool:
    return is_public(host) or is_private(host)
