"""What SockJS clients ask for besides sessions: greeting, info, and the page of an iframe."""

import hashlib
import html
import secrets
from typing import Final

import msgspec
from aiohttp import web

CLIENT_URL: Final = "https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js"
"""Where the iframe's page gets sockjs-client from, if nothing else is said."""

_CLIENT_HASH: Final = "sha384-svdnwiXBL+Js+yUneJSRFy24NgGiOfDM/vkQl/vCeVrcbYD6yW8EwPr1FnxTEZsR"
"""Of that file: it runs in our origin, so no other text may take its place."""

CACHEABLE: Final = {
    "Cache-Control": "public, max-age=31536000",
    "Expires": "Fri, 01 Jan 2100 00:00:00 GMT",
}
NOT_CACHEABLE: Final = {
    "Cache-Control": "no-store, no-cache, no-transform, must-revalidate, max-age=0"
}

_IFRAME: Final = """<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="{url}"{integrity}></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>"""


class Info(msgspec.Struct, frozen=True):
    """What a client may expect. Paths lead a session's requests to one gateway, not cookies."""

    entropy: int
    websocket: bool = True
    cookie_needed: bool = False
    origins: tuple[str, ...] = ("*:*",)


def greeting() -> web.Response:
    """Answer who looks whether there is a SockJS here."""
    return web.Response(text="Welcome to SockJS!\n", content_type="text/plain", charset="UTF-8")


def info(headers: dict[str, str]) -> web.Response:
    """Answer what there is, with 32 random bits for clients that have none."""
    return web.Response(
        body=msgspec.json.encode(Info(secrets.randbits(32))),
        headers={"Content-Type": "application/json; charset=UTF-8"} | NOT_CACHEABLE | headers,
    )


class IframePage:
    """The page that loads sockjs-client within this server's own origin."""

    def __init__(self, client_url: str) -> None:
        known = client_url == CLIENT_URL
        integrity = f' integrity="{_CLIENT_HASH}" crossorigin="anonymous"' if known else ""
        self._body = _IFRAME.format(url=html.escape(client_url), integrity=integrity)
        self._headers = CACHEABLE | {"ETag": f'"{hashlib.sha256(self._body.encode()).hexdigest()}"'}

    def answer(self, request: web.Request) -> web.Response:
        """Return the page, or that the client has it."""
        if request.headers.get("If-None-Match") == self._headers["ETag"]:
            return web.Response(status=304, headers=self._headers)
        return web.Response(
            text=self._body, content_type="text/html", charset="UTF-8", headers=self._headers
        )
