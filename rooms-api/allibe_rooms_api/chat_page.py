"""The chat page: `/` and the files that `make page` builds from `web/`.

The files are listed once and each gets a route of its own, so that a path leads to one of them or
nowhere, whatever stands in it. A page that is built anew is therefore served after a restart.
Places within the page are in the URL's fragment: no other path means `index.html`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.typedefs import Handler

from allibe_rooms_api.sending import taken_in_time

FOLDER = Path(__file__).with_name("page")

SEND_SECONDS = 60.0
"""Longest time to send a file. It is read as it is sent, so this bounds open files and connections;
600 kB pass at 10 kB/s."""

NOT_BUILT = "The chat page is not built: it needs Node 20.19 or later, `make page` and a restart.\n"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the page may load and who may frame it: a message that became markup still runs nothing."""

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_IMMUTABLE = "public, max-age=31536000, immutable"
"""For files below `assets/`: their names hold a hash of what is in them."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Not Python's own table: that one takes over what the machine's /etc/mime.types says."""

_PART = re.compile(r"[\w-][\w.-]*", re.ASCII)


def setup(app: web.Application, *, folder: Path = FOLDER, send_limit: float = SEND_SECONDS) -> None:
    """Add the page to the application; without its files, `/` says what they need.

    Who does not take a file within `send_limit` seconds loses the connection.
    """
    files = dict(_files(folder))
    index = files.pop("/index.html", None)
    app.router.add_get("/", _not_built if index is None else _page(index.read_bytes()))
    for path, file in files.items():
        app.router.add_get(path, _sender(file, path, send_limit))


async def _not_built(_: web.Request) -> web.Response:
    headers = _HEADERS | {hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(text=NOT_BUILT, status=503, headers=headers)


def _page(html: bytes) -> Handler:
    """Return what answers with the page itself, always in full.

    It is small, and validators made of time and size, as those of a file, cannot be trusted here:
    an image's layers give all files one time, and another hash in the text changes no size.
    """
    headers = _HEADERS | {hdrs.CACHE_CONTROL: "no-cache"}

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=html, content_type="text/html", charset="utf-8", headers=headers)

    return page


def _sender(file: Path, path: str, send_limit: float) -> Handler:
    headers = _HEADERS | {
        hdrs.CACHE_CONTROL: _IMMUTABLE if path.startswith("/assets/") else "no-cache",
        hdrs.CONTENT_TYPE: _TYPES.get(file.suffix, "application/octet-stream"),
        hdrs.VARY: hdrs.ACCEPT_ENCODING,
    }

    async def send(_: web.Request) -> web.FileResponse:
        return _File(file, headers=headers, route=f"GET {path}", send_limit=send_limit)

    return send


class _File(web.FileResponse):
    """A file, or its `.gz` beside it where the client takes that."""

    def __init__(
        self, file: Path, *, headers: dict[str, str], route: str, send_limit: float
    ) -> None:
        super().__init__(file, headers=headers)
        self._route = route
        self._send_limit = send_limit

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it: this is where aiohttp does."""
        async with taken_in_time(request, self._send_limit, route=self._route):
            return await super().prepare(request)

    def set_status(self, status: int, reason: str | None = None) -> None:
        """Keep a refusal out of caches, as that of a file that is gone since the start."""
        super().set_status(status, reason)
        if status >= 400:
            self.headers[hdrs.CACHE_CONTROL] = "no-store"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield path and file of what may be served: no links, no hidden files, no `.gz` of others."""
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if file.is_symlink() or not file.is_file() or file.suffix == ".gz":
            continue
        if all(map(_PART.fullmatch, parts)):
            yield "/" + "/".join(parts), file
