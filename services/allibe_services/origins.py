"""Which web pages may use this deployment: their origins, as browsers name them (RFC 6454).

A browser lets any page open a WebSocket to anywhere, and says in `Origin` which one it is; whoever
does not look lets every page speak to us in its visitor's name. The list is exact: no patterns, no
subdomains. Programs that are no browsers send no `Origin`, or what they like: to them this is no
barrier, and tokens are.
"""

import re

from aiohttp import hdrs, web

SELF = "self"
"""The origin that the request was sent to: what `Host` says, which proxies must leave as it is."""

ANY = "*"
NONE = "null"
"""What sandboxed frames, local files and some redirects say: anybody can be that."""

_WORDS = (SELF, ANY, NONE)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_PORT = re.compile(r":[0-9]+$")
_PORTS = {"http": "80", "https": "443"}

_METHODS = "GET, HEAD, POST, PUT, DELETE"
_HEADERS = "Authorization, Content-Type"
_EXPOSED = "Link, Retry-After"
_PREFLIGHT_SECONDS = 600
"""How long a browser may go by one preflight: ten minutes, so that a shorter list is soon felt."""


class Origins:
    """The setting `ALLIBE_ORIGINS`. Raises `ValueError` for what is neither origin nor word."""

    def __init__(self, setting: str = SELF) -> None:
        listed = {word.strip() for word in setting.split(",")} - {""}
        for origin in listed:
            if origin not in _WORDS and not _is_origin(origin):
                raise ValueError(
                    f"ALLIBE_ORIGINS: {origin!r} is no origin as https://chat.example.com (no"
                    " path, no capitals, no port that is the scheme's own), nor self, null or *"
                )
        self._listed = frozenset(listed)

    def allow(self, request: web.BaseRequest) -> bool:
        """Tell whether the page that asks is on the list; true where no page does."""
        named = request.headers.getall(hdrs.ORIGIN, [])
        return all(self._allows(one, request.headers.get(hdrs.HOST, "")) for one in named)

    def cors(self, request: web.BaseRequest, *, credentials: bool = False) -> dict[str, str]:
        """Return the headers that let the asking page read the answer, if it may (Fetch, "CORS").

        `credentials` is for transports that browsers use with cookies. The answer names the one
        origin, never `*`.
        """
        # Whether or not it may: a cache must not give one page what was meant for another.
        headers: dict[str, str] = {hdrs.VARY: hdrs.ORIGIN}
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not self.allow(request):
            return headers
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
        if credentials:
            headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        return headers

    def preflight(self, request: web.BaseRequest) -> dict[str, str] | None:
        """Return what to answer to a preflight besides `cors`; None where it is none, or refused.

        It allows whatever method and header the HTTP side has somewhere.
        """
        if request.method != hdrs.METH_OPTIONS or not self.allow(request):
            return None
        if not {hdrs.ORIGIN, hdrs.ACCESS_CONTROL_REQUEST_METHOD} <= request.headers.keys():
            return None
        return {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: _METHODS,
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _HEADERS,
            hdrs.ACCESS_CONTROL_MAX_AGE: str(_PREFLIGHT_SECONDS),
        }

    def _allows(self, origin: str, host: str) -> bool:
        if origin in self._listed and origin not in (SELF, ANY):
            return True
        return ANY in self._listed or (SELF in self._listed and _is_of(host, origin))


def _is_of(host: str, origin: str) -> bool:
    """Tell whether an origin is what the request was sent to.

    The scheme counts for nothing: behind a proxy that ends TLS nobody here knows it.
    """
    scheme, _, authority = origin.partition("://")
    if scheme not in _PORTS or not host:
        return False
    return _with_port(authority, scheme) == _with_port(host.lower(), scheme)


def _with_port(authority: str, scheme: str) -> str:
    return authority if _PORT.search(authority) else f"{authority}:{_PORTS[scheme]}"


def _is_origin(text: str) -> bool:
    """Tell whether a browser could say so: it leaves out a port that is the scheme's own."""
    scheme = text.partition("://")[0]
    return bool(_ORIGIN.fullmatch(text)) and not text.endswith(f":{_PORTS.get(scheme)}")
