"""Errors as HTTP answers: `application/problem+json` (RFC 9457), for every status."""

from collections.abc import Mapping
from math import ceil

import msgspec
from aiohttp import hdrs, web
from msgspec import UNSET, UnsetType

from allibe_services.contracts.errors import AllibeError, TokenRequired

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:allibe:"
"""`type` names the problem, `code` is its last part. It is a name, not an address."""

RETRY_AFTER_MS = 1000
"""What retryable errors say that do not know better: a broken connection is often back by then."""


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """What went wrong (RFC 9457). Programs look at `code` and `retryable`, people at `detail`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    retry_after_ms: int | UnsetType = UNSET


def respond(error: AllibeError, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the answer that tells of an error, with the headers that its status calls for."""
    return web.Response(
        status=error.status,
        body=msgspec.json.encode(problem_of(error)),
        content_type=PROBLEM_JSON,
        headers=_headers(error) | dict(headers or {}),
    )


def problem_of(error: AllibeError) -> Problem:
    """Return the body that tells of an error."""
    return Problem(
        type=TYPE_PREFIX + error.code,
        title=error.text,
        status=error.status,
        detail=error.message,
        code=error.code,
        retryable=error.retryable,
        retry_after_ms=_retry_after_ms(error) if error.retryable else UNSET,
    )


def _headers(error: AllibeError) -> dict[str, str]:
    # An error is true for one moment and one caller: no cache may answer with it.
    headers: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store"}
    if error.retryable:
        headers[hdrs.RETRY_AFTER] = str(max(1, ceil(_retry_after_ms(error) / 1000)))
    if isinstance(error, TokenRequired):
        headers[hdrs.WWW_AUTHENTICATE] = _challenge(error)
    return headers


def _challenge(error: TokenRequired) -> str:
    # RFC 6750 §3.1: the error only where a token was shown.
    return "Bearer" if error.code == TokenRequired.code else 'Bearer error="invalid_token"'


def _retry_after_ms(error: AllibeError) -> int:
    return RETRY_AFTER_MS if error.retry_after_ms is None else error.retry_after_ms
