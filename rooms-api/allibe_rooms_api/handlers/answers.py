"""Answers of handlers: JSON, with a status and headers."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web


def answer(
    body: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an answer whose body is JSON."""
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers=headers,
    )
